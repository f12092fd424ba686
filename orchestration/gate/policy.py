"""Policy: Cedar, wrapped so that it fails closed.

Bare Cedar allows where an entity is missing from its store, because forbid policies that err are skipped. Here an
error of any kind, a request that does not fit the schema, and no decision at all are denials, each with its reason.
An agent's policies are asked for that agent alone, together with the core's, so that they can widen nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cedarpy

from orchestration.action_types import ActionType
from orchestration.canonical import digest
from orchestration.contracts import Reason, Verdict
from orchestration.errors import AgentError, ConfigurationError
from orchestration.gate import vocabulary
from orchestration.gate.resolve import Case
from orchestration.registry import Agent, AgentCard

CORE: Final = Path(__file__).parent / "policies" / "core.cedar"
CORE_PREFIX: Final = "core-"
REVIEW: Final = "review"


@dataclass(frozen=True, slots=True)
class Ruling:
    """What policy says of a request."""

    verdict: Verdict
    reasons: tuple[Reason, ...]
    policies: tuple[str, ...]
    """Names of the policies that decided."""


@dataclass(frozen=True, slots=True)
class AgentPolicies:
    """The core's policies and one agent's, parsed and validated."""

    card: AgentCard
    schema: Any
    whole: Any
    """Every policy."""
    without_review: Any
    """Every policy but those that hold an action for a person."""
    review: frozenset[str]
    digest: str

    def ask(self, case: Case, *, stopped: bool) -> Ruling:
        """What policy says of a proposal whose references all resolved."""
        entity = case.found.entities[case.action_type.subject]
        entities = [vocabulary.principal(self.card, stopped=stopped), vocabulary.resource(case.action_type, entity)]
        request = {
            "principal": {"type": "Agent", "id": self.card.name},
            "action": {"type": "Action", "id": case.action_type.name},
            "resource": entities[1]["uid"],
            "context": vocabulary.context(case),
        }
        return self.rule(request, entities)

    def rule(self, request: dict[str, Any], entities: list[dict[str, Any]]) -> Ruling:
        """What policy says of a request in Cedar's own terms."""
        try:
            _all_known(request, entities)
            parsed = cedarpy.Entities.from_json_str(json.dumps(entities), self.schema)
            said = _asked(request, self.whole, parsed, self.schema)
            names = tuple(sorted(said.diagnostics.reasons))
            if said.decision == cedarpy.Decision.Allow:
                return Ruling(Verdict.ALLOW, tuple(Reason(code="permitted", subject=name) for name in names), names)
            return self._refused(request, parsed, names)
        except (_NoAnswerError, ValueError, TypeError) as problem:
            detail = f"Policy gave no answer: {str(problem)[:500]}."
            return Ruling(Verdict.DENY, (Reason(code="policy_error", detail=detail),), ())

    def _refused(self, request: dict[str, Any], entities: Any, names: tuple[str, ...]) -> Ruling:  # noqa: ANN401  cedarpy's own
        held = tuple(name for name in names if name in self.review)
        forbidding = tuple(name for name in names if name not in self.review)
        if forbidding:
            said = (Reason(code="forbidden", subject=name, detail=f"{name} forbids it.") for name in forbidding)
            return Ruling(Verdict.DENY, tuple(said), names)
        otherwise = _asked(request, self.without_review, entities, self.schema)
        if otherwise.decision != cedarpy.Decision.Allow:
            detail = f"No policy of {self.card.name} permits it."
            return Ruling(Verdict.DENY, (Reason(code="not_permitted", detail=detail),), names)
        asking = (Reason(code="review", subject=name, detail=f"{name} asks for a person's consent.") for name in held)
        return Ruling(Verdict.REVIEW, tuple(asking), held)


def load_policies(agents: Mapping[str, Agent], action_types: Mapping[str, ActionType]) -> dict[str, AgentPolicies]:
    """Each agent's policies with the core's, by agent.

    Raises:
        AgentError: An agent's policy cannot be parsed, has no name or a taken one, does not fit the schema, or its
            card does not name the policies that hold actions for a person.
        ConfigurationError: The core's own policies are missing or wrong.
    """
    text = vocabulary.schema(action_types.values())
    try:
        schema = cedarpy.Schema.from_str(text)
    except ValueError as problem:
        raise ConfigurationError("the action types", str(problem), "names that policies can speak of") from problem
    core = _policies(CORE, schema, ConfigurationError)
    if not core:
        raise ConfigurationError(str(CORE), "no policy", "the core's own policies")
    return {name: _of_agent(agent, core, schema, text) for name, agent in agents.items()}


