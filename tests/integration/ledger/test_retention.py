"""Evidence goes after its time, and verification honours that it went by leave and in no other way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text, update

from orchestration.ledger import entries, kinds, pins, retention
from orchestration.ledger.chain import said
from orchestration.ledger.retention import expire_evidence, over
from orchestration.ledger.trace import trace
from orchestration.ledger.verify import verify
from orchestration.store import tables
from orchestration.store.engine import Store
from tests.integration.ledger import recording, story
from tests.integration.ledger.story import DENIED, DONE, NOW

LATER = NOW + timedelta(days=31)


@pytest.fixture
def over_and_done(told: Store) -> Store:
    """The story, with its batch answered, decided and closed as the product closes one."""
    with told.begin() as connection:
        story.answer(connection, DONE)
    story.decline(told, "batch_1_2", "paid meanwhile")
    with told.begin() as connection:
        covered = entries.range_of(connection, [story.BATCH])
        assert covered is not None
        connection.execute(update(tables.batch).values(state="closed", effects_pin=story.GRAPH_PIN.model_dump()))
        entries.batch_closed(connection, [story.BATCH], story.GRAPH_PIN, covered, at=NOW)
    assert verify(told, None).problems == ()
    return told


def kept(store: Store) -> set[str]:
    with store.read() as connection:
        return set(connection.execute(select(tables.evidence.c.action)).scalars())


def last_bodies(store: Store, count: int) -> list[dict[str, Any]]:
    query = select(tables.ledger_entry.c.body).order_by(tables.ledger_entry.c.seq.desc()).limit(count)
    with store.read() as connection:
        return [said(body) for body in connection.execute(query).scalars()]


def test_evidence_is_removed_after_its_time_and_verification_honours_it(over_and_done: Store) -> None:
    assert expire_evidence(over_and_done, 31, LATER) == 0, "its time is not over yet"
    assert expire_evidence(over_and_done, 30, LATER) == 2
    assert kept(over_and_done) == set()
    assert verify(over_and_done, None).problems == ()
    assert {(body["kind"], body["action"]) for body in last_bodies(over_and_done, 2)} == {
        (kinds.EVIDENCE_EXPIRED, DONE),
        (kinds.EVIDENCE_EXPIRED, DENIED),
    }
    assert expire_evidence(over_and_done, 30, LATER) == 0


def test_the_walk_says_when_evidence_was_removed(over_and_done: Store) -> None:
    assert trace(over_and_done, DONE).evidence_removed_at is None
    expire_evidence(over_and_done, 30, LATER)
    found = trace(over_and_done, DONE)
    assert (found.evidence_removed_at, found.source_rows, found.problems) == (LATER, (), ())


def test_evidence_that_goes_without_an_entry_is_told(over_and_done: Store) -> None:
    with over_and_done.begin() as connection:
        connection.execute(delete(tables.evidence).where(tables.evidence.c.action == DONE))
    [problem] = verify(over_and_done, None).problems
    assert f"The store no longer holds the evidence of action {DONE}" in problem


def test_evidence_that_was_edited_before_it_was_removed_is_told(over_and_done: Store) -> None:
    with over_and_done.begin() as connection:
        connection.execute(update(tables.evidence).where(tables.evidence.c.action == DONE).values(source_rows=[]))
    expire_evidence(over_and_done, 30, LATER)
    [problem] = verify(over_and_done, None).problems
    assert f"tells the evidence of action {DONE} otherwise than entry 3 (decision of" in problem


def test_evidence_that_comes_back_is_told(over_and_done: Store) -> None:
    with over_and_done.read() as connection:
        row = dict(connection.execute(select(tables.evidence)).mappings().first() or {})
    expire_evidence(over_and_done, 30, LATER)
    with over_and_done.begin() as connection:
        connection.execute(insert(tables.evidence).values(row))
    [problem] = verify(over_and_done, None).problems
    assert problem.startswith(f"The store holds the evidence of action {row['action']}, which entry ")
    assert problem.endswith("recorded as removed.")


@pytest.mark.parametrize("state", ["pending", "sending", "unknown"])
def test_an_effect_that_is_not_settled_keeps_its_evidence(over_and_done: Store, state: str) -> None:
    with over_and_done.begin() as connection:
        connection.execute(update(tables.outbox).values(state=state))
    assert expire_evidence(over_and_done, 30, LATER) == 1
    assert kept(over_and_done) == {DONE}


def test_a_batch_that_is_not_closed_keeps_its_evidence(told: Store) -> None:
    with told.read() as connection:
        assert not over(connection, 30, LATER)
    assert expire_evidence(told, 30, LATER) == 0


def test_a_run_that_was_killed_is_finished_by_the_next(over_and_done: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 1)
    recorded = entries.evidence_expired

    def killed(connection: Any, action: str, **at: Any) -> int:
        if action == DENIED:
            raise KeyboardInterrupt
        return recorded(connection, action, **at)

    with monkeypatch.context() as patch:
        patch.setattr(entries, "evidence_expired", killed)
        with pytest.raises(KeyboardInterrupt):
            expire_evidence(over_and_done, 30, LATER)
    assert len(kept(over_and_done)) == 1
    assert verify(over_and_done, None).problems == ()
    with over_and_done.read() as connection:
        assert over(connection, 30, LATER)
    assert expire_evidence(over_and_done, 30, LATER) == 1
    assert verify(over_and_done, None).problems == ()


def pins_kept(store: Store) -> set[str]:
    with store.read() as connection:
        return set(connection.execute(select(tables.pin_set.c.digest)).scalars())


def test_pins_stay_for_as_long_as_evidence_names_them(over_and_done: Store) -> None:
    [held] = pins_kept(over_and_done)
    with over_and_done.begin() as connection:
        pins.keep(connection, [])
    assert len(pins_kept(over_and_done)) == 2
    assert pins.forget(over_and_done) == 1
    assert pins_kept(over_and_done) == {held}
    assert expire_evidence(over_and_done, 30, LATER) == 2
    assert pins_kept(over_and_done) == set()
    assert verify(over_and_done, None).problems == ()


@pytest.mark.parametrize("few", [0, 1_000])
def test_of_the_pins_that_are_asked_for_those_are_told_that_are_kept_as_they_are_called(
    over_and_done: Store, monkeypatch: Any, few: int
) -> None:
    monkeypatch.setattr(pins, "_FEW", few)
    [held] = pins_kept(over_and_done)
    with over_and_done.begin() as connection:
        pins.keep(connection, [])
        connection.execute(insert(tables.pin_set).values(digest="f" * 64, pins=[]))
        asked = {f'"{name}"'.encode() for name in (held, "f" * 64, "gone", "ä")}
        assert pins.sound(connection, asked) == {f'"{held}"'.encode()}


def test_pins_are_not_removed_where_a_decision_came_meanwhile(over_and_done: Store, monkeypatch: Any) -> None:
    seen = iter((1, 2))
    monkeypatch.setattr(pins, "_told", lambda _: next(seen))
    assert expire_evidence(over_and_done, 30, LATER) == 2
    assert len(pins_kept(over_and_done)) == 1


@pytest.mark.parametrize("edit", [delete(tables.pin_set), update(tables.pin_set).values(pins=[])])
def test_pins_that_were_edited_before_their_evidence_went_are_told_after_it(over_and_done: Store, edit: Any) -> None:
    with over_and_done.begin() as connection:
        connection.execute(edit)
    assert expire_evidence(over_and_done, 30, LATER) == 2
    assert verify(over_and_done, None).problems != ()


def test_pins_that_are_gone_are_no_pins_of_a_trace_which_says_so(over_and_done: Store) -> None:
    before = trace(over_and_done, DONE)
    with over_and_done.begin() as connection:
        connection.execute(delete(tables.pin_set))
    found = trace(over_and_done, DONE)
    assert before.problems == ()
    assert set(found.materialisations) <= set(before.materialisations)
    assert any(f"evidence of action {DONE}" in problem for problem in found.problems)


@pytest.mark.parametrize(("table", "column"), [("pin_set", "pins"), ("evidence", "materialisations")])
@pytest.mark.parametrize("edited", ["[7]", "7", '{"a": 7}'])
def test_pins_that_are_none_any_more_break_no_trace(over_and_done: Store, table: str, column: str, edited: str) -> None:
    with over_and_done.begin() as connection:
        connection.execute(text(f"UPDATE {table} SET {column} = :edited"), {"edited": edited})
    found = trace(over_and_done, DONE)
    assert any(f"evidence of action {DONE}" in problem for problem in found.problems)


def test_what_is_told_anew_of_evidence_without_its_pins_hides_nothing(over_and_done: Store) -> None:
    with over_and_done.begin() as connection:
        connection.execute(delete(tables.pin_set))
        number = connection.execute(
            select(tables.decision.c.decision_id).where(tables.decision.c.action == DONE)
        ).scalar_one()
        permit = connection.execute(select(tables.permit.c.permit_id)).scalar_one()
        recording.decided(connection, number, at=NOW, permit_id=permit)
    assert any(f"evidence of action {DONE}" in problem for problem in verify(over_and_done, None).problems)
