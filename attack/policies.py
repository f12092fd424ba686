"""Cedar where it errs and so allows, and policy files that would grant what they may not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import cedarpy

from attack.acting import came
from attack.ground import Ground
from attack.ruled import with_policy
from attack.suite import Group
from orchestration.contracts import Verdict
from orchestration.errors import PrecedeError
from orchestration.gate.policy import requested
from orchestration.gate.policy_files import made
from tests.unit.gate.case import NOW, Scene, an_entity, rules

GROUP: Final = Group("policy")
Request = dict[str, Any]
Entities = list[dict[str, Any]]
Broken = Callable[[Request, Entities], tuple[Request, Entities]]


def _sound() -> tuple[Request, Entities]:
    """A request that is allowed, and its entities."""
    case = Scene().decide().case
    if case is None:
        raise AssertionError("the sound case is none")
    request, entities = requested(case, rules().agents["finance"].card, stopped=False, now=NOW)
    return dict(request), entities


def _context(**changes: Any) -> Broken:
    def broken(request: Request, entities: Entities) -> tuple[Request, Entities]:
        context = {name: value for name, value in {**request["context"], **changes}.items() if value is not None}
        return {**request, "context": context}, entities

    return broken


def _less(which: int) -> Broken:
    def broken(request: Request, entities: Entities) -> tuple[Request, Entities]:
        attributes = entities[which]["attrs"]
        less = {name: attributes[name] for name in list(attributes)[1:]}
        return request, [{**each, "attrs": less} if each is entities[which] else each for each in entities]

    return broken


BROKEN: Mapping[str, tuple[str, Broken, str]] = {
    "no-entities": ("with no entities at all", lambda request, _: (request, []), "policy_unknown_entity"),
    "no-principal": ("without its principal", lambda request, each: (request, each[1:]), "policy_unknown_entity"),
    "no-resource": ("without its resource", lambda request, each: (request, each[:1]), "policy_unknown_entity"),
    "other-principal": (
        "by somebody of another kind",
        lambda request, each: ({**request, "principal": {"type": "Person", "id": "finance"}}, each),
        "policy_unknown_entity",
    ),
    "unknown-action": (
        "about an action that nobody declared",
        lambda request, each: ({**request, "action": {"type": "Action", "id": "wire_money"}}, each),
        "policy_schema",
    ),
    "principal-lacks": ("of an agent that lacks an attribute", _less(0), "policy_missing_attribute"),
    "resource-lacks": ("of an entity that lacks an attribute", _less(1), "policy_missing_attribute"),
    "no-objections": ("without what speaks against it", _context(objections=None), "policy_missing_attribute"),
    "no-credential": ("without the credential", _context(credential=None), "policy_missing_attribute"),
    "no-window": ("without the window", _context(window=None), "policy_missing_attribute"),
    "no-fact": ("without the invoice", _context(invoice={}), "policy_missing_attribute"),
    "wrong-type": ("with a stage in words", _context(stage="one"), "policy_schema"),
    "one-more": ("with an attribute more", _context(surprise=True), "policy_schema"),
}
"""Name to how Cedar is asked, and the reason that must come of it: bare Cedar allows some of these."""


def _asked(broken: Broken) -> Callable[[Ground], str]:
    def run(_: Ground) -> str:
        ruling = rules().policies["finance"].rule(*broken(*_sound()))
        return _ruled(ruling.verdict, [reason.code for reason in ruling.reasons])

    return run


def _ruled(verdict: Verdict, codes: list[str]) -> str:
    return f"{'denied' if verdict is Verdict.DENY else verdict.value}: {', '.join(codes)}"


for _name, (_told, _broken, _code) in BROKEN.items():
    GROUP.add(f"asked-{_name}", f"ask policy {_told}", f"denied: {_code}", _asked(_broken), quick=True)


@GROUP.attack("asked-nobody", expected="denied: no_policies", quick=True)
def no_policies(_: Ground) -> str:
    """ask policy where no policies are loaded"""
    known = rules().policies["finance"]
    ruling = made("finance", known.schema_text, known.schema, {}).rule(*_sound())
    return _ruled(ruling.verdict, [reason.code for reason in ruling.reasons])


class _Answering:
    """Cedar, when it says something that is no decision."""

    def __init__(self, decision: object) -> None:
        self.decision = decision
        self.diagnostics = type("Diagnostics", (), {"errors": [], "reasons": []})()


for _name, _decision in {"no-decision": cedarpy.Decision.NoDecision, "allow-by-nobody": cedarpy.Decision.Allow}.items():

    def _answering(ground: Ground, decision: object = _decision) -> str:
        ground.environment.setattr(cedarpy, "is_authorized", lambda *_: _Answering(decision))
        ruling = rules().policies["finance"].rule(*_sound())
        return _ruled(ruling.verdict, [reason.code for reason in ruling.reasons])

    GROUP.add(_name, f"have Cedar answer with {_name}", "denied: policy_no_decision", _answering, quick=True)


@GROUP.attack("forbid-that-errs", expected="denied: policy_error", quick=True)
def forbid_that_errs(ground: Ground) -> str:
    """have a forbid overflow, so that Cedar skips it and a permit wins"""
    world = ground.world()
    errs = 'action == Action::"send_payment_reminder", resource) when { context.stage + 9223372036854775807 > 0 };'
    world.rules = with_policy(ground.folder, f'@id("mean") forbid (principal, {errs}')
    return came(world, world.propose(world.wake(), world.debtors[0]))


FILES: Mapping[str, tuple[str, str]] = {
    "names-the-core": (
        "that takes the name of a policy of the core",
        '@id("core-standing") permit (principal, action, resource);',
    ),
    "without-a-name": ("with a policy that has no name", "permit (principal, action, resource);"),
    "name-twice": ("with a name twice", '@id("finance-remind") permit (principal, action, resource);'),
    "no-cedar": ("that is no Cedar", "ALLOW ALL;"),
    "unknown-attribute": (
        "that asks for what no request has",
        '@id("x") permit (principal, action, resource) when { context.root };',
    ),
    "template": ("with a template", '@id("x") permit (principal == ?principal, action, resource);'),
    "nul": ("with a NUL in it", '@id("x\x00") permit (principal, action, resource);'),
}


def _file(text: str) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        try:
            with_policy(ground.folder, text)
        except PrecedeError as refused:
            return f"refused: {type(refused).__name__}"
        return "loaded"

    return run


for _name, (_told, _text) in FILES.items():
    GROUP.add(f"file-{_name}", f"load a policy file {_told}", "refused: AgentError", _file(_text), quick=True)


@GROUP.attack("permit-for-everybody", expected="denied: not_permitted", quick=True)
def for_everybody(_: Ground) -> str:
    """let one agent's policy permit everything to all agents"""
    scene = Scene()
    known = dict(scene.rules.policies)
    alone = made("finance", known["finance"].schema_text, known["finance"].schema, _core(known["finance"].whole.named))
    ruling = alone.rule(*_sound())  # collections' permit for anybody is loaded beside, and counts for collections
    return _ruled(ruling.verdict, [reason.code for reason in ruling.reasons])


def _core(named: Mapping[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in named.items() if name.startswith("core-")}


NAMES: Final = {
    "cedar": 'org_1"; permit (principal, action, resource); //',
    "sql": "org_1'; DELETE FROM permit; --",
    "path": "../../../../etc/passwd",
    "nul": "org_\x00",
    "bidi": "org_\u202e1",
    "oversize": "org_" + "x" * 100_000,
    "escape": "org_\\u{22}\\",
}


def _named(entity: str) -> Callable[[Ground], str]:
    def run(_: Ground) -> str:
        scene = Scene()
        graph = scene.graph
        strange = an_entity(entity, "organisation", standing="not_reconciled", standing_reasons=("ambiguous_link",))
        scene = scene.knowing(entities={**graph.entities, entity: strange}, goldens={**graph.goldens, entity: {}})
        scene = scene.asking(woken_entity=entity).arguing(organisation=entity)
        decision = scene.decide().decision
        return _ruled(decision.verdict, [reason.code for reason in decision.reasons])

    return run


for _name, _entity in NAMES.items():
    GROUP.add(
        f"{_name}-in-an-entity-id",
        f"ask about an unreconciled entity whose id is written to break out ({_name})",
        "denied: ambiguous_link",
        _named(_entity),
        quick=True,
    )
