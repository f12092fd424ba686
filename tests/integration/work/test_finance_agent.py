"""The finance agent's loop on a small graph: trigger, steps, proposal, what the gate says of it, and feedback."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from action.loading import load_workflow
from orchestration.contracts import Batch, Decision, HandoffState, ProposalSet, TriggerRow, Verdict
from orchestration.gate.gate import Gate
from orchestration.gate.rules import load_rules
from orchestration.graph import EntityGraph
from orchestration.settings import Settings
from orchestration.store import tables
from tests.graph_fixture import BUILT_AT, build_graph
from tests.waking import ACTION_TYPES, FINANCE, NOW, World, answer, pin_of

WORKFLOW = load_workflow(FINANCE / "agent.py")


def woken(world: World) -> Batch:
    [wake] = world.wake()
    assert wake.batch is not None
    return wake.batch


def proposed(world: World) -> tuple[Batch, ProposalSet]:
    batch = woken(world)
    return batch, answer(batch, WORKFLOW)


def number_of(batch: Batch, row_id: str) -> str:
    return next(str(row.values["number"]) for row in batch.rows if row.row_id == row_id)


def test_it_proposes_a_reminder_that_refers_to_the_graph_and_states_nothing_itself(world: World) -> None:
    batch, said = proposed(world)
    arguments = {number_of(batch, one.row_id): one.arguments for one in said.proposals}
    assert arguments["INV-1001"] == {
        "organisation": "org_acme",
        "invoice": "erp:transaction:1001",
        "person": "person_ada",
        "mailbox": "ada@acme.example",
        "stage": 3,
    }
    assert len(arguments) == 6
    assert set(ACTION_TYPES["send_payment_reminder"].arguments) == set(arguments["INV-1001"])


def test_it_says_why_in_a_sentence(world: World) -> None:
    batch, said = proposed(world)
    why = {number_of(batch, one.row_id): one.rationale for one in said.proposals}
    assert why["INV-1001"] == (
        "A last reminder before the matter is handed over to Acme Widgets Ltd: invoice INV-1001 was due on 2026-10-03, "
        "and 1,200.00 GBP is still open."
    )
    assert why["INV-2001"].startswith("A friendly reminder to Bolt Logistics Ltd")


def test_it_writes_to_a_mailbox_that_staff_noted_before_one_that_only_the_support_desk_knows(world: World) -> None:
    other = "INSERT INTO contact_point VALUES ('person_ben', 'email', 'a@evil.example', 'support:user:{}', '{}')"
    world.publish(other.format(98, "verified"), other.format(99, "staff"))
    batch, said = proposed(world)
    arguments = {number_of(batch, one.row_id): one.arguments for one in said.proposals}
    assert arguments["INV-2001"]["mailbox"] == "ben@bolt.example"


def test_it_declines_where_there_is_nobody_to_write_to(world: World) -> None:
    world.publish("DELETE FROM contact_point WHERE entity_id = 'person_finn'")
    batch, said = proposed(world)
    assert {number_of(batch, row): reason for row, reason in said.declined.items()} == {
        "INV-4001": "read: nobody with a known mailbox works there"
    }
    assert len(said.proposals) == 5


@pytest.mark.parametrize(
    "values", [{"stage": 9}, {"currency": "pounds"}, {"amount_open": "much"}, {"number": None}, {"surprise": "!"}]
)
def test_a_row_that_is_not_as_it_should_be_goes_to_a_person_and_the_others_go_on(
    world: World, values: dict[str, Any]
) -> None:
    batch = woken(world)
    first = batch.rows[0]
    broken = TriggerRow(row_id=first.row_id, entity_id=first.entity_id, values=first.values | values)
    said = answer(batch.model_copy(update={"rows": (broken, *batch.rows[1:])}), WORKFLOW)
    assert list(said.failed) == [first.row_id]
    assert len(said.proposals) == 5


def test_it_logs_each_handoff(world: World) -> None:
    said = answer(woken(world), WORKFLOW)
    first = [handoff for handoff in said.handoffs if handoff.row_id == said.proposals[0].row_id]
    assert [(handoff.step, handoff.state) for handoff in first] == [
        (step, HandoffState.PASSED) for step in ("read", "choose_tone", "draft", "propose")
    ]


def decided(world: World) -> dict[str, Decision]:
    """What the gate says of each proposal, by the invoice's number."""
    with world.store.begin() as connection:
        current = world.graph.snapshot_id
        connection.execute(update(tables.snapshot).values(pin=pin_of(current).model_dump()))
        connection.execute(update(tables.watermark).values(read_at=NOW))
    batch, said = proposed(world)
    world.exchange.answer(said)
    world.take_in()
    with Gate(world.store, world.settings, load_rules(Settings()), holds=lambda _pin: True) as gate:
        decisions = {one.action: one for one in gate.decide(batch.batch_id, NOW)}
    with world.store.read() as connection:
        rows = connection.execute(select(tables.proposal.c.action, tables.proposal.c.row_id)).all()
    return {number_of(batch, row.row_id): decisions[row.action] for row in rows}


