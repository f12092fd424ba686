"""Telling people: what a program of theirs is handed, when it is tried again, and what it never sees."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from orchestration.errors import ConfigurationError
from orchestration.settings import Settings
from orchestration.store.engine import Store, open_store
from orchestration.store.tables import notification
from orchestration.work import notify as notifying
from orchestration.work.notify import notify, send, wait_after

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
Hook = Callable[[str], Path]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.delenv("PRECEDE_STORE_URL", raising=False)
    monkeypatch.delenv("PRECEDE_NOTIFY", raising=False)
    opened = open_store(Settings(home=tmp_path / "home"))
    yield opened
    opened.close()


@pytest.fixture
def hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hook:
    """Make a program of those lines of Python the hook; the file whose path it is given as its argument."""

    def make(lines: str) -> Path:
        told, program = tmp_path / "told here", tmp_path / "hook.py"
        program.write_text(f"import json, os, sys, time\n{lines}\n", encoding="utf-8")
        monkeypatch.setenv("PRECEDE_NOTIFY", shlex.join([sys.executable, str(program), str(told)]))
        return told

    return make


KEEP = "open(sys.argv[1], 'a').write(sys.stdin.read() + '\\n')"


def queue(store: Store, *kinds: str, at: datetime = NOW) -> None:
    for kind in kinds:
        with store.begin() as connection:
            notify(connection, kind, {"agent": "finance", "since": at, "halted": 2}, at)


def rows(store: Store) -> list[dict[str, Any]]:
    with store.read() as connection:
        found = connection.execute(select(notification).order_by(notification.c.notification_id)).mappings()
        return [dict(row) for row in found]


def told(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_each_is_handed_over_once_in_order_as_json(store: Store, hook: Hook) -> None:
    file = hook(KEEP)
    queue(store, "stop", "start")
    assert send(store, Settings(), NOW) == notifying.Sending(2, 0)
    assert send(store, Settings(), NOW + timedelta(days=1)) == notifying.Sending(0, 0)
    at = "2026-11-02T09:00:00Z"
    said = {"at": at, "agent": "finance", "since": at, "halted": 2}
    assert told(file) == [{"id": 1, "kind": "stop", **said}, {"id": 2, "kind": "start", **said}]
    assert [row["sent_at"] for row in rows(store)] == [NOW, NOW]


def test_what_is_rolled_back_is_never_told(store: Store, hook: Hook) -> None:
    file = hook(KEEP)
    with pytest.raises(ZeroDivisionError), store.begin() as connection:
        notify(connection, "stop", {"number": 1 // (notify(connection, "start", {}, NOW) - 1)}, NOW)
    assert send(store, Settings(), NOW) == notifying.Sending(0, 0)
    assert not file.exists()


def test_without_a_program_it_is_kept(store: Store) -> None:
    queue(store, "stop")
    assert send(store, Settings(), NOW) == notifying.Sending(0, 1)
    assert [(row["attempts"], row["sent_at"]) for row in rows(store)] == [(0, None)]


def test_what_fails_is_tried_again_later_and_keeps_nothing_else_back_for_ever(store: Store, hook: Hook) -> None:
    hook("sys.exit('the pager is down' if 'stop' in sys.stdin.read() else 0)")
    queue(store, "stop", "start")
    failed = send(store, Settings(), NOW)
    assert (failed.sent, failed.unsent) == (0, 2)
    assert failed.error.endswith("ended with 1: the pager is down")
    assert send(store, Settings(), NOW) == notifying.Sending(1, 1)  # the other, since the first is put off
    assert [(row["attempts"], row["error"] != "") for row in rows(store)] == [(1, True), (1, False)]
    file = hook(KEEP)
    assert send(store, Settings(), NOW + timedelta(seconds=29)).sent == 0
    assert send(store, Settings(), NOW + timedelta(seconds=30)) == notifying.Sending(1, 0)
    assert [one["kind"] for one in told(file)] == ["stop"]


def test_waits_grow_to_an_hour() -> None:
    assert [wait_after(each).total_seconds() for each in (1, 2, 3, 8, 99)] == [30, 60, 120, 3600, 3600]


def test_a_program_that_hangs_is_ended_with_its_children(
    store: Store, hook: Hook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifying, "TIMEOUT", 1.5)
    child = f"open({str(tmp_path / 'child')!r}, 'w').write(str(os.fork() or os.getpid()))"
    hook(f"{child}\ntime.sleep(60)")
    queue(store, "stop")
    assert "took longer than 1.5 seconds" in send(store, Settings(), NOW).error
    assert not Path(f"/proc/{(tmp_path / 'child').read_text()}/cwd").exists()


def test_a_sender_that_dies_leaves_it_to_the_next(store: Store, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    file = hook(KEEP)
    queue(store, "stop")
    with monkeypatch.context() as broken:
        broken.setattr(notifying, "_tell", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            send(store, Settings(), NOW)
    assert send(store, Settings(), NOW).sent == 0
    assert send(store, Settings(), NOW + timedelta(minutes=1)).sent == 1
    assert len(told(file)) == 1


def test_the_program_sees_no_secret_of_ours(store: Store, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PRECEDE_TOKEN", "PRECEDE_STORE_URL", "NORTHGATE_ERP_TOKEN"):
        monkeypatch.setenv(name, f"secret of {name}")
    file = hook("open(sys.argv[1], 'w').write(json.dumps(dict(os.environ)) + '\\n')")
    queue(store, "stop")
    assert send(store, Settings(home=store_home(store)), NOW).sent == 1
    [seen] = told(file)
    assert not [name for name, value in seen.items() if name.startswith("PRECEDE") or "secret" in value]


def store_home(store: Store) -> Path:
    return Path(str(store.url.database)).parent


@pytest.mark.parametrize(
    ("command", "found"), [("/no/such/program", "could not be started"), ("/etc/hostname", "could not be started")]
)
def test_a_program_that_cannot_be_started_is_told(
    store: Store, monkeypatch: pytest.MonkeyPatch, command: str, found: str
) -> None:
    monkeypatch.setenv("PRECEDE_NOTIFY", command)
    queue(store, "stop")
    assert found in send(store, Settings(), NOW).error
    assert rows(store)[0]["error"].startswith(command)


def test_nothing_is_run_through_a_shell(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRECEDE_NOTIFY", f"echo hello; touch {tmp_path / 'planted'}")
    queue(store, "$(touch planted)")
    assert send(store, Settings(), NOW).sent == 1
    assert not (tmp_path / "planted").exists()
    monkeypatch.setenv("PRECEDE_NOTIFY", "'no end")
    with pytest.raises(ConfigurationError, match="a program and its arguments"):
        send(store, Settings(), NOW)
