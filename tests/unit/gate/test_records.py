"""An action on one record of an entity: a correction of what its system states."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from orchestration.action_types import ActionType
from orchestration.contracts import EntityId, Verdict
from orchestration.gate.known import Credential
from orchestration.gate.policy_files import load_policies
from orchestration.graph.rows import GoldenValue
from orchestration.registry import AgentCard
from orchestration.settings import PROJECT
from tests.unit.gate.case import ACME, Scene, rules

FILE = PROJECT / "orchestration" / "actions" / "correct_vat_number.yml"
GIVEN = yaml.safe_load(FILE.read_text(encoding="utf-8"))
RIGHT, WRONG, COMPANY = "GB980780684", "GB220430231", "crm:company:1"


def stating(**fields: Any) -> dict[str, dict[str, Any]]:
    system, _, key = COMPANY.split(":")
    return {COMPANY: {"record_id": COMPANY, "system": system, "source_key": key, "vat_number": WRONG, **fields}}


def scene() -> Scene:
    """Collections, which permits itself everything, corrects the number that the CRM states of Acme."""
    known = rules()
    agent = known.agents["collections"]
    card = AgentCard.model_validate({**agent.card.model_dump(by_alias=True), "action_types": ["correct_vat_number"]})
    agents = {"collections": replace(agent, card=card)}
    mine = replace(known, agents=agents, policies=load_policies(agents, known.action_types))
    credential = Credential(frozenset({"propose:correct_vat_number"}), expired=False, revoked=False)
    asking = Scene().asking(
        agent="collections",
        action_type="correct_vat_number",
        arguments={"organisation": ACME, "company": COMPANY},
        trigger_values={"company": COMPANY},
        credential=credential,
    )
    golden = {ACME: {"vat_number": GoldenValue(RIGHT, None)}}
    return replace(asking.knowing(goldens=golden, stated=stating()), rules=mine)


def test_the_right_number_and_the_one_found_are_computed_and_not_supplied() -> None:
    permit = scene().decide().decision.permit
    assert permit is not None
    assert (permit.tool_server, permit.tool) == ("crm", "write_vat_number")
    assert permit.tool_arguments == {"company": "1", "found": WRONG, "right": RIGHT}
    assert permit.effect_key == f"vat_number:{COMPANY}:{WRONG}:{RIGHT}"
    assert permit.facts == (COMPANY,)
    assert permit.entities == (EntityId(ACME),)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda each: each.arguing(company="crm:company:2"), "unknown_record:org_acme"),
        (
            lambda each: each.arguing(company="crm:contact:1"),
            "unknown_record:org_acme",
        ),  # of the person, not of the firm
        (lambda each: each.knowing(stated={}), "unknown_record:org_acme"),
        (lambda each: each.knowing(records={}), "unknown_record:org_acme"),
        (lambda each: each.knowing(stated=stating(system="erp")), f"record_of_another_system:{COMPANY}"),
        (lambda each: each.knowing(stated=stating(vat_number=RIGHT)), f"nothing_to_correct:{COMPANY}"),
        (lambda each: each.knowing(goldens={}), f"nothing_to_correct:{COMPANY}"),
        (lambda each: each.knowing(stated=stating(vat_number=None)), "unknown_value"),
        (lambda each: each.knowing(conflicts={ACME: frozenset({"vat_number"})}), "conflict:org_acme"),
        (lambda each: each.entity(ACME, standing="not_reconciled"), "not_reconciled:org_acme"),
        (lambda each: each.arguing(right="GB000000000"), "unexpected_argument:right"),
    ],
)
def test_nothing_else_is_corrected(change: Any, said: str) -> None:
    decision = change(scene()).decide().decision
    assert decision.verdict is Verdict.DENY
    assert said in {str(reason) for reason in decision.reasons}


def test_a_number_that_the_record_states_otherwise_by_then_is_another_read_set() -> None:
    before = scene().decide().decision
    after = scene().knowing(stated=stating(vat_number="GB333333333")).decide().decision
    assert before.read_set_digest != after.read_set_digest


def test_policies_may_speak_of_what_the_record_states() -> None:
    saw = scene().decide().decision.policy_request
    assert saw is not None
    assert saw["request"]["context"]["company"] == {"vat_number": WRONG}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"system": "support"}, "those under `linked`"),
        ({"of": "nobody"}, "found nobody"),
        ({"reads": ["shoe_size"], "differs": []}, "found shoe_size"),
        ({"reads": [], "differs": ["vat_number"]}, "missing vat_number"),
        ({"reads": ["vat_number", "phone"], "differs": ["phone"]}, "missing phone"),
    ],
)
def test_a_record_parameter_that_cannot_be_is_refused(changes: dict[str, Any], sentence: str) -> None:
    declared = deepcopy(GIVEN)
    declared["parameters"]["company"] |= changes
    with pytest.raises(ValidationError) as refused:
        ActionType.model_validate(declared)
    assert sentence in str(refused.value)
