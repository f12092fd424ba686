"""A graph becomes current in one transaction or not at all, and nobody who reads the last one notices."""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Event
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import func, select, update

from orchestration.errors import NoGraph, PublicationRefused
from orchestration.graph.checks import CheckResult, check_graph
from orchestration.graph.current import current_snapshot, open_as_of, open_current, watermarks
from orchestration.graph.digests import file_digest
from orchestration.graph.expire import expire
from orchestration.graph.inputs import Candidate, CandidateInputs
from orchestration.graph.promote import promote
from orchestration.graph.publish import build_candidate, graph_path
from orchestration.graph.reader import EntityGraph
from orchestration.ledger.verify import verify
from orchestration.settings import Settings
from orchestration.store.engine import Store
from orchestration.store.tables import batch, ledger_entry, pointer, snapshot
from tests.graph_fixture import LandedTable, publish_graph
from tests.integration.graph.folders import READ_AT, after, world

PASSED = [CheckResult("a_check", passed=True, found="none", needed="none")]
FAILED = [*PASSED, CheckResult("another_check", passed=False, found="3 that offend", needed="none that does")]
NOW = datetime(2026, 11, 2, 6, tzinfo=UTC)


def published(store: Store, settings: Settings, inputs: CandidateInputs, *, now: datetime = NOW) -> Candidate:
    candidate = build_candidate(inputs, settings)
    promote(store, settings, candidate, PASSED, inputs.landed, run_id="run-1", now=now)
    return replace(candidate, path=graph_path(settings, candidate.snapshot_id))


def read_at(inputs: CandidateInputs, at: datetime) -> list[LandedTable]:
    return [LandedTable(one.system, one.table, one.path, one.data_version, one.row_count, at) for one in inputs.landed]


def test_before_anything_is_published_there_is_no_graph(store: Store, settings: Settings) -> None:
    with pytest.raises(NoGraph, match="precede run"):
        open_current(store, settings)


def test_a_promoted_candidate_is_the_current_graph_and_says_that_its_checks_passed(
    store: Store, settings: Settings
) -> None:
    candidate = published(store, settings, world(settings.home))
    with open_current(store, settings) as graph:
        assert graph.snapshot_id == candidate.snapshot_id
        assert graph.snapshot.checks == {"a_check": "passed"}
        assert graph.path == candidate.path
    assert settings.graph_link.samefile(candidate.path)
    assert sorted(path.name for path in settings.snapshots.iterdir()) == [candidate.path.name]
    with store.read() as connection:
        row = connection.execute(select(snapshot)).mappings().one()
        entry = connection.execute(select(ledger_entry)).mappings().one()
    assert (row["run_id"], row["published_at"], row["checks"]) == ("run-1", NOW, {"a_check": "passed"})
    assert json.loads(entry["body"])["snapshot"] == candidate.snapshot_id


@pytest.mark.parametrize(
    ("checks", "says"), [(FAILED, "another_check: found 3 that offend"), ([], "no blocking check")]
)
def test_nothing_is_published_when_a_check_failed_or_none_was_made(
    store: Store, settings: Settings, checks: list[CheckResult], says: str
) -> None:
    first = published(store, settings, world(settings.home))
    inputs = world(settings.home, "v2", previous=first.path)
    candidate = build_candidate(inputs, settings)
    later = read_at(inputs, READ_AT + timedelta(hours=1))
    with pytest.raises(PublicationRefused, match=says):
        promote(store, settings, candidate, checks, later, run_id="run-2")
    with open_current(store, settings) as graph:
        assert graph.snapshot_id == first.snapshot_id
    assert settings.graph_link.samefile(first.path)
    with store.read() as connection:
        # a read whose content was not published keeps the graph as old as it is
        assert {mark.read_at for mark in watermarks(connection).values()} == {READ_AT}


def test_a_quiet_source_does_not_look_stale(store: Store, settings: Settings) -> None:
    inputs = world(settings.home)
    first = published(store, settings, inputs)
    candidate = build_candidate(after(inputs, first.path), settings)
    later = READ_AT + timedelta(hours=1)
    assert not promote(store, settings, candidate, PASSED, read_at(inputs, later), run_id="run-2")
    with store.read() as connection:
        assert {mark.read_at for mark in watermarks(connection).values()} == {later}
        assert connection.execute(select(func.count()).select_from(ledger_entry)).scalar_one() == 1


