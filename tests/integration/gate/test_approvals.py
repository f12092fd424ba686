"""What policy sends to a person: what is kept of it, what an approval is worth, and what voids it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from sqlalchemy import delete, insert, update

from orchestration.approval import answer, queue, recheck
from orchestration.approval.waiting import waiting
from orchestration.contracts import Decision, Pin, Verdict
from orchestration.errors import ApprovalRefused, ConfigurationError, NotEntitled, PermitRefused
from orchestration.gate import stopping
from orchestration.gate.perform import Effect
from orchestration.gate.policy_files import load_policies
from orchestration.gate.rules import Rules
from orchestration.gate.stops import Scope
from orchestration.identity.person import Person
from orchestration.ledger.chain import append
from orchestration.ledger.entries import range_of
from orchestration.ledger.trace import trace
from orchestration.ledger.verify import record_of, verify
from orchestration.registry import load_agents
from orchestration.store import tables
from orchestration.work.act import close_batch
from orchestration.work.settled import settled
from tests.integration.gate.approving import ADA, BEN, LARGE, approve, held, look, sound, state
from tests.integration.gate.world import TODAY, Debtor, World
from tests.integration.ledger.story import undone
from tests.unit.gate.case import AGENTS


@pytest.fixture
def large(world: World) -> World:
    """Three debtors who owe so much that a person must look first."""
    for debtor in world.debtors:
        debtor.amount_open = LARGE
    world.publish()
    return world


def test_what_is_approved_happens_once_and_its_permit_names_the_approval(large: World) -> None:
    batch_id, actions = held(large)
    given = approve(large, actions[0])
    with large.gate() as gate:
        [decision] = gate.decide(batch_id, large.now)
        assert decision.permit is not None
        assert (decision.permit.approval, decision.approval) == (given["approval_id"],) * 2
        assert [reason.code for reason in decision.reasons] == ["approved"]
        assert isinstance(gate.perform(actions[0], large.now), Effect)
        with pytest.raises(PermitRefused):
            gate.perform(actions[0], large.now)
        assert gate.decide(batch_id, large.now) == []
    [row] = large.rows("approval")
    assert (row["consumed_at"], row["permit_id"]) == (large.now, decision.permit.permit_id)
    assert [state(large, action) for action in actions] == [["done"], ["waiting"], ["waiting"]]
    [walked] = trace(large.store, actions[0]).approvals
    assert (walked.approval, walked.person, walked.shown_at) == (given["approval_id"], "Ada Okafor", large.now)
    assert large.kinds(actions[0]) == ["decision", "shown", "approval", "decision", "intent"]
    assert sound(large)


def test_the_reviewer_sees_whom_it_is_about_the_exact_call_and_why(large: World) -> None:
    _, actions = held(large)
    shown = look(large, actions[0])
    assert shown["effect"]["tool"] == "write_payment_reminder"
    assert shown["effect"]["arguments"]["recipient"] == "1@debtor.example"
    assert shown["why"] == [{"policy": "finance-large", "facts": {"context.invoice.amount_open": "9000.0000"}}]
    assert {row["record_id"] for row in shown["source_rows"]} >= {"erp:transaction:1", "crm:company:1"}
    [kept] = large.rows("showing")
    assert (kept["shown"], kept["person"], kept["at"]) == (shown, "Ada Okafor", large.now)


def test_an_approval_is_used_up_though_its_permit_were_put_back(large: World) -> None:
    batch_id, actions = held(large)
    approve(large, actions[0])
    with large.gate() as gate:
        gate.decide(batch_id, large.now)
        gate.perform(actions[0], large.now)
        large.edit("permit", {"action": actions[0]}, consumed_at=None)
        large.edit("outbox", {"action": actions[0]}, state="failed")
        assert isinstance(gate.perform(actions[0], large.now), Decision)
    assert large.said(actions[0]) == ["deny", "approval_void"]


def test_nobody_approves_what_they_were_not_shown_as_it_is(large: World) -> None:
    _, actions = held(large)
    with pytest.raises(ApprovalRefused, match="has not been shown it"):
        approve(large, actions[0], shown=False)
    look(large, actions[0], BEN)
    with pytest.raises(ApprovalRefused, match="has not been shown it"):
        approve(large, actions[0], shown=False)
    large.edit("showing", {"person": "Ben Hale"}, decision_id=1, person="Ada Okafor")
    approve(large, actions[0], shown=False)
    with pytest.raises(ApprovalRefused, match="is not in review: it is approved"):
        approve(large, actions[0], BEN)


FINANCE = Scope.agent("finance")
Change = Callable[[Debtor], object]
RELEVANT: dict[str, tuple[Change, list[str]]] = {
    "a part payment": (lambda one: setattr(one, "amount_open", Decimal("8000.00")), ["waiting", "read_set_changed"]),
    "a payment": (
        lambda one: setattr(one, "amount_open", Decimal("0.00")),
        ["void", "read_set_changed", "tool_call_changed", "invoice_paid"],
    ),
    "a dispute": (lambda one: setattr(one, "disputed", True), ["void", "read_set_changed", "invoice_disputed"]),
    "another id": (lambda one: setattr(one, "entity_id", "org_split"), ["void", "read_set_changed"]),
    "an objection": (lambda one: setattr(one, "opted_out", True), ["void", "read_set_changed"]),
    "another contact": (
        lambda one: setattr(one, "mailbox", "new@debtor.example"),
        ["void", "read_set_changed"],
    ),
    "a split that the action reads nothing of": (
        lambda one: setattr(one, "lost", (f"crm:company:{one.number}",)),
        ["waiting", "split"],
    ),
    "standing that is gone": (
        lambda one: setattr(one, "standing_reasons", ("ambiguous_link",)),
        ["void", "read_set_changed", "ambiguous_link"],
    ),
}


def test_a_relevant_change_voids_an_approval_and_the_queue_says_why(large: World) -> None:
    large.debtors = [Debtor(number, amount_open=LARGE) for number in range(1, len(RELEVANT) + 2)]
    large.publish()
    batch_id, actions = held(large)
    for action in actions:
        approve(large, action)
    for debtor, (change, _) in zip(large.debtors, RELEVANT.values(), strict=False):
        change(debtor)
    large.publish()
    with large.gate() as gate:
        looked = gate.recheck("finance", large.now)
        assert (looked.held, len(looked.decisions)) == (len(actions), len(RELEVANT))
        for action, (_, said) in zip(actions, RELEVANT.values(), strict=False):
            assert state(large, action)[: len(said)] == said
        large.debtors = [Debtor(debtor.number, amount_open=LARGE) for debtor in large.debtors]
        large.publish()  # it is void for good, though all is as it was
        gate.recheck("finance", large.now)
        [decision] = gate.decide(batch_id, large.now + timedelta(seconds=1))
        assert (decision.action, state(large, actions[-1])) == (actions[-1], ["approved"])
    voided = [row["action"] for row in large.rows("approval") if row["voided_at"] == large.now]
    assert sorted(voided) == sorted(actions[:-1])
    assert sound(large)


def test_the_queue_says_in_words_what_has_changed(large: World) -> None:
    _, actions = held(large)
    approve(large, actions[0])
    large.debtors[0].amount_open = Decimal("8000.00")
    large.publish()
    with large.gate() as gate:
        gate.recheck("finance", large.now)
    [row] = large.rows("held", action=actions[0])
    assert row["reasons"][0]["detail"] == "invoice amount open: was 9000.00, is 8000.00."
    with pytest.raises(ApprovalRefused, match="before it was decided anew"):
        approve(large, actions[0], shown=False)
    approve(large, actions[0])
    assert state(large, actions[0]) == ["approved"]


def test_a_graph_published_anew_an_unread_field_and_another_weight_void_nothing(large: World) -> None:
    batch_id, actions = held(large)
    approve(large, actions[0])
    large.debtors[0].probability = 0.91
    large.debtors[0].countries = {"company": "GB"}
    for _ in range(2):
        large.publish()
        with large.gate() as gate:
            looked = gate.recheck("finance", large.now)
            assert (looked.held, looked.decisions) == (3, ())
    assert state(large, actions[0]) == ["approved"]
    with large.gate() as gate:
        gate.decide(batch_id, large.now)
        assert isinstance(gate.perform(actions[0], large.now), Effect)


def test_what_changes_between_the_permit_and_the_effect_voids_the_approval_too(large: World) -> None:
    batch_id, actions = held(large)
    approve(large, actions[0])
    with large.gate() as gate:
        gate.decide(batch_id, large.now)
        large.debtors[0].lost = ("crm:company:1",)
        large.publish()
        answered = gate.perform(actions[0], large.now)
    assert isinstance(answered, Decision)
    assert large.said(actions[0]) == ["deny", "split"]
    assert state(large, actions[0]) == ["void", "split"]
    assert large.rows("outbox") == []
    assert sound(large)


def changed_rules(world: World, tmp_path: Path, policy: str, review: str = "[finance-large]") -> Rules:
    """The rules with another policy of finance's among them."""
    agents = Path(copytree(AGENTS, tmp_path / "agents"))
    file, card = agents / "finance" / "policy.cedar", agents / "finance" / "agent.yml"
    file.write_text(file.read_text() + policy)
    card.write_text(card.read_text().replace("[finance-large]", review))
    known = load_agents(agents)
    return Rules(world.rules.action_types, known, load_policies(known, world.rules.action_types))


