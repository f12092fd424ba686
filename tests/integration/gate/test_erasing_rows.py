"""Somebody is taken out of the store: nothing there says who they were, and the ledger still holds."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import delete, insert, update

from orchestration.canonical import canonical
from orchestration.erasure.erase import Erased, erase
from orchestration.erasure.files import compact, remove_earlier_graphs
from orchestration.erasure.suppression import MAILBOX as MAILBOX_KIND
from orchestration.erasure.suppression import MAILBOX_NAME, load, mailbox_name
from orchestration.errors import ConfigurationError, NotFound, PrecedeError
from orchestration.gate.keys import signing_key
from orchestration.gate.limits.touch import contact_subject
from orchestration.ledger import kinds
from orchestration.ledger.chain import append
from orchestration.ledger.trace import trace
from orchestration.ledger.verify import verify
from orchestration.report.publish import publish
from orchestration.store import tables
from orchestration.work.outbox import deliver
from orchestration.work.undo import Order, undo
from orchestration.work.undo_call import Hands
from tests.integration.gate.approving import LARGE, held, state
from tests.integration.gate.callers import LocalErp
from tests.integration.gate.world import World

MAILBOX = "2@debtor.example"
SAID = (MAILBOX, "crm:contact:2")


@pytest.fixture
def done(world: World) -> tuple[World, list[str]]:
    """A world in which three reminders were sent, and nothing is under way."""
    world.make_erp()
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        gate.perform_batch(batch_id, world.now)
    deliver(world.store, LocalErp(world.settings.home), lambda: datetime.now(UTC))
    world.edit("batch", {"batch_id": batch_id}, state="decided")
    return world, actions


def erased(world: World, who: str = "per_2") -> Erased:
    return erase(world.store, world.settings, who, operator="ada", reason="They asked for it.", now=world.now)


def problems(world: World) -> tuple[str, ...]:
    return verify(world.store, None, world.settings).problems


def everything(world: World) -> str:
    """Every row of every table as text."""
    return json.dumps([world.rows(name) for name in tables.metadata.tables], default=str)


def test_nothing_in_the_store_says_who_it_was_and_the_ledger_holds(done: tuple[World, list[str]]) -> None:
    world, actions = done
    said = everything(world)
    assert all(text in said for text in SAID)
    assert problems(world) == ()
    made = erased(world)
    left = everything(world)
    assert [text for text in SAID if text in left] == []
    assert "1@debtor.example" in left
    assert problems(world) == ()
    assert made.counts["evidence"] == 1
    assert [row["action"] for row in world.rows("evidence")] == sorted({actions[0], actions[2]})
    assert world.said(actions[1])[0] == "allow"  # that it was done, and by whose leave, can still be asked
    [permit] = world.rows("permit", action=actions[1])
    assert (permit["payload"], permit["signature"]) == ("", "")  # it held the mailbox, packed
    walked = trace(world.store, actions[1])
    assert walked.problems == ()
    assert all(entry.sound for entry in walked.ledger)


def test_a_second_person_of_the_same_batch_is_erased_beside_the_first(done: tuple[World, list[str]]) -> None:
    world, _ = done
    erased(world)
    erased(world, "crm:contact:3")
    assert "3@debtor.example" not in everything(world)
    assert problems(world) == ()


def test_what_is_edited_after_the_erasure_is_told(done: tuple[World, list[str]]) -> None:
    world, actions = done
    erased(world)
    world.edit("proposal", {"action": actions[1]}, rationale="Somebody else's words.")
    world.edit("outbox", {"action": actions[1]}, reference="another")
    found = problems(world)
    assert any(f"the proposal of action {actions[1]}" in each for each in found)
    assert any(f"the outcome of action {actions[1]}" in each for each in found)


def test_what_was_edited_before_the_erasure_is_not_made_good_by_it(done: tuple[World, list[str]]) -> None:
    world, actions = done
    world.edit("decision", {"action": actions[1]}, verdict="review")
    erased(world)
    assert any("decision" in each for each in problems(world))


def test_what_was_removed_before_the_erasure_is_not_forgotten_by_it(done: tuple[World, list[str]]) -> None:
    world, actions = done
    with world.store.begin() as connection:
        for table in (tables.outbox, tables.evidence):
            connection.execute(delete(table).where(table.c.action == actions[1]))
    parts = [f"{part} of action {actions[1]}" for part in ("evidence", "intent", "outcome")]
    assert all(any(f"no longer holds the {part}" in each for each in problems(world)) for part in parts)
    erased(world)
    assert all(any(f"no longer holds the {part}" in each for each in problems(world)) for part in parts)


@pytest.mark.parametrize("called", ["Finance", "payment", "Accounts Payable"])
def test_who_is_called_as_others_or_as_a_part_of_precede_takes_nothing_of_theirs_along(
    world: World, called: str
) -> None:
    for debtor in world.debtors[1:]:
        debtor.called = called
    world.publish()
    world.remind()
    [batch] = world.rows("batch")
    world.edit("batch", {"batch_id": batch["batch_id"]}, state="decided")
    before = world.rows("outbox")
    erased(world)
    after = world.rows("outbox")
    assert [row["agent"] for row in world.rows("batch")] == ["finance"]
    assert [row["tool"] for row in after] == [row["tool"] for row in before]
    assert len(world.rows("evidence")) == len(before) - 1
    assert problems(world) == ()


def test_who_shares_a_mailbox_is_erased_without_whom_they_share_it_with(world: World) -> None:
    office = "2@debtor.example"
    world.debtors[1].called = "Bob Stone"
    world.debtors[2].called, world.debtors[2].mailbox = "Carl Dean", office
    world.publish()
    batch_id = world.wake()
    actions = [
        world.propose(batch_id, debtor, **({"mailbox": office} if debtor.number == 3 else {}))
        for debtor in world.debtors
    ]
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
    world.edit("batch", {"batch_id": batch_id}, state="decided")
    counted = contact_subject(office)
    before = [world.rows("evidence", action=actions[2]), world.rows("permit_subject", subject=counted)]
    assert all(before)
    erased(world)
    kinds = {row["kind"] for row in world.rows("suppression")}
    assert MAILBOX_KIND not in kinds
    assert MAILBOX_NAME in kinds
    known = load(world.store, world.settings)
    assert known.holds(MAILBOX_NAME, mailbox_name(office, "Stone, BOB"))
    assert not known.holds(MAILBOX_NAME, mailbox_name(office, "Carl Dean"))
    assert [world.rows("evidence", action=actions[2]), world.rows("permit_subject", subject=counted)] == before
    assert world.rows("evidence", action=actions[1]) == []
    assert "Bob Stone" not in everything(world)
    assert problems(world) == ()


@pytest.mark.parametrize(("reason", "left"), [("The wrong firm.", "The wrong firm."), (f"{MAILBOX} asked", "[erased]")])
def test_who_took_an_effect_back_and_why_is_still_known(done: tuple[World, list[str]], reason: str, left: str) -> None:
    world, actions = done
    order = Order(actions[1], "olga", reason)
    hands = Hands(LocalErp(world.settings.home), lambda: datetime.now(UTC))
    undo(world.store, order, world.rules.action_types, signing_key(world.settings.keys), hands)
    erased(world)
    assert MAILBOX not in everything(world)
    walked = trace(world.store, actions[1])
    assert [(one.by, one.reason, one.state) for one in walked.undos] == [("olga", left, "done")]
    assert (walked.problems, problems(world)) == ((), ())
    world.edit("undo", {"action": actions[1]}, operator="ben")
    assert any("who wants the undo" in each for each in problems(world))


def test_a_payload_that_goes_without_a_proof_is_told(done: tuple[World, list[str]]) -> None:
    world, _ = done
    erased(world)
    with world.store.begin() as connection:
        connection.execute(delete(tables.ledger_payload).where(tables.ledger_payload.c.seq == 1))
    assert any("The payload of entry 1 " in each for each in problems(world))


def test_a_proof_that_the_key_did_not_sign_excuses_nothing(done: tuple[World, list[str]]) -> None:
    world, _ = done
    erased(world)
    commitment = json.loads(world.rows("ledger_entry", seq=1)[0]["body"])["commitment"]
    with world.store.begin() as connection:  # whoever may write to the store appends what looks like one
        connection.execute(delete(tables.ledger_payload).where(tables.ledger_payload.c.seq == 1))
        forged = {"erasure": "erasure_x", "entries": [[1, commitment]], "counts": {}, "left": "", "signature": "AAAA"}
        row = {"erasure_id": "erasure_x", "entity_id": "per_1", "operator": "ada", "reason": "", "counts": {}}
        connection.execute(insert(tables.erasure).values(**row, at=world.now))
        append(connection, kinds.ERASED, forged, at=world.now, payload={"told": [], "suppressions": []})
    found = problems(world)
    assert any("is no proof of erasure" in each for each in found)
    assert any("The payload of entry 1 " in each for each in found)


def test_a_proof_that_is_edited_is_told(done: tuple[World, list[str]]) -> None:
    world, _ = done
    made = erased(world)
    [row] = world.rows("ledger_entry", seq=made.entry)
    body = json.loads(row["body"])
    body["entries"].append([1, "0" * 64])
    world.edit("ledger_entry", {"seq": made.entry}, body=canonical(body).decode())
    assert any(f"Entry {made.entry} (erased" in each for each in problems(world))


def test_a_payload_that_comes_back_and_a_suppression_that_goes_are_told(done: tuple[World, list[str]]) -> None:
    world, _ = done
    made = erased(world)
    body = json.loads(world.rows("ledger_entry", seq=made.entry)[0]["body"])
    with world.store.begin() as connection:
        back = {"seq": body["entries"][0][0], "salt": "00", "payload": "{}"}
        connection.execute(insert(tables.ledger_payload).values(**back))
        connection.execute(delete(tables.suppression))
    found = problems(world)
    assert any("has a payload again that was erased" in each for each in found)
    assert any("no longer holds the suppression" in each for each in found)


def test_no_file_of_audit_tables_of_before_is_left(done: tuple[World, list[str]]) -> None:
    world, _ = done
    before = publish(world.store, world.settings, now=world.now)
    assert before is not None
    erased(world)
    remove_earlier_graphs(world.store, world.settings, world.now)
    assert [*world.settings.audit.glob("*"), *world.settings.home.glob("audit*.duckdb")] == []
    after = publish(world.store, world.settings, now=world.now)
    assert after is not None
    assert after.entries > before.entries


def test_nobody_is_erased_while_something_about_them_is_under_way(world: World) -> None:
    batch_id, _ = world.propose_all()
    with pytest.raises(PrecedeError, match="is not decided"):
        erased(world)
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        gate.perform_batch(batch_id, world.now)
    with pytest.raises(PrecedeError, match="is on its way"):
        erased(world)
    assert MAILBOX in everything(world)


def test_somebody_whose_proposal_once_waited_and_then_needed_nobody_is_erased(world: World) -> None:
    for debtor in world.debtors:
        debtor.amount_open = LARGE
    world.publish()
    world.make_erp()
    batch_id, actions = held(world)
    for debtor in world.debtors:
        debtor.amount_open = Decimal("120.00")
    world.publish()
    with world.gate() as gate:
        gate.recheck("finance", world.now)
        assert state(world, actions[1])[0] == "allowed"
        gate.perform_batch(batch_id, world.now)
    deliver(world.store, LocalErp(world.settings.home), lambda: datetime.now(UTC))
    world.edit("batch", {"batch_id": batch_id}, state="decided")
    erased(world)
    assert MAILBOX not in everything(world)
    assert problems(world) == ()


def test_a_reason_that_says_who_it_is_is_refused_and_so_is_an_organisation(world: World) -> None:
    with pytest.raises(ConfigurationError, match="a text that says who"):
        erase(world.store, world.settings, "per_2", operator="ada", reason=f"{MAILBOX} asked", now=world.now)
    with pytest.raises(NotFound, match="organisation"):
        erased(world, "org_2")
    with pytest.raises(NotFound, match="Nobody"):
        erased(world, "per_77")


def test_an_erasure_that_is_edited_is_told(done: tuple[World, list[str]]) -> None:
    world, _ = done
    made = erased(world)
    with world.store.begin() as connection:
        connection.execute(update(tables.erasure).values(operator="ben"))
    assert any(f"the erasure {made.erasure_id}" in each for each in problems(world))


def test_somebody_is_erased_from_either_database(either_world: World) -> None:
    world = either_world
    batch_id, actions = world.propose_all()
    world.debtors[1].disputed = True
    world.publish()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
    world.edit("batch", {"batch_id": batch_id}, state="decided")
    assert world.said(actions[1])[0] == "deny"
    erased(world)
    compact(world.store)
    left = everything(world)
    assert [text for text in SAID if text in left] == []
    if world.store.is_sqlite:  # nor in what the file has no use for any more
        files = world.settings.home.glob("store.db*")
        assert [file for file in files if MAILBOX.encode() in file.read_bytes()] == []
    assert problems(world) == ()