def test_a_watermark_never_moves_backwards(store: Store, settings: Settings) -> None:
    inputs = world(settings.home)
    first = published(store, settings, inputs)
    earlier = read_at(inputs, READ_AT - timedelta(hours=1))
    candidate = build_candidate(after(inputs, first.path), settings)
    promote(store, settings, candidate, PASSED, earlier, run_id="run-2")
    with store.read() as connection:
        assert {mark.read_at for mark in watermarks(connection).values()} == {READ_AT}


def test_tables_that_are_read_no_more_have_no_watermark(store: Store, settings: Settings) -> None:
    first = published(store, settings, world(settings.home))
    inputs = world(settings.home, "v2", previous=first.path)
    published(store, settings, replace(inputs, landed=[one for one in inputs.landed if one.table != "ticket"]))
    with store.read() as connection:
        assert ("support", "ticket") not in watermarks(connection)
        assert ("crm", "company") in watermarks(connection)


def test_a_graph_that_goes_on_from_another_than_the_current_one_is_refused(store: Store, settings: Settings) -> None:
    first = published(store, settings, world(settings.home, "v1"))
    mine = world(settings.home, "v2", previous=first.path)
    candidate = build_candidate(mine, settings)
    second = published(store, settings, world(settings.home, "v3", previous=first.path))
    with pytest.raises(PublicationRefused, match="run again"):
        promote(store, settings, candidate, PASSED, mine.landed, run_id="run-2")
    with open_current(store, settings) as graph:
        assert graph.snapshot_id == second.snapshot_id


def test_a_home_whose_graph_was_lost_gets_another_one(store: Store, settings: Settings) -> None:
    first = published(store, settings, world(settings.home, "v1"))
    second = published(store, settings, world(settings.home, "v2", previous=first.path))
    second.path.unlink()
    with pytest.raises(NoGraph):
        open_current(store, settings)
    new = published(store, settings, world(settings.home, "v2"))
    with open_current(store, settings) as graph:
        assert graph.snapshot_id == new.snapshot_id not in {first.snapshot_id, second.snapshot_id}
    new.path.unlink()
    assert published(store, settings, world(settings.home, "v1")).snapshot_id == first.snapshot_id
    with open_current(store, settings) as graph:
        assert graph.snapshot_id == first.snapshot_id


def test_a_lost_graph_that_is_built_anew_is_known_by_its_new_file(store: Store, settings: Settings) -> None:
    first = published(store, settings, world(settings.home), now=NOW)
    first.path.unlink()
    again = published(store, settings, world(settings.home), now=NOW + timedelta(hours=1))
    assert again.snapshot_id == first.snapshot_id
    with store.read() as connection:
        assert connection.execute(select(snapshot.c.file_digest)).scalar_one() == file_digest(again.path)
    assert verify(store, None, settings).problems == ()


def test_nothing_is_built_upon_a_graph_whose_file_was_changed(store: Store, settings: Settings) -> None:
    first = published(store, settings, world(settings.home, "v1"))
    first.path.chmod(0o640)
    with duckdb.connect(str(first.path)) as connection:
        connection.execute("UPDATE snapshot SET code_version = 'another'")
        connection.execute("CHECKPOINT")
    for inputs in (world(settings.home, "v1"), world(settings.home, "v2", previous=first.path)):
        with pytest.raises(PublicationRefused, match="is not the file that was published"):
            published(store, settings, inputs)
    assert "is not the file that was published" in verify(store, None, settings).problems[0]
    first.path.unlink()
    published(store, settings, world(settings.home, "v2"))
    assert verify(store, None, settings).problems == ()


