from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from orchestration.gate.readset import tool_call
from orchestration.graph.rows import GoldenValue, SnapshotInput
from tests.unit.gate.case import ACME, ADA, MAILBOX, NOW, Scene, a_contact


def digest_of(scene: Scene) -> str:
    return scene.decide().decision.read_set_digest


def test_a_graph_published_anew_with_the_same_values_has_the_same_read_set() -> None:
    scene = Scene()
    again = scene.snapshot(
        snapshot_id="snap_2",
        built_at=NOW,
        run_id="run-2",
        previous_snapshot="snap_1",
        inputs=(SnapshotInput("crm/company", 99, "run-2", "v2"),),
    ).storing(
        snapshot_id="snap_2", pin=scene.store.pin and scene.store.pin.model_copy(update={"data_version": "snap_2"})
    )
    assert again.decide().decision.permit is not None
    assert digest_of(again) == digest_of(scene)


def test_links_found_with_another_probability_have_the_same_read_set() -> None:
    scene = Scene()
    weaker = {
        entity: tuple(replace(record, probability=0.91, reason="model") for record in records)
        for entity, records in scene.graph.records.items()
    }
    moved = scene.entity(ACME, version="v2", record_count=3).knowing(records=weaker)
    assert digest_of(moved) == digest_of(scene)


def test_a_later_look_at_the_same_facts_has_the_same_read_set() -> None:
    assert digest_of(replace(Scene(), now=NOW + timedelta(minutes=5))) == digest_of(Scene())


@pytest.mark.parametrize(
    "changed",
    [
        Scene().invoice(amount_open=Decimal("60.00")),
        Scene().invoice(amount_open=Decimal(0)),
        Scene().invoice(due_on=date(2026, 10, 2)),
        Scene().knowing(goldens={ACME: {"name": GoldenValue("Acme Holdings Ltd", None)}, ADA: {}}),
        Scene().knowing(contacts={("email", MAILBOX): (a_contact(asserted_by="verified"),)}),
        Scene().entity(ACME, resolution={"crm": "linked", "erp": "linked", "support": "linked"}),
        Scene().entity(ADA, opted_out=True),
        Scene().storing(pin=None),
        Scene().asking(trigger_values={"stage": 2}),
        replace(Scene(), now=NOW + timedelta(hours=26)),
    ],
    ids=[
        "part paid",
        "paid",
        "due later",
        "renamed",
        "mailbox proved",
        "linked",
        "opted out",
        "no pin",
        "trigger",
        "stale",
    ],
)
def test_a_value_or_a_clause_that_changed_changes_the_read_set(changed: Scene) -> None:
    assert digest_of(changed) != digest_of(Scene())


def test_a_read_set_is_json_and_holds_no_match_weight_and_no_snapshot() -> None:
    written = json.dumps(Scene().decide().decision.read_set)
    assert "snap_1" not in written
    assert "probability" not in written


def test_the_customer_is_the_key_of_the_record_that_the_invoice_names() -> None:
    case = Scene().invoice(organisation_key="whatever", organisation_record="erp:customer:A:9").decide().case
    assert case is not None
    call = tool_call(case)
    assert call is not None
    assert call[0]["customer"] == "A:9"


def test_a_tool_is_not_called_without_a_value_that_it_needs() -> None:
    scene = Scene().invoice(organisation_record=None)
    case = scene.decide().case
    assert case is not None
    assert tool_call(case) is None
    assert scene.decide().decision.permit is None