def _of_agent(agent: Agent, core: dict[str, Any], schema: Any, text: str) -> AgentPolicies:  # noqa: ANN401  cedarpy's own
    own = _policies(agent.policy, schema, AgentError)
    if taken := [name for name in own if name.startswith(CORE_PREFIX) or name in core]:
        raise AgentError(f"{agent.policy}: @id", repr(taken[0]), f"a name that does not begin with {CORE_PREFIX!r}")
    review = frozenset(name for name, each in own.items() if each.get("annotations", {}).get("decision") == REVIEW)
    for name in review:
        if own[name]["effect"] != "forbid":
            raise AgentError(f"{agent.policy}: {name}", "a permit that asks for review", "`forbid` under @decision")
    if review != set(agent.card.review):
        listed = ", ".join(sorted(review)) or "none"
        found = ", ".join(agent.card.review) or "none"
        raise AgentError(f"{agent.folder / 'agent.yml'}: review", found, f"the policies marked for review ({listed})")
    if not any(each["effect"] == "permit" for each in own.values()):
        raise AgentError(str(agent.policy), "no `permit`", "at least one: what is not permitted is denied")
    every = core | own
    return AgentPolicies(
        card=agent.card,
        schema=schema,
        whole=_set(every),
        without_review=_set({name: each for name, each in every.items() if name not in review}),
        review=review,
        digest=digest({"schema": text, "policies": every}),
    )


def _policies(path: Path, schema: Any, error: type[ConfigurationError]) -> dict[str, Any]:  # noqa: ANN401  cedarpy's own
    """A file's policies by their `@id`, in Cedar's JSON form."""
    try:
        text = path.read_text(encoding="utf-8")
        parsed = json.loads(cedarpy.policies_to_json_str(text))
    except (OSError, ValueError) as problem:
        raise error(str(path), " ".join(str(problem).split()), "policies in Cedar") from problem
    if parsed["templates"] or parsed["templateLinks"]:
        raise error(str(path), "a template", "policies without ?principal or ?resource")
    named: dict[str, Any] = {}
    for each in parsed["staticPolicies"].values():
        annotations = each.get("annotations", {})
        name = annotations.get("id")
        if not name or name in named:
            raise error(f"{path}: @id", repr(name) if name else "a policy without one", "a name of its own on each")
        if annotations.get("decision", REVIEW) != REVIEW:
            raise error(f"{path}: {name}: @decision", repr(annotations["decision"]), f"{REVIEW!r}, or no annotation")
        named[name] = each
    checked = cedarpy.validate_policies(text, schema)
    if not checked.validation_passed:
        raise error(str(path), str(checked.errors[0]), "policies that fit the schema (see docs/architecture-gate.md)")
    return named


def _set(policies: Mapping[str, Any]) -> Any:  # noqa: ANN401  cedarpy's own
    document = {"staticPolicies": dict(policies), "templates": {}, "templateLinks": []}
    return cedarpy.PolicySet.from_json_str(json.dumps(document))


class _NoAnswerError(Exception):
    """Cedar decided nothing that counts."""


def _asked(request: dict[str, Any], policies: Any, entities: Any, schema: Any) -> Any:  # noqa: ANN401  cedarpy's own
    said = cedarpy.is_authorized(request, policies, entities, schema)
    if said.diagnostics.errors:
        raise _NoAnswerError("; ".join(said.diagnostics.errors))
    if said.decision not in {cedarpy.Decision.Allow, cedarpy.Decision.Deny}:
        raise _NoAnswerError("no decision")
    if said.decision == cedarpy.Decision.Allow and not said.diagnostics.reasons:
        raise _NoAnswerError("allowed, but by no policy")
    return said


def _all_known(request: Mapping[str, Any], entities: list[dict[str, Any]]) -> None:
    known = {(each["uid"]["type"], each["uid"]["id"]) for each in entities}
    for role in ("principal", "resource"):
        if (request[role]["type"], request[role]["id"]) not in known:
            raise _NoAnswerError(f"the {role} is not known")
