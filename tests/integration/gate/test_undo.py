"""Taking effects back: on the strength of the ledger and an operator, once, whatever became of the entity."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from orchestration.contracts import OutcomeState, SignedPermit, ToolResult
from orchestration.errors import EffectRefused
from orchestration.gate import stopping
from orchestration.gate.keys import public_key, signing_key
from orchestration.gate.permits import read
from orchestration.gate.stops import Scope
from orchestration.ledger.chain import commitment, entry_hash
from orchestration.ledger.retention import expire_evidence
from orchestration.ledger.verify import verify
from orchestration.store import tables
from orchestration.work.settling import settle
from orchestration.work.tools import Caller, ToolNotReached
from orchestration.work.undo import Order, Undone, undo
from orchestration.work.undo_call import Hands
from tests.integration.gate.callers import LocalErp, Losing, Silent
from tests.integration.gate.world import World
from tests.unit.gate.case import rules

WITHDRAW = ("erp", "withdraw_payment_reminder")
Once = frozenset[tuple[str, str]]


@pytest.fixture
def world(reminding: World) -> World:
    """Three debtors who were sent a reminder each."""
    return reminding


@pytest.fixture
def done(reminded: tuple[Path, list[str]]) -> list[str]:
    """The actions of those reminders."""
    return reminded[1]


def take_back(
    world: World, action: str, tools: Caller | None = None, *, later: timedelta = timedelta(), once: Once = frozenset()
) -> Undone:
    caller = tools or LocalErp(world.settings.home)
    with_these = Hands(caller, lambda: datetime.now(UTC) + later, longest_wait=0.0, once=once)
    order = Order(action, "olga", "It went to the wrong person.")
    return undo(world.store, order, rules().action_types, signing_key(world.settings.keys), with_these)


def test_an_effect_is_taken_back_once_with_a_permit_of_its_own(world: World, done: list[str]) -> None:
    made = take_back(world, done[0])
    assert (made.state, made.reference) == (OutcomeState.DONE, "customrecord_dunning:4")
    assert (f"undo:{done[0]}", "1@debtor.example", "precede") in world.reminders()
    (row,) = world.rows("undo")
    permit = read(SignedPermit(payload=row["permit"], signature=row["signature"]), public_key_of(world))
    assert (permit.undoes, permit.action, permit.tool) == (done[0], row["undo_id"], "withdraw_payment_reminder")
    assert world.kinds(done[0])[-3:] == ["undo", "begun", "undone"]
    with pytest.raises(EffectRefused, match="was taken back already"):
        take_back(world, done[0])
    assert len(world.reminders()) == 4
    assert verify(world.store, None, world.settings).problems == ()


def test_it_works_when_the_entity_was_split_its_evidence_is_over_and_its_agent_stopped(
    world: World, done: list[str]
) -> None:
    debtor = world.debtors[0]
    debtor.entity_id, debtor.standing_reasons, debtor.amount_open = (
        "org_another",
        ("unbelievable_cluster",),
        0 * debtor.amount_open,
    )
    world.publish()
    with world.store.begin() as connection:
        connection.execute(update(tables.evidence).values(kept_at=world.now))
        connection.execute(update(tables.batch).values(state="closed"))
    assert expire_evidence(world.store, 1, world.now + timedelta(days=2)) == 3
    stopping.stop(world.store, Scope.agent("finance"), "Too keen.", operator="olga", now=world.now)
    assert take_back(world, done[0]).state is OutcomeState.DONE


@pytest.mark.parametrize("lost", [0, 2])
def test_a_process_that_died_is_finished_by_the_next_and_nothing_is_written_twice(
    world: World, done: list[str], lost: int
) -> None:
    silent = Silent() if lost == 0 else Losing(world.settings.home, lost=9)
    assert take_back(world, done[0], silent).state is OutcomeState.UNKNOWN
    assert take_back(world, done[0]).state is OutcomeState.DONE
    assert len(world.rows("undo")) == 1
    assert len(world.reminders()) == 4
    assert verify(world.store, None, world.settings).problems == ()


def test_what_the_tool_refuses_can_be_tried_again_with_a_new_permit(world: World, done: list[str]) -> None:
    made = take_back(world, done[0], later=timedelta(hours=-1))  # the tool's clock says that the permit is over
    assert (made.state, "expired" in made.detail) == (OutcomeState.FAILED, True)
    assert take_back(world, done[0]).state is OutcomeState.DONE
    assert sorted(row["state"] for row in world.rows("undo")) == ["done", "failed"]
    assert verify(world.store, None, world.settings).problems == ()


def test_the_withdrawing_tool_refuses_every_permit_but_its_own(world: World, done: list[str]) -> None:
    take_back(world, done[0])
    (row,) = world.rows("undo")
    (other,) = world.rows("permit", action=done[1])
    signed = SignedPermit(payload=other["payload"], signature=other["signature"])
    erp = LocalErp(world.settings.home)
    arguments = {**row["tool_arguments"], "invoice": "2"}
    for permit in (signed, SignedPermit(payload=row["permit"], signature=row["signature"])):
        result = erp.call(*WITHDRAW, arguments, "undo:other", permit)
        assert result.state is OutcomeState.FAILED
    assert len(world.reminders()) == 4


def test_an_action_type_without_a_tool_for_it_says_how_a_person_does_it(world: World, done: list[str]) -> None:
    reminder = rules().action_types["send_payment_reminder"]
    by_hand = reminder.compensation.model_copy(update={"tool": None})
    types = {reminder.name: reminder.model_copy(update={"compensation": by_hand})}
    hands = Hands(LocalErp(world.settings.home), lambda: datetime.now(UTC))
    for known in (types, {}):
        with pytest.raises(EffectRefused, match="No tool takes send_payment_reminder back"):
            undo(world.store, Order(done[0], "olga", "x"), known, signing_key(world.settings.keys), hands)
    assert world.rows("undo") == []


OF_KIND = "seq IN (SELECT seq FROM ledger_entry WHERE kind = ?)"
EDITS = {
    "the body": (
        "UPDATE ledger_entry SET body = replace(body, '\"kind\"', '\"kinds\"') WHERE kind = ?",
        "does not give its hash",
    ),
    "the payload": (
        f"UPDATE ledger_payload SET payload = replace(payload, '1@debtor', '9@debtor') WHERE {OF_KIND}",
        "not what the entry commits to",
    ),
    "the payload is gone": (f"DELETE FROM ledger_payload WHERE {OF_KIND}", "is gone"),
}


@pytest.mark.parametrize("how", EDITS)
@pytest.mark.parametrize("kind", ["intent", "decision"])
def test_an_edited_ledger_proves_nothing(world: World, done: list[str], how: str, kind: str) -> None:
    statement, said = EDITS[how]
    with world.store.begin() as connection:
        connection.exec_driver_sql(statement, (kind,))
    with pytest.raises(EffectRefused, match=said):
        take_back(world, done[0])
    assert len(world.reminders()) == 3


def test_whoever_writes_the_whole_chain_anew_takes_nothing_back_that_was_not_permitted(
    world: World, done: list[str]
) -> None:
    entry = next(one for one in world.rows("ledger_entry", action=done[0]) if one["kind"] == "intent")
    (payload,) = world.rows("ledger_payload", seq=entry["seq"])
    forged = payload["payload"].replace("1@debtor", "9@debtor")
    body = entry["body"].replace(
        commitment(payload["salt"], payload["payload"].encode()), commitment(payload["salt"], forged.encode())
    )
    world.edit("ledger_payload", {"seq": entry["seq"]}, payload=forged)
    rehash(world, entry["seq"], body)
    with pytest.raises(EffectRefused, match="meant something else than was permitted"):
        take_back(world, done[0])


def rehash(world: World, seq: int, body: str) -> None:
    """Write an entry otherwise, and every hash from it on."""
    before = ""
    for entry in sorted(world.rows("ledger_entry"), key=lambda one: one["seq"]):
        if entry["seq"] < seq:
            continue
        text = body if entry["seq"] == seq else entry["body"].replace(entry["previous"], before)
        previous = entry["previous"] if entry["seq"] == seq else before
        before = entry_hash(text.encode())
        world.edit("ledger_entry", {"seq": entry["seq"]}, body=text, previous=previous, hash=before)


def test_verify_tells_of_an_edited_or_forged_undo(world: World, done: list[str]) -> None:
    take_back(world, done[0])
    (row,) = world.rows("undo")
    world.edit(
        "undo", {"undo_id": row["undo_id"]}, tool_arguments={**row["tool_arguments"], "recipient": "x@y.example"}
    )
    said = " ".join(verify(world.store, None, world.settings).problems)
    assert f"the undo {row['undo_id']} is not what entry" in said
    assert "is not the one that was permitted" in said
    world.edit("undo", {"undo_id": row["undo_id"]}, tool_arguments=row["tool_arguments"], state="failed")
    assert "the outcome of undo" in " ".join(verify(world.store, None, world.settings).problems)
    with world.store.begin() as connection:
        connection.execute(delete(tables.undo))
    assert "no longer holds the undo" in " ".join(verify(world.store, None, world.settings).problems)


class Unstarted(Silent):
    """A tool server that does not start."""

    def call(self, *_: object) -> ToolResult:
        self.calls += 1
        raise ToolNotReached("The tool server erp did not start.")


def test_a_tool_that_is_called_once_takes_back_once_and_a_person_says_whether_it_did(
    world: World, done: list[str]
) -> None:
    once = frozenset({WITHDRAW})
    with pytest.raises(EffectRefused, match="Nothing was sent"):
        take_back(world, done[0], Unstarted(), once=once)
    silent = Silent()
    made = take_back(world, done[0], silent, once=once)
    assert (made.state, silent.calls) == (OutcomeState.UNKNOWN, 1)
    with pytest.raises(EffectRefused, match=rf"settle {made.undo_id} done\|failed"):
        take_back(world, done[0], silent, once=once)
    with world.store.begin() as connection:
        settle(connection, done[0], OutcomeState.FAILED, by="rita", reason="Nothing in the ERP.", now=world.now)
    assert take_back(world, done[0], once=once).state is OutcomeState.DONE
    assert silent.calls == 1
    assert verify(world.store, None, world.settings).problems == ()


def public_key_of(world: World) -> Any:
    return public_key(world.settings.keys / "permit.pub")


def stated(world: World) -> Mapping[str, Any]:
    query = "SELECT custrecord_effect_key, custrecord_stage FROM customrecord_dunning"
    with closing(sqlite3.connect(world.settings.home / "northgate" / "erp.db")) as connection:
        return dict(connection.execute(query).fetchall())


def test_a_withdrawal_is_no_reminder_of_any_stage(world: World, done: list[str]) -> None:
    take_back(world, done[0])
    assert stated(world)[f"undo:{done[0]}"] == 0