HARMLESS = '@id("finance-nothing")\nforbid (principal, action, resource) when { context.stage > 99 };\n'
FREEZE = '@id("finance-freeze")\nforbid (principal, action, resource);\n'


def test_a_changed_policy_voids_what_was_approved_though_it_would_decide_the_same(large: World, tmp_path: Path) -> None:
    batch_id, actions = held(large)
    approve(large, actions[0])
    large.rules = changed_rules(large, tmp_path, HARMLESS)
    with pytest.raises(ApprovalRefused, match="The policies are not those"):
        approve(large, actions[1])
    with large.store.read() as connection:
        digest = large.rules.policies["finance"].digest
        assert recheck.due(connection, "finance", "snap_2", digest, large.now)
    with large.gate() as gate:
        assert len(gate.recheck("finance", large.now).decisions) == 3
        assert gate.decide(batch_id, large.now) == []
    assert state(large, actions[0]) == ["waiting", "policy_changed"]
    assert large.rows("approval")[0]["void_code"] == "policy_changed"
    with large.store.read() as connection:
        assert not recheck.due(connection, "finance", "snap_2", digest, large.now)
    assert sound(large)


def test_an_approval_satisfies_what_asks_for_a_person_and_no_other_denial(large: World, tmp_path: Path) -> None:
    batch_id, actions = held(large)
    approve(large, actions[0])
    frozen = changed_rules(large, tmp_path, FREEZE)
    policies = {"finance": replace(frozen.policies["finance"], digest=large.rules.policies["finance"].digest)}
    large.rules = replace(large.rules, policies={**large.rules.policies, **policies})
    with large.gate() as gate:
        [decision] = gate.decide(batch_id, large.now)
    assert (decision.verdict, decision.permit) == (Verdict.DENY, None)
    assert state(large, actions[0])[0] == "void"