def test_a_crash_between_the_file_and_the_pointer_is_finished_by_the_next_run(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = world(settings.home)
    candidate = build_candidate(inputs, settings)
    with monkeypatch.context() as patched:
        patched.setattr("orchestration.graph.promote.snapshot_published", _die)
        with pytest.raises(KeyboardInterrupt):
            promote(store, settings, candidate, PASSED, inputs.landed, run_id="run-1")
    with store.read() as connection:
        assert connection.execute(select(func.count()).select_from(pointer)).scalar_one() == 0
    again = published(store, settings, inputs)
    assert not again.built
    with open_current(store, settings) as graph:
        assert graph.snapshot_id == candidate.snapshot_id


def _die(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_published_graph_cannot_be_written_by_mistake(store: Store, settings: Settings) -> None:
    candidate = published(store, settings, world(settings.home))
    assert candidate.path.stat().st_mode & 0o777 == 0o440


def test_where_there_are_no_hard_links_analysts_find_a_copy(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "hardlink_to", _no_links)
    candidate = published(store, settings, world(settings.home))
    assert settings.graph_link.read_bytes() == candidate.path.read_bytes()


def _no_links(*_: object) -> None:
    raise OSError("the file system has no hard links")


def _hold(path: str, opened: Event, release: Event, answer: str) -> None:
    """An analyst's process: opens the graph, keeps it open, and reads it once more before it goes."""
    with duckdb.connect(path, read_only=True) as connection:
        before = connection.execute("SELECT snapshot_id FROM snapshot").fetchall()
        opened.set()
        release.wait(60)
        after_release = connection.execute("SELECT snapshot_id, (SELECT count(*) FROM find('acme')) FROM snapshot")
        Path(answer).write_text(json.dumps([before, after_release.fetchall()]))


def test_an_analyst_who_holds_the_graph_open_neither_waits_nor_makes_a_run_wait(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    first = published(store, settings, world(settings.home, "v1"))
    context = multiprocessing.get_context("spawn")
    opened, release, answer = context.Event(), context.Event(), tmp_path / "answer.json"
    analyst = context.Process(target=_hold, args=(str(settings.graph_link), opened, release, str(answer)))
    analyst.start()
    assert opened.wait(60)
    second = published(store, settings, world(settings.home, "v2", previous=first.path))
    assert analyst.is_alive()
    seen_by_a_newcomer = subprocess.run(
        [
            sys.executable,
            "-c",
            (
                "import duckdb, sys; c = duckdb.connect(sys.argv[1], read_only=True); "
                "print(c.execute('SELECT snapshot_id FROM snapshot').fetchall()[0][0])"
            ),
            str(settings.graph_link),
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    assert seen_by_a_newcomer == second.snapshot_id
    release.set()
    analyst.join(60)
    assert analyst.exitcode == 0
    before, after_release = json.loads(answer.read_text())
    assert before == [[first.snapshot_id]]
    assert after_release == [[first.snapshot_id, 1]]


def test_old_graphs_expire_but_not_the_current_one_nor_what_a_batch_waits_on(store: Store, settings: Settings) -> None:
    made: list[Candidate] = []
    for number in range(5):
        previous = made[-1].path if made else None
        inputs = world(settings.home, f"v{number}", previous=previous)
        made.append(published(store, settings, inputs, now=NOW + timedelta(hours=number)))
    with store.begin() as connection:
        connection.execute(
            batch.insert().values(
                batch_id="b1",
                agent="finance",
                snapshot_id=made[1].snapshot_id,
                business_date=NOW.date(),
                created_at=NOW,
                state="waiting",
                row_count=1,
            )
        )
    year_on = datetime.now(UTC) + timedelta(days=365)
    expired = expire(store, settings, keep=2, now=year_on)
    assert sorted(expired) == sorted([made[0].snapshot_id, made[2].snapshot_id])
    assert {path.name for path in settings.snapshots.iterdir()} == {made[i].path.name for i in (1, 3, 4)}
    with store.begin() as connection:
        connection.execute(update(batch).values(state="closed"))
    assert expire(store, settings, keep=1, now=year_on) == [made[3].snapshot_id, made[1].snapshot_id]
    with open_current(store, settings) as graph:
        assert graph.snapshot_id == made[4].snapshot_id


def test_of_each_hour_of_a_day_the_last_graph_is_kept_however_many_there_were(store: Store, settings: Settings) -> None:
    made: list[Candidate] = []
    for number in range(8):
        inputs = world(settings.home, f"v{number}", previous=made[-1].path if made else None)
        made.append(published(store, settings, inputs, now=NOW + timedelta(minutes=20 * number)))
    expire(store, settings, keep=1, hours=2, now=NOW + timedelta(minutes=140))
    hours = {(20 * number) // 60: made[number].path for number in range(8) if 20 * number >= 20}
    assert set(settings.snapshots.iterdir()) == set(hours.values())
    expire(store, settings, keep=1, hours=2, now=NOW + timedelta(days=1))
    assert list(settings.snapshots.iterdir()) == [made[-1].path]


def test_a_graph_that_expired_once_is_not_removed_again(store: Store, settings: Settings) -> None:
    first = published(store, settings, world(settings.home, "v1"))
    published(store, settings, world(settings.home, "v2", previous=first.path), now=NOW + timedelta(hours=1))
    kept = first.path.read_bytes()
    assert expire(store, settings, keep=1, hours=1, now=NOW + timedelta(days=1)) == [first.snapshot_id]
    first.path.write_bytes(kept)  # put back to be looked at
    assert expire(store, settings, keep=1, hours=1, now=NOW + timedelta(days=1)) == []
    assert first.path.exists()


def test_whoever_holds_an_expired_graph_open_keeps_reading_it(store: Store, settings: Settings) -> None:
    first = published(store, settings, world(settings.home, "v1"))
    with EntityGraph(first.path) as graph:
        published(store, settings, world(settings.home, "v2", previous=first.path), now=NOW + timedelta(hours=1))
        assert expire(store, settings, keep=1, hours=1, now=NOW + timedelta(days=1)) == [first.snapshot_id]
        assert not first.path.exists()
        assert graph.entity("org_acme") is not None


def test_an_entity_is_found_as_an_earlier_graph_has_it(store: Store, settings: Settings) -> None:
    first = published(store, settings, world(settings.home, "v1"))
    second = published(
        store, settings, world(settings.home, "v2", previous=first.path, events="split"), now=NOW + timedelta(hours=1)
    )
    asked = {
        first.snapshot_id: first.snapshot_id,
        second.snapshot_id: second.snapshot_id,
        (NOW + timedelta(minutes=59)).isoformat(): first.snapshot_id,
        "2026-11-30T00:00": second.snapshot_id,
    }
    for name, meant in asked.items():
        with open_as_of(store, settings, name) as graph:
            assert graph.snapshot_id == meant
    expire(store, settings, keep=1, hours=1, now=NOW + timedelta(days=2))
    with pytest.raises(NoGraph, match=rf"{first.snapshot_id} has expired; needed .*{second.snapshot_id} of"):
        open_as_of(store, settings, NOW.isoformat())
    with pytest.raises(NoGraph, match="no snapshot that was published"):
        open_as_of(store, settings, "snap_never")
    with open_as_of(store, settings, second.snapshot_id) as graph:
        assert [row["event"] for row in graph.events("org_acme")] == ["created", "split"]


def test_what_a_crash_or_a_refusal_left_goes(store: Store, settings: Settings) -> None:
    first = published(store, settings, world(settings.home, "v1"))
    refused = [build_candidate(world(settings.home, f"v{n}", previous=first.path), settings) for n in range(2, 6)]
    (settings.snapshots / "snap_x.1.tmp").write_bytes(b"half")
    expire(store, settings, now=datetime.now(UTC))
    assert {path.name for path in settings.snapshots.iterdir()} == {
        first.path.name, "snap_x.1.tmp", refused[2].path.name, refused[3].path.name,
    }  # fmt: skip
    expire(store, settings, now=datetime.now(UTC) + timedelta(days=2))
    assert not (settings.snapshots / "snap_x.1.tmp").exists()


def test_a_graph_written_by_hand_is_published_the_same_way(store: Store, settings: Settings) -> None:
    with publish_graph(store, settings) as graph:
        assert all(result.passed for result in check_graph(graph))
    with publish_graph(store, settings, "UPDATE invoice SET amount_open = 0", snapshot_id="snap_next") as graph:
        assert isinstance(graph, EntityGraph)
        assert {fact["amount_open"] for fact in graph.facts("invoice", "org_acme")} == {0}
    with store.read() as connection:
        assert current_snapshot(connection) == "snap_next"
