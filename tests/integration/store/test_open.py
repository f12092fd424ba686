from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from orchestration.errors import StoreError
from orchestration.settings import Settings
from orchestration.store import migrate
from orchestration.store.engine import Store, open_store, store_url
from orchestration.store.tables import notification, pointer, snapshot
from tests.integration.store.processes import PROCESSES, race

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def file_of(settings: Settings) -> Path:
    return settings.home / "store.db"


def told(kind: str, error: str = "") -> dict[str, Any]:
    """A row, of no other table's."""
    return {"kind": kind, "body": {}, "created_at": NOW, "next_at": NOW, "error": error}


def make_agent(store: Store, name: str) -> None:
    with store.begin() as connection:
        connection.execute(insert(notification).values(told(name)))


def agents(store: Store) -> list[str]:
    with store.read() as connection:
        return list(connection.execute(select(notification.c.kind).order_by(notification.c.kind)).scalars())


def test_what_was_written_is_there_for_whoever_opens_the_store_next(either: Settings) -> None:
    make_agent(open_store(either), "finance")
    store = open_store(either, create=False)
    with store.read() as connection:
        assert connection.execute(select(notification.c.kind, notification.c.created_at)).all() == [("finance", NOW)]


def test_an_error_in_a_write_transaction_leaves_nothing_behind(either: Settings) -> None:
    store = open_store(either)

    def halfway() -> None:
        with store.begin() as connection:
            connection.execute(insert(notification).values(told("finance")))
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        halfway()
    assert agents(store) == []


def test_a_read_transaction_cannot_write(either: Settings) -> None:
    store = open_store(either)
    with (
        pytest.raises((StoreError, OperationalError), match=r"readonly|read-only"),
        store.read() as connection,
    ):
        connection.execute(insert(notification).values(told("finance")))
    make_agent(store, "finance")  # the same pooled connection writes again where it may
    assert agents(store) == ["finance"]


def test_a_reader_sees_one_state_and_does_not_wait_for_the_writer(either: Settings) -> None:
    store = open_store(either, lock_wait=1)
    with store.read() as connection:
        before = connection.execute(select(notification.c.kind)).all()
        make_agent(store, "finance")
        assert connection.execute(select(notification.c.kind)).all() == before == []
    assert agents(store) == ["finance"]


def test_a_second_writer_waits_and_then_says_who_is_in_the_way(either: Settings) -> None:
    store = open_store(either, lock_wait=0.2)
    with (
        store.begin(),
        pytest.raises(StoreError, match=r"held the store .* too long; needed .* try again"),
        store.begin(),
    ):
        pass


def test_a_row_that_refers_to_nothing_is_refused_as_what_it_is(either: Settings) -> None:
    store = open_store(either)
    with pytest.raises(IntegrityError), store.begin() as connection:
        connection.execute(insert(pointer).values(id=1, snapshot_id="nowhere", moved_at=NOW))


def test_a_mistake_in_our_own_sql_is_not_blamed_on_the_store(either: Settings) -> None:
    store = open_store(either)
    with pytest.raises((OperationalError, ProgrammingError)), store.read() as connection:
        connection.execute(text("SELECT * FROM no_table_of_ours"))


def test_times_are_utc_and_one_without_a_zone_is_refused(either: Settings) -> None:
    store = open_store(either)
    row = {"snapshot_id": "s", "path": "p", "file_digest": "f", "run_id": "r", "checks": {}, "built_at": NOW}
    with store.begin() as connection:
        connection.execute(insert(snapshot).values(row))
        assert connection.execute(select(snapshot.c.built_at)).scalar_one() == NOW
    with pytest.raises(Exception, match="without a zone"), store.begin() as connection:
        connection.execute(update(snapshot).values(built_at=NOW.replace(tzinfo=None)))


def test_a_command_that_only_reads_makes_no_store(settings: Settings) -> None:
    with pytest.raises(StoreError, match=r"Nothing has run here yet: .* needed .* `precede run`"):
        open_store(settings, create=False)
    assert not settings.home.exists()


def test_a_command_that_only_reads_makes_no_tables_in_an_empty_database(either: Settings) -> None:
    file_of(either).parent.mkdir()
    file_of(either).touch()
    with pytest.raises(StoreError, match="Nothing has run here yet"):
        open_store(either, create=False)
    assert file_of(either).stat().st_size == 0


def test_the_file_is_its_owners_alone_and_keeps_a_write_ahead_log(settings: Settings) -> None:
    store = open_store(settings)
    assert stat.S_IMODE(file_of(settings).stat().st_mode) == 0o600
    with store.read() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar_one() == 2  # FULL: a commit survives a power cut