def test_what_was_approved_waits_while_its_agent_is_stopped_or_a_source_is_not_read(large: World) -> None:
    batch_id, actions = held(large)
    approve(large, actions[0])
    with large.store.read() as connection:
        covered = range_of(connection, [batch_id])
    close_batch(large.store, batch_id, Pin.model_validate(large.rows("batch")[0]["pin"]), covered, large.now)
    stopping.stop(large.store, FINANCE, "a look", operator="Ada Okafor", now=large.now)
    with large.gate() as gate:
        assert gate.recheck("finance", large.now).decisions == ()
        assert gate.decide(batch_id, large.now) == []
        assert large.rows("held", action=actions[0])[0]["postponed"] == "agent_stopped"
        stopping.start(large.store, FINANCE, "it was nothing", operator="Ada Okafor", now=large.now)
        gate.decide(batch_id, large.now)
        stopping.stop(large.store, FINANCE, "another look", operator="Ada Okafor", now=large.now)
        assert isinstance(gate.perform(actions[0], large.now), Decision)
        assert state(large, actions[0]) == ["approved"]
        assert large.rows("decision", action=actions[0])[-1]["transient"] is False  # its row need not wake again
        stopping.start(large.store, FINANCE, "it was nothing", operator="Ada Okafor", now=large.now)
        later = large.now + timedelta(seconds=1)
        assert [each.verdict for each in gate.decide(batch_id, later)] == [Verdict.ALLOW]
        assert isinstance(gate.perform(actions[0], later), Effect)
    assert sound(large)


def test_an_approval_lasts_as_long_as_the_card_says_also_where_the_clock_is_set_back(large: World) -> None:
    batch_id, actions = held(large)
    approve(large, actions[0])
    approve(large, actions[1])
    later = large.now + timedelta(hours=24, minutes=5)
    earlier = later - timedelta(minutes=10)
    with large.gate() as gate:
        gate.decide(batch_id, earlier)
        with large.store.begin() as connection:
            append(connection, "tick", {}, at=later)
        assert isinstance(gate.perform(actions[0], earlier), Decision)
        assert large.said(actions[0]) == ["deny", "approval_expired"]
        gate.recheck("finance", later)
    assert state(large, actions[0]) == ["void", "approval_expired"]
    assert state(large, actions[1]) == ["waiting", "approval_expired"]
    assert large.rows("outbox") == []


