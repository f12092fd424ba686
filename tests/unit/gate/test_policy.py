from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from shutil import copytree
from typing import Any

import cedarpy
import pytest

from orchestration.contracts import Verdict
from orchestration.errors import AgentError, ConfigurationError
from orchestration.gate.policy import Ruling, requested
from orchestration.gate.policy_files import CORE, CORE_NAMES, load_policies, load_vocabulary, made
from orchestration.graph.rows import GoldenValue
from orchestration.limits import Window
from orchestration.registry import Agent, load_agents
from tests.unit.gate.case import ACME, ADA, AGENTS, NOW, Scene, rules


def ask(scene: Scene, **changes: Any) -> Ruling:
    case = scene.decide().case
    assert case is not None
    card = rules().agents[scene.ask.agent].card
    asked = requested(replace(case, **changes), card, stopped=False, now=NOW)
    return rules().policies[scene.ask.agent].rule(*asked)


def in_cedar(scene: Scene) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A request that is allowed, and its entities."""
    case = scene.decide().case
    assert case is not None
    request, entities = requested(case, rules().agents["finance"].card, stopped=False, now=NOW)
    return dict(request), entities


def written(folder: Path, policy: str, **card: str) -> Agent:
    copytree(AGENTS / "finance", folder / "finance")
    (folder / "finance" / "policy.cedar").write_text(policy, encoding="utf-8")
    yml = folder / "finance" / "agent.yml"
    text = yml.read_text(encoding="utf-8").replace("review: [finance-large]", f"review: {card.get('review', '[]')}")
    yml.write_text(text, encoding="utf-8")
    return load_agents(folder)["finance"]


AT_NIGHT = {"from": "22:00", "until": "23:59", "zone": "Europe/London"}
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


def refused(request: dict[str, Any], entities: list[dict[str, Any]]) -> list[str]:
    """The codes of a denial."""
    ruling = rules().policies["finance"].rule(request, entities)
    assert ruling.verdict is Verdict.DENY
    assert ruling.policies == ()
    return [reason.code for reason in ruling.reasons]


def test_bare_cedar_allows_what_is_denied_here_without_its_principal_or_its_resource() -> None:
    request, entities = in_cedar(Scene())
    policies = rules().policies["finance"]
    assert policies.rule(request, entities).verdict is Verdict.ALLOW
    for some in ([], entities[:1], entities[1:]):
        bare = cedarpy.is_authorized(request, policies.whole.parsed, some, policies.schema)
        assert bare.decision == cedarpy.Decision.Allow  # every forbid erred, and was skipped
        assert refused(request, some) == ["policy_unknown_entity"]


def test_an_error_in_any_policy_denies_though_cedar_skips_it_and_allows(tmp_path: Path) -> None:
    too_much = "context.stage + 9223372036854775807 > 0"
    text = (
        f'@id("mean")\nforbid (principal, action == Action::"send_payment_reminder", resource) when {{ {too_much} }};'
    )
    text = PERMIT + text
    policies = load_policies({"finance": written(tmp_path, text)}, rules().action_types)["finance"]
    request, entities = in_cedar(Scene())
    bare = cedarpy.is_authorized(request, policies.whole.parsed, entities, policies.schema)
    assert bare.decision == cedarpy.Decision.Allow
    assert "mean" in bare.diagnostics.errors[0]
    ruling = policies.rule(request, entities)
    assert (ruling.verdict, [reason.code for reason in ruling.reasons]) == (Verdict.DENY, ["policy_error"])


def test_a_request_that_does_not_fit_the_schema_is_denied_and_nothing_of_it_is_told() -> None:
    request, entities = in_cedar(Scene())
    context = request["context"]
    broken: list[tuple[str, dict[str, Any]]] = [
        ("policy_missing_attribute", {name: value for name, value in context.items() if name != "objections"}),
        ("policy_missing_attribute", {name: value for name, value in context.items() if name != "credential"}),
        ("policy_missing_attribute", {name: value for name, value in context.items() if name != "stage"}),
        ("policy_missing_attribute", {**context, "invoice": {}}),
        ("policy_schema", {**context, "stage": "one"}),
        ("policy_schema", {**context, "surprise": True}),
        ("policy_schema", {**context, "invoice": {**context["invoice"], "amount_open": "lots"}}),
        (
            "policy_schema",
            {**context, "invoice": {**context["invoice"], "amount_open": {"__extn": {"fn": "decimal", "arg": "lots"}}}},
        ),
    ]
    for code, one in broken:
        asked = {**request, "context": one}
        assert refused(asked, entities) == [code]
        (reason,) = rules().policies["finance"].rule(asked, entities).reasons
        assert "ada@" not in str(reason.model_dump())  # Cedar's own words quote the request
    assert refused({**request, "action": {"type": "Action", "id": "wire_money"}}, entities) == ["policy_schema"]
    stranger = {"principal": {"type": "Person", "id": "finance"}}
    assert refused({**request, **stranger}, entities) == ["policy_unknown_entity"]


@pytest.mark.parametrize("which", [0, 1])
def test_an_attribute_that_is_missing_denies_though_no_policy_asks_for_it(which: int) -> None:
    request, entities = in_cedar(Scene())
    for name in list(entities[which]["attrs"]):
        less = {key: value for key, value in entities[which]["attrs"].items() if key != name}
        some = [{**each, "attrs": less} if each is entities[which] else each for each in entities]
        assert refused(request, some) == ["policy_missing_attribute"]
    entities[which]["attrs"] |= {next(iter(entities[which]["attrs"])): 7}
    assert refused(request, entities) == ["policy_schema"]


def test_without_policies_nothing_is_allowed_nor_without_an_agents_own() -> None:
    request, entities = in_cedar(Scene())
    none = made("finance", rules().policies["finance"].schema_text, rules().policies["finance"].schema, {})
    ruling = none.rule(request, entities)
    assert (ruling.verdict, [reason.code for reason in ruling.reasons]) == (Verdict.DENY, ["no_policies"])
    unloaded = replace(Scene(), rules=replace(rules(), policies={}))
    assert unloaded.objections == {"no_policies"}
    assert unloaded.decide().transient


class Answering:
    """What Cedar could say one day: neither of its decisions, or an allow by nobody."""

    def __init__(self, decision: object) -> None:
        self.decision = decision
        self.diagnostics = type("Diagnostics", (), {"errors": [], "reasons": []})()


@pytest.mark.parametrize("decision", [cedarpy.Decision.NoDecision, cedarpy.Decision.Allow, None])
def test_no_decision_and_an_allow_by_no_policy_are_denials(decision: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cedarpy, "is_authorized", lambda *_: Answering(decision))
    assert refused(*in_cedar(Scene())) == ["policy_no_decision"]


def test_policies_and_schema_are_parsed_once_and_not_for_each_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    request, entities = in_cedar(Scene())
    policies = rules().policies["finance"]
    for parser in ("PolicySet", "Schema"):
        monkeypatch.setattr(cedarpy, parser, None)
    assert policies.rule(request, entities).verdict is Verdict.ALLOW
    assert {type(each).__name__ for each in (policies.schema, policies.whole.parsed)} == {"Schema", "PolicySet"}


CORE_ALONE = {
    "core-credential": [
        lambda scene: scene.asking(credential=None),
        lambda scene: scene.asking(credential=replace(scene.ask.credential, expired=True)),
        lambda scene: scene.asking(credential=replace(scene.ask.credential, revoked=True)),
    ],
    "core-scope": [
        lambda scene: scene.asking(credential=replace(scene.ask.credential, scopes=frozenset())),
        lambda scene: scene.asking(credential=replace(scene.ask.credential, scopes=frozenset({"propose:note_call"}))),
    ],
    "core-window": [
        lambda scene: scene.carded(windows=[AT_NIGHT]),
        lambda scene: scene.typed(windows=(Window.model_validate(AT_NIGHT),)),
    ],
    "core-residency": [
        lambda scene: scene.carded(residency=["GB", "IE"]),
        lambda scene: scene.carded(residency=["GB"]).knowing(countries={ACME: frozenset({"GB"})}),
        lambda scene: scene.carded(residency=["GB"]).knowing(
            countries={ACME: frozenset({"GB", "FR"}), ADA: frozenset({"GB"})}
        ),
    ],
}
"""What the core's policies forbid that nothing else speaks against."""
REASONS = {
    "core-credential": "bad_credential",
    "core-scope": "out_of_scope",
    "core-window": "outside_window",
    "core-residency": "not_resident",
}


