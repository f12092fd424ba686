"""Other processes read what the store's rows say, and nothing is found otherwise by that."""

from __future__ import annotations

import json
from multiprocessing import Pipe
from threading import Thread

import pytest
from sqlalchemy import Connection, select, text, update

from orchestration.ledger import agreement, aside, committed, kept
from orchestration.ledger.subjects import EVIDENCE, Subject, Told
from orchestration.ledger.verify import record_of, verify
from orchestration.store import tables
from orchestration.store.engine import Store


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every ledger is large, there are three processors, and each action's evidence is a part of its own."""
    monkeypatch.setattr(aside, "MANY", 1)
    monkeypatch.setattr(aside, "STRETCH", 1)
    monkeypatch.setattr(aside, "cores", lambda: 3)


@pytest.mark.usefixtures("large")
def test_three_processes_find_what_one_finds(told: Store) -> None:
    assert verify(told, None).ok
    with told.begin() as connection:
        connection.execute(text("UPDATE decision SET policy_digest = 'another'"))
        connection.execute(text("UPDATE evidence SET kept_at = '2020-01-01 00:00:00.000000'"))
        alone = record_of(connection)
    assert {"decision", "evidence"} <= set(" ".join(alone.problems).split())
    assert verify(told, None) == alone


@pytest.mark.usefixtures("large")
def test_another_process_reads_all_that_this_one_leaves_to_it(told: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aside.Aside, "_last", lambda _: None)
    monkeypatch.setattr(aside, "read", _not_here)
    assert verify(told, None).ok


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("program", ["/bin/false", "/no/such/program"])
def test_this_process_reads_all_where_no_other_one_can(
    told: Store, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    monkeypatch.setattr("sys.executable", program)
    assert verify(told, None).ok


def test_every_part_is_read_once(told: Store) -> None:
    with told.read() as connection:
        said = dict(agreement.told_by_store(connection, {}))
        for size in (1, 2, 1000):
            read = [aside.read(connection, part) for part in aside.parts(connection, size)]
            subjects = [
                (Subject(part, key), each)
                for found, *_ in read
                for part, held in found.items()
                for key, each in held.items()
            ]
            assert len(subjects) == len(said)
            assert dict(subjects) == said


def test_the_pins_of_performed_effects_are_known_once_all_is_read(told: Store) -> None:
    evidence, outbox = tables.evidence, tables.outbox
    with told.begin() as connection:
        for (action,) in connection.execute(select(evidence.c.action)).all():
            pin = [{"of": action}]
            connection.execute(update(evidence).where(evidence.c.action == action).values(materialisations=pin))
        performed = select(evidence.c.materialisations).where(evidence.c.action.in_(select(outbox.c.action)))
        pins = list(connection.execute(performed).scalars())
        assert 0 < len(pins) < len(list(connection.execute(select(evidence.c.action))))
        reading = aside.Aside(connection)
        reading.read()
    assert sorted(map(str, map(json.loads, reading.pins))) == sorted(map(str, pins))


def test_what_is_read_of_another_state_counts_for_nothing(told: Store) -> None:
    with told.read() as connection:
        here = aside.head(connection)
    part: aside.Part = (EVIDENCE, (None, None))
    found = _served(told, here, part)
    assert found is not None
    assert found[0][EVIDENCE]
    for other in ((here[0], "0" * 64, here[2]), (*here[:2], 0), (0, "", 0)):
        assert _served(told, other, part) is None


def test_evidence_of_earlier_versions_is_read_as_they_told_it(told: Store) -> None:
    with told.read() as connection:
        rows = [dict(row) for row in connection.execute(tables.evidence.select()).mappings()]
        assert rows
        ledger = {
            Subject(EVIDENCE, row["action"]): Told(committed.of_evidence(row), (1, "decision", "then")) for row in rows
        }
        read = {Subject(EVIDENCE, action): said for action, said in kept.whole(connection).items()}
        assert len(list(agreement.differences(ledger, read))) == len(rows)
        said = {subject: said for subject, said in agreement.told_by_store(connection, ledger) if subject in ledger}
        assert not list(agreement.differences(ledger, said))


def _served(store: Store, expected: aside.Head, part: aside.Part) -> aside.Read | None:
    """What another process answers, which expects the ledger to end so; none where it hangs up."""
    ours, theirs = Pipe()
    other = Thread(target=aside.serve, args=(theirs,))
    other.start()
    ours.send((store.url, expected))
    try:
        ours.send(part)
        if not other.is_alive():
            return None
        found: aside.Read | None = ours.recv() if ours.poll(5) else None
    except (EOFError, OSError):
        found = None
    ours.close()
    other.join()
    return found


def _not_here(_connection: Connection, _part: aside.Part) -> aside.Read:
    raise AssertionError("the first process read it too")