def test_an_edit_is_a_proposal_of_its_authors_that_passes_the_gate_and_that_they_cannot_approve(large: World) -> None:
    batch_id, actions = held(large)
    look(large, actions[0])
    with large.store.begin() as connection:
        wished = {**large.debtors[0].arguments, "stage": 2}
        _, new = answer.edit(connection, actions[0], ADA, large.now, arguments=wished, fault="", note="second already")
    assert state(large, actions[0]) == ["edited"]
    with large.gate() as gate:
        [decision] = gate.decide(batch_id, large.now)
    assert (decision.action, decision.verdict) == (new, Verdict.REVIEW)
    with pytest.raises(NotEntitled, match="nobody approves their own"):
        approve(large, new, ADA)
    with pytest.raises(NotEntitled, match="nobody approves their own"):
        approve(large, new, replace(BEN, name="ada  okafor".replace("  ", " ")))
    with pytest.raises(ApprovalRefused, match="it is edited"):
        approve(large, actions[0], BEN)
    approve(large, new, BEN)
    with large.gate() as gate:
        [decision] = gate.decide(batch_id, large.now)
        assert decision.permit is not None
        assert decision.permit.tool_arguments["stage"] == 2
        assert isinstance(gate.perform(new, large.now), Effect)
    assert sound(large)


def test_an_edit_for_somebody_elses_invoice_or_without_any_change_is_refused(large: World) -> None:
    batch_id, actions = held(large)
    look(large, actions[0])
    wished = {**large.debtors[0].arguments, "invoice": "erp:transaction:2"}
    with large.store.begin() as connection:
        with pytest.raises(ApprovalRefused, match="Nothing of"):
            answer.edit(connection, actions[0], ADA, large.now, arguments=large.debtors[0].arguments, fault="")
        _, new = answer.edit(connection, actions[0], ADA, large.now, arguments=wished, fault="")
    with large.gate() as gate:
        gate.decide(batch_id, large.now)
    assert large.said(new)[:2] == ["deny", "invoice_of_another_entity"]
    assert large.rows("held", action=new) == []
    assert sound(large)


def owned(world: World) -> Rules:
    """The rules, where finance belongs to Ada and its card keeps her out."""
    finance = world.rules.agents["finance"]
    card = finance.card.model_copy(update={"owner": "Ada+credit@northgate.example", "exclude_owner": True})
    return replace(world.rules, agents={**world.rules.agents, "finance": replace(finance, card=card)})


def test_an_owner_whom_the_card_excludes_cannot_approve_nor_somebody_who_may_be_the_owner(large: World) -> None:
    _, actions = held(large)
    with pytest.raises(NotEntitled, match="owns the agent finance"):
        approve(large, actions[0], ADA, rules=owned(large))
    with pytest.raises(NotEntitled, match="It is not known whether Cat Lee owns"):
        approve(large, actions[0], Person("Cat Lee", ADA.roles, "oidc"), rules=owned(large))
    approve(large, actions[0], BEN, rules=owned(large))


def reject(world: World, action: str, note: str) -> str | None:
    look(world, action, BEN)
    with world.store.begin() as connection:
        card = world.rules.agents["finance"].card
        return answer.reject(connection, action, BEN, card, world.now, note=note)[1]


def test_a_rejection_goes_back_to_the_agent_with_its_note_as_often_as_its_card_says(large: World) -> None:
    _, actions = held(large)
    with pytest.raises(ConfigurationError, match="the agent is told"):
        reject(large, actions[0], "  ")
    action = actions[0]
    for revision in (1, 2):
        batch_id = reject(large, action, f"no, {revision}")
        assert batch_id is not None
        [row] = large.rows("trigger_row", batch_id=batch_id)
        [first] = large.rows("trigger_row", row_id=large.rows("proposal", action=actions[0])[0]["row_id"])
        assert (row["note"], row["revision"], row["values"]) == (f"no, {revision}", revision, first["values"])
        with large.store.read() as connection:
            assert settled(connection, [row["digest"]], TODAY) == {row["digest"]}
        large.give_credential(batch_id)
        action = large.propose(batch_id, large.debtors[0], row_id=row["row_id"])
        with large.gate() as gate:
            gate.decide(batch_id, large.now)
        assert state(large, action) == ["waiting"]
    assert reject(large, action, "and no again") is None
    assert state(large, action) == ["rejected"]
    assert sound(large)