@pytest.mark.parametrize(("name", "change"), [(name, one) for name, each in CORE_ALONE.items() for one in each])
@pytest.mark.parametrize("agent", ["finance", "collections"])
def test_the_core_forbids_it_to_every_agent_whatever_that_permits_itself(
    name: str, change: Callable[[Scene], Scene], agent: str
) -> None:
    scene = change(Scene().asking(agent=agent))
    if name == "core-credential" and scene.ask.credential is None:  # of none that is known no scope is known either
        assert scene.objections == {f"bad_credential:{name}", "out_of_scope:core-scope"}
    else:
        assert scene.objections == {f"{REASONS[name]}:{name}"}
    assert scene.decide().decision.permit is None


def test_what_the_core_alone_forbids_is_told_beside_what_else_speaks_against_it() -> None:
    scene = Scene().carded(residency=["FR"]).invoice(amount_open=Decimal(0))
    assert scene.objections == {"invoice_paid:erp:transaction:100", "not_resident:core-residency"}


def test_an_entity_of_the_countries_that_the_card_names_may_be_acted_on() -> None:
    countries = {ACME: frozenset({"GB", "IE"}), ADA: frozenset({"IE"})}
    assert Scene().carded(residency=["GB", "IE"]).knowing(countries=countries).objections == {
        "permitted:finance-remind"
    }