def codes(decision: Decision) -> set[str]:
    return {reason.code for reason in decision.reasons}


def test_the_gate_performs_some_and_denies_the_others_for_what_the_trigger_did_not_hide(world: World) -> None:
    found = decided(world)
    assert {number for number, decision in found.items() if decision.verdict is Verdict.ALLOW} == {
        "INV-1001",
        "INV-2001",
    }
    assert "invoice_disputed" in codes(found["INV-1003"])
    assert "conflict" in codes(found["INV-3001"])
    assert "not_linked" in codes(found["INV-4001"])
    assert "open_review_pair" in codes(found["INV-5001"])


def test_whoever_objects_to_being_contacted_is_not_written_to(world: World) -> None:
    world.publish("UPDATE entity SET opted_out = true WHERE entity_id = 'org_bolt'")
    assert "opted_out" in codes(decided(world)["INV-2001"])


@dataclass(frozen=True)
class Guarded:
    amount: str
    due: str
    currency: str
    verdict: Verdict
    policy: str


@pytest.mark.parametrize(
    "case",
    [
        Guarded("25000.00", "2026-10-23", "GBP", Verdict.ALLOW, "finance-remind"),
        Guarded("25000.01", "2026-10-23", "EUR", Verdict.REVIEW, "finance-large-amount"),
        Guarded("5000.00", "2026-09-01", "USD", Verdict.ALLOW, "finance-remind"),
        Guarded("5000.01", "2026-09-01", "GBP", Verdict.REVIEW, "finance-last-stage"),
        Guarded("900.00", "2026-10-23", "SEK", Verdict.REVIEW, "finance-other-currency"),
        Guarded("5.00", "2026-10-23", "GBP", Verdict.ALLOW, "finance-remind"),
        Guarded("4.99", "2026-10-23", "GBP", Verdict.DENY, "finance-trivial-amount"),
    ],
    ids=lambda case: f"{case.amount} {case.currency} since {case.due}",
)
def test_its_policies_hold_what_a_person_should_see_and_forbid_what_is_not_worth_it(
    world: World, case: Guarded
) -> None:
    world.publish(
        f"UPDATE invoice SET amount_open = {case.amount}, due_on = DATE '{case.due}', currency = '{case.currency}' "
        "WHERE number = 'INV-2001'"
    )
    decision = decided(world)["INV-2001"]
    assert (decision.verdict, decision.policies) == (case.verdict, (case.policy,))


REMINDERS = """
    INSERT INTO message BY NAME
    SELECT 'erp:customrecord_dunning:' || n AS record_id, 'org_acme' AS entity_id, 'erp' AS system,
        'customrecord_dunning' AS source_table, n AS source_key, 'h' AS row_hash, 'payment_reminder' AS kind,
        1 AS stage, 'erp:transaction:' || invoice AS invoice_record, sent AS sent_at, effect AS effect_key
    FROM (VALUES
        ('1', '1002', TIMESTAMPTZ '2026-09-22 10:00:00+00', 'reminder:erp:transaction:1002:1'),
        ('2', '1001', TIMESTAMPTZ '2026-10-05 10:00:00+00', 'reminder:erp:transaction:1001:1'),
        ('3', '2001', TIMESTAMPTZ '2026-10-24 10:00:00+00', NULL)
    ) AS m(n, invoice, sent, effect)
"""


def test_its_feedback_says_what_share_of_the_reminded_invoices_was_paid_later_and_how_much(tmp_path: Any) -> None:
    before_it = """
        INSERT INTO payment BY NAME
        SELECT 'erp:transaction:9001' AS record_id, 'erp:transaction:1002' AS invoice_record, 50 AS amount,
            'GBP' AS currency, DATE '2026-09-21' AS paid_on
    """
    path = build_graph(tmp_path / "later.duckdb", REMINDERS, before_it, built_at=BUILT_AT + timedelta(days=30))
    with EntityGraph(path) as graph:
        rows = graph.rows((FINANCE / "feedback.sql").read_text())
    assert [(row["metric"], row["unit"], row["value"]) for row in rows] == [
        ("amount_collected", "GBP", 800.0),
        ("days_to_payment", "days", 3.0),
        ("paid_after_reminder", "share", 0.5),
        ("paid_after_reminder_by_staff", "share", 0.0),
    ]


def test_its_feedback_measures_what_its_card_promises(tmp_path: Any) -> None:
    with EntityGraph(build_graph(tmp_path / "later.duckdb", REMINDERS)) as graph:
        measured = {row["metric"] for row in graph.rows((FINANCE / "feedback.sql").read_text())}
    assert {metric.name for metric in load_rules(Settings()).agents["finance"].card.metrics} <= measured