def test_eight_processes_may_open_a_store_that_does_not_exist_yet(either: Settings) -> None:
    race(either.home, 2)
    with open_store(either, create=False).read() as connection:
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar_one() == 1
        assert connection.execute(text("SELECT count(*) FROM ledger_entry")).scalar_one() == 2 * PROCESSES


def test_opening_a_store_that_is_there_does_not_pay_for_migrations(settings: Settings) -> None:
    open_store(settings).close()
    probe = (
        "import sys; from pathlib import Path; from orchestration.settings import Settings; "
        "from orchestration.store.engine import open_store; "
        f"open_store(Settings(home=Path({str(settings.home)!r}))); print('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_store_of_a_newer_precede_is_refused(either: Settings) -> None:
    with open_store(either).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=rf"version 9999, .* needed {migrate.HEAD} or an older one; use"):
        open_store(either)


def test_a_file_that_is_no_database_is_refused_and_left_alone(settings: Settings) -> None:
    file_of(settings).parent.mkdir()
    file_of(settings).write_text("minutes of the meeting\n" * 100)
    with pytest.raises(StoreError, match=r"is not a store: .* needed a database that Precede made; move the file away"):
        open_store(settings)
    assert file_of(settings).read_text().startswith("minutes")


def test_a_home_that_cannot_be_made_says_so(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match=r"could not be opened: .* needed a folder .* PRECEDE_HOME elsewhere"):
        open_store(settings)


def test_a_store_that_is_a_folder_says_so(settings: Settings) -> None:
    file_of(settings).mkdir(parents=True)
    with pytest.raises(StoreError, match="could not be opened"):
        open_store(settings)


def test_a_database_that_may_not_be_written_says_so(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(settings)
    store.close()
    monkeypatch.setenv("PRECEDE_STORE_URL", f"sqlite:///file:{file_of(settings)}?mode=ro&uri=true")
    with pytest.raises(StoreError, match=r"may not be written: .* needed leave to write"):
        make_agent(Store(store_url(settings.store_url)), "finance")


def test_a_full_disk_says_so(settings: Settings) -> None:
    store = open_store(settings)
    with store.read() as connection:  # the pool hands the same connection out again
        connection.execute(text("PRAGMA max_page_count=1"))
    with pytest.raises(StoreError, match="needed a disk with space"), store.begin() as connection:
        connection.execute(insert(notification).values(told("finance", "x" * 1_000_000)))


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql://nobody@127.0.0.1:1/precede", r"could not be reached: .* needed a database server that answers"),
        ("mysql://root@localhost/precede", "names mysql://root@localhost/precede; needed a SQLite file or a Postgres"),
        ("sqlite://", "needed a SQLite file or a Postgres"),
        ("/var/lib/precede.db", "is not a database URL; needed `sqlite:///path/to/file`"),
    ],
)
def test_an_address_that_leads_nowhere_says_so(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, url: str, sentence: str
) -> None:
    monkeypatch.setenv("PRECEDE_STORE_URL", url)
    with pytest.raises(StoreError, match=sentence):
        open_store(settings)


def test_a_database_that_the_server_does_not_have_says_so_without_the_password(
    settings: Settings, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres_url.replace("postgres:@/postgres?", "postgres:secret@/nothing_here?")
    monkeypatch.setenv("PRECEDE_STORE_URL", url)
    with pytest.raises(StoreError, match=r"server refused .*nothing_here.* correct PRECEDE_STORE_URL") as refusal:
        open_store(settings)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_postgres_url_is_taken_in_every_form_that_people_write(scheme: str) -> None:
    assert store_url(f"{scheme}://user@host/base").drivername == "postgresql+psycopg"


def test_a_writer_killed_halfway_leaves_no_trace(settings: Settings) -> None:
    open_store(settings).close()
    program = (
        "import os; from datetime import UTC, datetime; from pathlib import Path; from sqlalchemy import insert\n"
        "from orchestration.settings import Settings\n"
        "from orchestration.store.engine import open_store; from orchestration.store.tables import notification\n"
        f"with open_store(Settings(home=Path({str(settings.home)!r}))).begin() as connection:\n"
        "    made = datetime.now(UTC)\n"
        "    row = {'kind': 'finance', 'body': {}, 'created_at': made, 'next_at': made}\n"
        "    connection.execute(insert(notification).values(row)); os._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 9
    with sqlite3.connect(file_of(settings)) as connection:
        assert connection.execute("SELECT count(*) FROM notification").fetchall() == [(0,)]
    connection.close()
