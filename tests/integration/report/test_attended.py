"""What a report counts of a day on which people approved, rejected, edited, took back and stopped."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pytest

from orchestration.ledger.verify import verify
from orchestration.report.make import make
from orchestration.report.model import Report
from orchestration.report.page import page
from orchestration.report.period import Period
from orchestration.report.publish import publish
from tests.integration.report.attended import MORNING, OPERATOR, Attended

HOUR = timedelta(hours=1)


def at(hour: float) -> datetime:
    return MORNING + hour * HOUR


def reported(attended: Attended, since: float = 0, until: float = 12, **asked: Any) -> Report:
    world = attended.world
    return make(world.store, world.settings, Period(at(since), at(until), "UTC"), None, at(12), most=100, **asked)


def counted(report: Report) -> dict[str, float]:
    [finance] = report.agents
    return {name: number for name, number in finance.numbers.model_dump().items() if number}


@pytest.fixture(scope="module")
def audit(attended: Attended) -> duckdb.DuckDBPyConnection:
    assert publish(attended.world.store, attended.world.settings, now=at(12)) is not None
    return duckdb.connect(str(attended.world.settings.audit_link), read_only=True)


def test_the_day_is_one_that_the_ledger_proves(attended: Attended) -> None:
    assert verify(attended.world.store, None, attended.world.settings).problems == ()


def test_a_second_approval_after_a_void_is_a_second_wait(attended: Attended, audit: duckdb.DuckDBPyConnection) -> None:
    """Each wait ends with its own answer; the first of them was void before it was used."""
    names = {action: number for number, action in enumerate([*attended.actions, attended.edited], 1)}
    found = audit.execute(
        "SELECT action, state, person, seconds, voided_at, void_code, consumed_at FROM approval ORDER BY held_at"
    ).fetchall()
    waits: dict[int, list[tuple[Any, ...]]] = {}
    for action, *rest in found:
        waits.setdefault(names[action], []).append(tuple(rest))
    assert waits[1] == [
        ("approve", "Ada Okafor", 3600.0, at(2), "read_set_changed", None),
        ("approve", "Ben Hale", 3 * 3600.0, None, None, at(5)),
    ]
    used = ("approve", "Ada Okafor", 3600.0, None, None, at(2))
    assert (waits[2], waits[5]) == ([used], [used])
    assert waits[3] == [("reject", "Ada Okafor", 3600.0, None, None, None)]
    assert waits[4] == [("edit", "Ada Okafor", 3600.0, None, None, None)]
    assert waits[6] == [("over", None, 7200.0, None, None, None)]
    waiting = ("waiting", None, None, None, None, None)
    assert [waits[number] for number in (7, 8, 9, 10)] == [[waiting]] * 4
    answered = audit.execute("SELECT count(DISTINCT approval_id), count(approval_id) FROM approval").fetchall()
    assert answered == [(len(attended.world.rows("approval")),) * 2]


def test_what_people_did_is_counted(attended: Attended) -> None:
    found = reported(attended)
    assert counted(found) == {
        "wakes": 1,
        "shown": 9,
        "proposals": 10,
        "allowed": 3,
        "reviewed": 6,
        "denied": 1,
        "held": 10,
        "approved": 4,
        "edited": 1,
        "rejected": 1,
        "fell_away": 1,
        "voided": 1,
        "waiting": 4,
        "effects": 3,
        "done": 3,
        "confirmed": 1,
        "undone": 1,
        "tainted": 1,
        "incidents": 2,
        "stops": 1,
        "stopped_seconds": 3600.0,
    }
    [finance] = found.agents
    assert (finance.median_wait, finance.longest_wait) == (3600.0, 3 * 3600.0)


@pytest.mark.parametrize(
    ("since", "until", "said"),
    [
        (0, 1, {"held": 9, "waiting": 9}),
        (1, 2, {"approved": 3, "edited": 1, "rejected": 1, "waiting": 4}),
        (2, 3, {"held": 2, "fell_away": 1, "voided": 1, "effects": 2, "waiting": 5}),
        (5, 6, {"approved": 1, "waiting": 4, "effects": 1}),
        (6, 7, {"undone": 1, "waiting": 4}),
        (7, 8, {"incidents": 2, "waiting": 4}),
        (8.5, 12, {"stopped_seconds": 1800.0, "waiting": 4}),
    ],
)
def test_each_thing_counts_in_the_hour_in_which_it_happened(
    attended: Attended, since: float, until: float, said: dict[str, float]
) -> None:
    found = counted(reported(attended, since, until))
    for name in ("held", "approved", "edited", "rejected", "fell_away", "voided", "waiting", "effects", "undone"):
        assert found.get(name, 0) == said.get(name, 0), name
    for name in ("incidents", "stopped_seconds"):
        assert found.get(name, 0) == said.get(name, 0), name


def test_what_was_taken_back_is_undone_and_what_is_split_is_tainted(
    attended: Attended, audit: duckdb.DuckDBPyConnection
) -> None:
    sent, taken_back, split = (attended.actions[number] for number in (0, 1, 4))
    found = audit.execute("SELECT action, state, undo_state, undo_at, tainted FROM outcome").fetchall()
    assert sorted(found, key=str) == sorted(
        [
            (sent, "done", None, None, []),
            (taken_back, "done", "done", at(6), []),
            (split, "done", None, None, ["split"]),
        ],
        key=str,
    )
    assert audit.execute("SELECT action FROM action WHERE undone").fetchall() == [(taken_back,)]
    edited = audit.execute("SELECT action, edited_from FROM action WHERE edited_from IS NOT NULL").fetchall()
    assert edited == [(attended.edited, attended.actions[3])]


def test_incidents_name_their_action_where_there_is_one(attended: Attended) -> None:
    found = reported(attended)
    assert {(one.record_id[-1], one.how, one.action, one.agent, one.found_at) for one in found.incidents} == {
        ("1", "doubled", attended.actions[0], "finance", at(7)),
        ("2", "doubled", attended.actions[0], "finance", at(7)),
        ("3", "no_entry", None, None, at(7)),
    }
    assert found.total.incidents == 3
    assert len(reported(attended, agent="finance").incidents) == 3
    cut = make(
        attended.world.store,
        attended.world.settings,
        Period(at(0), at(12), "UTC"),
        None,
        at(12),
        most=1,
    )
    assert (len(cut.incidents), cut.total.incidents) == (1, 3)


def test_stops_of_all_and_of_an_action_type_are_told_with_their_proof(attended: Attended) -> None:
    found = reported(attended)
    [first, second] = found.stops
    assert (first.scope, first.stopped_at, first.started_at, first.person) == ("all", at(8), at(9), OPERATOR)
    [proof] = [row["proof"] for row in attended.world.rows("stop") if row["scope"] == "all"]
    assert (first.proven, first.looked_at) == (True, at(8))
    assert first.stood_still_after == proof["milliseconds"] / 1000
    assert (second.scope, second.name, second.started_at) == ("action_type", "send_payment_reminder", None)
    assert (second.proven, second.looked_at, second.stood_still_after) == (None, None, None)
    assert found.total.stops == 2


def test_the_page_says_all_of_it(attended: Attended) -> None:
    said = page(reported(attended))
    for text in (
        "its entity was since split",
        "done, undone",
        "another row has the same key",
        "no entry of the ledger has its key",
        ", at 2026-10-05 14:00",
        "actions of type send payment reminder",
        "nobody looked",
        "4 approved, 1 edited, 1 rejected, 1 fell away, 1 voided, 4 in review",
        "an answer took 1.0 h (median), 3.0 h at most",
    ):
        assert text in said, text


def test_an_action_in_the_list_says_what_people_said_of_it(attended: Attended) -> None:
    said = {one.action: one.answer for one in reported(attended).actions}
    assert [said[action] for action in (*attended.actions, attended.edited)] == [
        *("approve", "approve", "reject", "edit", "approve", "over"),
        *("waiting",) * 4,
    ]
    then = {one.action: one.answer for one in reported(attended, 0, 1).actions}
    assert set(then.values()) == {"waiting"}
    later = {one.action for one in reported(attended, 1, 2).actions}  # an hour in which nothing is decided
    assert later == {*attended.actions[:5], attended.edited}


def test_no_note_of_a_person_is_in_the_tables(attended: Attended, audit: duckdb.DuckDBPyConnection) -> None:
    del audit
    written = attended.world.settings.audit_link.read_bytes()
    notes = (b"They pay on the fifth.", b"Be firm.", b"It was paid by cheque.", b"An audit.", b"@debtor.example")
    assert [note for note in notes if note in written] == []
    with closing(duckdb.connect(str(attended.world.settings.audit_link), read_only=True)) as tables:
        assert tables.execute("SELECT count(*) FROM incident").fetchall() == [(3,)]
