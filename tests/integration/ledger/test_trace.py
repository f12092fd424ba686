from __future__ import annotations

import json

import pytest
from sqlalchemy import text, update

from orchestration.contracts import Pin
from orchestration.errors import NotFound
from orchestration.ledger.trace import trace
from orchestration.store import tables
from orchestration.store.engine import Store
from tests.integration.ledger import recording, story
from tests.integration.ledger.story import BATCH, DENIED, DONE, GRAPH_PIN, LINE, NOW, READ_SET, SOURCE_ROW


def test_the_walk_leads_from_the_effect_to_the_source_rows_as_they_were(told: Store) -> None:
    found = trace(told, DONE)
    assert (found.agent, found.action_type, found.entity) == ("finance", "send_payment_reminder", "org_1")
    assert (found.decision, [str(reason) for reason in found.reasons]) == ("allow", ["invoice_paid:erp:transaction:42"])
    assert found.policies == ("finance.external",)
    assert found.permit == f"permit_{DONE}"
    assert found.permit_detail is not None
    assert found.permit_detail.consumed_at is not None
    assert found.outcome == "done"
    assert found.outcome_detail is not None
    assert (found.outcome_detail.tool, found.outcome_detail.reference) == (
        "erp/write_payment_reminder",
        "erp:dunning:9",
    )
    assert (found.snapshot, found.materialisations, found.read_set) == ("snap_1", (GRAPH_PIN,), READ_SET)
    assert found.source_rows == (SOURCE_ROW, LINE)
    assert found.entities["entity"][0]["name"] == "Ada's Äpfel GmbH"
    assert [(entry.kind, entry.sound) for entry in found.ledger] == [
        ("decision", True),
        ("intent", True),
        ("outcome", True),
    ]
    assert found.problems == ()


def test_a_denied_action_has_reasons_and_no_permit_and_no_outcome(told: Store) -> None:
    found = trace(told, DENIED)
    assert (found.decision, found.permit, found.permit_detail, found.outcome) == ("deny", None, None, None)
    assert [reason.code for reason in found.reasons] == ["invoice_paid"]
    assert found.source_rows == (SOURCE_ROW, LINE)


def test_an_action_that_nobody_has_decided_yet_can_be_traced(told: Store) -> None:
    with told.begin() as connection:
        story.propose(connection, "act_2222")
    found = trace(told, "act_2222")
    assert (found.decision, found.snapshot, found.source_rows, found.ledger) == (None, "snap_1", (), ())
    assert found.materialisations == (GRAPH_PIN,)
    assert found.problems == ()


def test_the_last_decision_counts(told: Store) -> None:
    with told.begin() as connection:
        again = connection.execute(text("SELECT max(decision_id) FROM decision")).scalar_one() + 1
        row = connection.execute(tables.decision.select().where(tables.decision.c.action == DENIED)).mappings().one()
        connection.execute(tables.decision.insert().values({**row, "decision_id": again, "verdict": "review"}))
        recording.decided(connection, again, at=NOW)
    found = trace(told, DENIED)
    assert (found.decision, len(found.ledger), found.problems) == ("review", 2, ())


def test_the_batchs_own_materialisation_is_named_once_it_is_closed(told: Store) -> None:
    closed = Pin(asset_key="effects/finance", storage_id=9, run_id="run-2", data_version="v")
    with told.begin() as connection:
        connection.execute(update(tables.batch).values(effects_pin=closed.model_dump()))
    assert trace(told, DONE).materialisations == (GRAPH_PIN, closed)


def test_a_trace_is_one_json_object_with_the_names_that_users_know(told: Store) -> None:
    found = json.loads(trace(told, DONE).model_dump_json())
    assert {"action", "entity", "permit", "decision", "snapshot", "materialisations", "source_rows"} <= found.keys()
    assert (found["action"], found["entity"], found["decision"]) == (DONE, "org_1", "allow")
    assert found["source_rows"][0]["record_id"] == "erp:transaction:42"


def test_the_beginning_of_an_id_is_enough_where_it_names_one_action(told: Store) -> None:
    assert trace(told, "act_1111a").action == DONE
    with pytest.raises(
        NotFound, match=rf"More than one action begins with 'act_1111': {DONE}, {DENIED}; .* more of it"
    ):
        trace(told, "act_1111")


@pytest.mark.parametrize("unknown", ["act_9", "", "act%", "act_1111aaaaa", "'; DROP TABLE proposal"])
def test_an_id_that_names_nothing_says_so(told: Store, unknown: str) -> None:
    with pytest.raises(NotFound, match=r"No action has the id .* needed one that exists; list them with"):
        trace(told, unknown)


def test_an_id_is_found_before_the_longer_ones_that_begin_with_it(told: Store) -> None:
    with told.begin() as connection:
        story.propose(connection, f"{DONE}0")
    assert trace(told, DONE).action == DONE


def test_a_trace_over_edited_rows_says_so(told: Store) -> None:
    with told.begin() as connection:
        connection.execute(
            update(tables.evidence).where(tables.evidence.c.action == DONE).values(source_rows=[{"record_id": "x"}])
        )
        connection.execute(text("UPDATE ledger_payload SET salt = 'f' WHERE seq = 6"))
    found = trace(told, DONE)
    assert [entry.sound for entry in found.ledger] == [True, True, False]
    assert any(
        problem.startswith(f"The store's row was edited: the evidence of action {DONE}") for problem in found.problems
    )
    assert trace(told, DENIED).problems == ()


def test_the_batch_of_a_trace_is_the_one_that_woke_the_agent(told: Store) -> None:
    assert (trace(told, DONE).batch, trace(told, DONE).business_date) == (BATCH, "2026-11-02")