EDITS: dict[str, tuple[str, dict[str, Any], str]] = {
    "who": ("approval", {"person": "Somebody"}, "the approval"),
    "until when": ("approval", {"expires_at": timedelta(days=9)}, "the approval"),
    "that it is unused": ("approval", {"consumed_at": None}, "the use of approval"),
    "what was shown": ("showing", {"shown": {}}, "the showing"),
    "what is held": ("held", {"tool_call": {}}, "what is held of action"),
    "where it is": ("held", {"state": "waiting"}, "what is held of action"),
}


def test_verification_tells_of_approvals_that_were_edited_put_in_or_removed(large: World) -> None:
    batch_id, actions = held(large)
    approve(large, actions[0])
    with large.gate() as gate:
        gate.decide(batch_id, large.now)
        gate.perform(actions[0], large.now)
    [given] = large.rows("approval")
    for table, values, said in EDITS.values():
        written = {name: large.now + each if isinstance(each, timedelta) else each for name, each in values.items()}
        with undone(large.store) as connection:
            of_action = tables.metadata.tables[table].c.action == actions[0]
            connection.execute(update(tables.metadata.tables[table]).where(of_action).values(**written))
            assert said in " ".join(record_of(connection).problems)
    with undone(large.store) as connection:
        connection.execute(delete(tables.approval))
        assert f"no longer holds the approval {given['approval_id']}" in " ".join(record_of(connection).problems)
    with undone(large.store) as connection:
        forged = {**given, "approval_id": "approval_forged", "action": actions[1], "consumed_at": None}
        connection.execute(insert(tables.approval).values(forged))
        assert "holds the approval approval_forged, which no" in " ".join(record_of(connection).problems)
    assert sound(large)


BETWEEN: dict[str, tuple[dict[str, Any], str]] = {
    "what would be done": ({"tool_call": {}}, "what a person is asked of action"),
    "which arguments": ({"proposal_digest": "0" * 64}, "what a person is asked of action"),
    "whose records": ({"records": {}}, "what a person is asked of action"),
    "whose it is": ({"agent": "sales"}, "the beginning of what is held of action"),
    "since when": ({"held_at": timedelta(days=-9)}, "the beginning of what is held of action"),
}


@pytest.mark.parametrize("edited", BETWEEN)
def test_what_is_held_and_was_edited_between_two_moves_is_told_of_for_good(large: World, edited: str) -> None:
    values, said = BETWEEN[edited]
    written = {name: large.now + each if isinstance(each, timedelta) else each for name, each in values.items()}
    _, actions = held(large)
    large.edit("held", {"action": actions[0]}, **written)
    assert said in " ".join(verify(large.store, None).problems)
    reject(large, actions[0], "not now")
    problems = " ".join(verify(large.store, None).problems)
    assert f"tells {said} {actions[0]} otherwise than entry" in problems
    assert "the row was edited between them" in problems


def test_what_left_the_queue_and_was_put_back_into_it_is_told_of_for_good(large: World) -> None:
    _, actions = held(large)
    reject(large, actions[0], "not now")
    large.edit("held", {"action": actions[0]}, state="waiting", reasons=[])
    approve(large, actions[0])
    assert f"tells what is held of action {actions[0]} otherwise" in " ".join(verify(large.store, None).problems)


def test_what_is_held_anew_by_another_decision_may_be_something_else(large: World) -> None:
    _, actions = held(large)
    large.debtors[0].amount_open = Decimal("8000.00")
    large.publish()
    with large.gate() as gate:
        gate.recheck("finance", large.now)
    assert state(large, actions[0])[:2] == ["waiting", "read_set_changed"]
    assert sound(large)


def test_what_another_part_voids_leaves_the_queue_and_is_told(large: World) -> None:
    _, actions = held(large)
    approve(large, actions[0])
    with large.store.begin() as connection:
        assert queue.void(connection, actions[0], "erased", large.now, "The person was erased.")
        assert not queue.void(connection, actions[0], "erased", large.now)
        assert [row["action"] for row in waiting(connection)] == sorted(actions[1:])
    assert state(large, actions[0]) == ["void", "erased"]
    assert sound(large)