@pytest.mark.parametrize("missing", sorted(CORE_NAMES))
def test_a_core_that_lacks_a_policy_loads_for_nobody(missing: str, tmp_path: Path) -> None:
    core = tmp_path / "core.cedar"
    core.write_text(CORE.read_text(encoding="utf-8").replace(f'@id("{missing}")', '@id("core-else")'), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=missing):
        load_vocabulary(rules().action_types, core)


def test_a_core_that_permits_loads_for_nobody(tmp_path: Path) -> None:
    core = tmp_path / "core.cedar"
    text = CORE.read_text(encoding="utf-8").replace('@id("core-standing")\nforbid', '@id("core-standing")\npermit')
    core.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="core-standing, which forbids nothing"):
        load_vocabulary(rules().action_types, core)


def test_a_decision_holds_what_policy_was_asked_and_what_else_spoke_against_it() -> None:
    saw = Scene().invoice(disputed=True).decide().decision.policy_request
    assert saw is not None
    assert saw["request"]["context"]["invoice"]["disputed"] is True
    assert saw["request"]["context"]["now"] == {"__extn": {"fn": "datetime", "arg": "2026-11-02T09:00:00Z"}}
    assert [each["uid"]["id"] for each in saw["entities"]] == ["finance", ACME]
    assert [each["code"] for each in saw["objections"]] == ["invoice_disputed"]
    assert Scene().arguing(organisation="org_nobody").decide().decision.policy_request is None


def test_an_action_type_that_is_not_on_its_card_breaks_no_policy_of_an_agent_and_is_denied(tmp_path: Path) -> None:
    any_action = PERMIT + '@id("third")\nforbid (principal, action, resource) when { context.stage == 3 };'
    agent = written(tmp_path, any_action)
    assert "correct_vat_number" in rules().action_types
    policies = load_policies({"finance": agent}, rules().action_types)["finance"]
    request, entities = in_cedar(Scene())
    assert policies.rule(request, entities).verdict is Verdict.ALLOW
    asked = {**request, "action": {"type": "Action", "id": "correct_vat_number"}}
    assert [reason.code for reason in policies.rule(asked, entities).reasons] == ["policy_schema"]
    alone = load_policies({"finance": agent}, {"send_payment_reminder": rules().action_types["send_payment_reminder"]})
    assert alone["finance"].digest == policies.digest


def test_an_agents_permit_for_anyone_counts_for_nobody_else() -> None:
    assert "collections-anything-for-anyone" not in ask(Scene()).policies


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
        (PERMIT.replace("mine", "mi\x07ne"), "[]", "can be printed"),
        ('@id("core-mine")\npermit (principal, action, resource);', "[]", "core-"),
        (PERMIT.replace("@id", '@reason("mine")\n@id'), "[]", "not the core's"),
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
