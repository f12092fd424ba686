from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from orchestration.contracts import Verdict
from orchestration.errors import AgentError
from orchestration.gate import vocabulary
from orchestration.gate.policy import Ruling, load_policies
from orchestration.graph.rows import GoldenValue
from orchestration.registry import Agent, load_agents
from tests.unit.gate.case import ACME, ADA, AGENTS, Scene, rules


def ask(scene: Scene, **changes: Any) -> Ruling:
    case = scene.decide().case
    assert case is not None
    return rules().policies[scene.ask.agent].ask(replace(case, **changes), stopped=False)


def in_cedar(scene: Scene) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A request that is allowed, and its entities."""
    case = scene.decide().case
    assert case is not None
    entities = [
        vocabulary.principal(rules().agents["finance"].card, stopped=False),
        vocabulary.resource(case.action_type, case.found.entities["organisation"]),
    ]
    request = {
        "principal": {"type": "Agent", "id": "finance"},
        "action": {"type": "Action", "id": "send_payment_reminder"},
        "resource": {"type": "Organisation", "id": ACME},
        "context": vocabulary.context(case),
    }
    return request, entities


def written(folder: Path, policy: str, **card: str) -> Agent:
    copytree(AGENTS / "finance", folder / "finance")
    (folder / "finance" / "policy.cedar").write_text(policy, encoding="utf-8")
    yml = folder / "finance" / "agent.yml"
    text = yml.read_text(encoding="utf-8").replace("review: [finance-large]", f"review: {card.get('review', '[]')}")
    yml.write_text(text, encoding="utf-8")
    return load_agents(folder)["finance"]


PERMIT = '@id("mine")\npermit (principal, action, resource);\n'


def test_the_policies_that_permit_are_named() -> None:
    assert ask(Scene()) == Ruling(Verdict.ALLOW, ask(Scene()).reasons, ("finance-remind",))


def test_a_forbid_wins_over_every_permit_and_is_named() -> None:
    crown = {ACME: {"vat_number": GoldenValue("GBGD001", None)}, ADA: {}}
    ruling = ask(Scene().knowing(goldens=crown))
    assert ruling.verdict is Verdict.DENY
    assert [str(reason) for reason in ruling.reasons] == ["forbidden:finance-never-the-crown"]


def test_a_forbid_and_a_review_together_deny() -> None:
    crown = {ACME: {"vat_number": GoldenValue("GBGD001", None)}, ADA: {}}
    ruling = ask(Scene().knowing(goldens=crown).invoice(amount_open=Decimal(9000)))
    assert ruling.verdict is Verdict.DENY
    assert ruling.policies == ("finance-large", "finance-never-the-crown")


def test_an_objection_is_forbidden_by_the_core_too() -> None:
    case = Scene().invoice(amount_open=Decimal(0)).decide().case
    assert case is not None
    assert ask(Scene(), objections=case.objections).policies == ("core-standing",)


def test_a_request_that_is_allowed_is_denied_without_its_principal_or_its_resource() -> None:
    request, entities = in_cedar(Scene())
    policies = rules().policies["finance"]
    assert policies.rule(request, entities).verdict is Verdict.ALLOW
    for some in ([], entities[:1], entities[1:]):
        ruling = policies.rule(request, some)
        assert (ruling.verdict, [reason.code for reason in ruling.reasons]) == (Verdict.DENY, ["policy_error"])


def test_a_request_that_does_not_fit_the_schema_is_denied() -> None:
    request, entities = in_cedar(Scene())
    policies = rules().policies["finance"]
    context = request["context"]
    broken = [
        {name: value for name, value in context.items() if name != "objections"},
        {**context, "invoice": {}},
        {**context, "stage": "one"},
        {**context, "surprise": True},
        {**context, "invoice": {**context["invoice"], "amount_open": {"__extn": {"fn": "decimal", "arg": "lots"}}}},
    ]
    for one in broken:
        ruling = policies.rule({**request, "context": one}, entities)
        assert (ruling.verdict, [reason.code for reason in ruling.reasons]) == (Verdict.DENY, ["policy_error"])
    for role in (
        {"action": {"type": "Action", "id": "wire_money"}},
        {"principal": {"type": "Person", "id": "finance"}},
    ):
        assert policies.rule({**request, **role}, entities).verdict is Verdict.DENY


def test_an_attribute_that_is_missing_denies_though_no_policy_asks_for_it() -> None:
    request, entities = in_cedar(Scene())
    del entities[0]["attrs"]["stopped"]
    assert rules().policies["finance"].rule(request, entities).verdict is Verdict.DENY


def test_an_agents_permit_for_anyone_counts_for_nobody_else() -> None:
    case = Scene().decide().case
    assert case is not None
    assert "collections-anything-for-anyone" not in rules().policies["finance"].ask(case, stopped=False).policies


def test_what_no_policy_permits_is_denied(tmp_path: Path) -> None:
    agent = written(tmp_path, PERMIT.replace("principal,", 'principal == Agent::"another",'))
    policies = load_policies({"finance": agent}, rules().action_types)["finance"]
    ruling = policies.rule(*in_cedar(Scene()))
    assert (ruling.verdict, [reason.code for reason in ruling.reasons]) == (Verdict.DENY, ["not_permitted"])


def test_a_review_does_not_permit_what_nothing_permits(tmp_path: Path) -> None:
    text = PERMIT.replace("principal,", 'principal == Agent::"another",')
    text += '@id("look")\n@decision("review")\nforbid (principal, action, resource);\n'
    agent = written(tmp_path, text, review="[look]")
    policies = load_policies({"finance": agent}, rules().action_types)["finance"]
    assert policies.rule(*in_cedar(Scene())).verdict is Verdict.DENY


@pytest.mark.parametrize(
    ("policy", "review", "sentence"),
    [
        ("", "[]", "no `permit`"),
        ("permit (principal, action, resource)", "[]", "policies in Cedar"),
        ("permit (principal, action, resource);", "[]", "a policy without one"),
        (PERMIT + PERMIT, "[]", "'mine'"),
        ('@id("core-mine")\npermit (principal, action, resource);', "[]", "core-"),
        (PERMIT.replace("principal,", "principal == ?principal,"), "[]", "a template"),
        (PERMIT.replace(";", " when { context.colour };"), "[]", "fit the schema"),
        (PERMIT.replace(";", ' when { context.organisation.vat_number == "x" };'), "[]", "fit the schema"),
        (PERMIT.replace("@id", '@decision("review")\n@id'), "[mine]", "a permit that asks for review"),
        (PERMIT.replace("@id", '@decision("maybe")\n@id'), "[]", "'maybe'"),
        (PERMIT + '@id("look")\n@decision("review")\nforbid (principal, action, resource);', "[]", "(look)"),
        (PERMIT, "[look]", "found look"),
    ],
)
def test_a_policy_that_cannot_be_is_refused_when_it_is_loaded(
    policy: str, review: str, sentence: str, tmp_path: Path
) -> None:
    agent = written(tmp_path, policy or "// nothing\n", review=review)
    with pytest.raises(AgentError) as refused:
        load_policies({"finance": agent}, rules().action_types)
    assert sentence in str(refused.value)
    assert "needed" in str(refused.value)
