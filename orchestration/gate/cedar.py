"""Cedar, asked so that whatever is no clear answer is a denial with a reason of ours.

Bare Cedar allows where an entity is missing from its store, because policies that err are skipped. So an unknown
entity, a missing attribute, a request that does not fit the schema, an error in any policy, no policy at all and no
decision are each refused here. What Cedar says of an error quotes the request, and with it people's data: it is told
to nobody.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import cedarpy
import orjson

from orchestration.contracts import Reason
from orchestration.gate import vocabulary

Request = Mapping[str, Any]
"""Principal, action, resource and context, as Cedar's JSON has them."""
Entities = list[dict[str, Any]]

NO_ANSWER: Final[dict[str, str]] = {
    "no_policies": "No policies are loaded for the agent.",
    "policy_unknown_entity": "Policy was asked of an entity that is not known.",
    "policy_missing_attribute": "Policy was asked without an attribute that every request has.",
    "policy_schema": "What policy was asked does not fit the schema of the action types.",
    "policy_error": "A policy could not be evaluated.",
    "policy_no_decision": "Policy came to no decision.",
}
"""Why there is no answer, and what each says to a person."""


class NoAnswer(Exception):  # noqa: N818  reads as the sentence it is
    """Cedar decided nothing that counts.

    Args:
        code: Why, one of `NO_ANSWER`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.reason = Reason(code=code, detail=NO_ANSWER[code])


@dataclass(frozen=True, slots=True)
class Policies:
    """Policies by name, as Cedar has parsed them."""

    named: Mapping[str, Any]
    """In Cedar's JSON form."""
    parsed: Any
    ask_alone: bool = False
    """Whether a condition names an entity: it could tell whether others are asked about at the same time."""

    @classmethod
    def of(cls, named: Mapping[str, Any]) -> Policies:
        """Parse policies.

        Raises:
            ValueError: One of them is none.
        """
        document = {"staticPolicies": dict(named), "templates": {}, "templateLinks": []}
        names_one = any(_names_an_entity(each.get("conditions")) for each in named.values())
        return cls(named, cedarpy.PolicySet.from_json_str(json.dumps(document)), names_one)

    def without(self, names: frozenset[str]) -> Policies:
        """All of them but those."""
        return Policies.of({name: each for name, each in self.named.items() if name not in names})


@dataclass(frozen=True, slots=True)
class Said:
    """A clear answer: whether it is allowed, and the policies that made it so; none where nothing permits it."""

    allowed: bool
    policies: tuple[str, ...]


def known(request: Request, entities: Entities, schema: Any) -> Any:  # noqa: ANN401  cedarpy's own
    """The entities of a request as Cedar has them, where all that it names is among them, with all that it takes.

    Raises:
        NoAnswer: One is not known, lacks an attribute, or does not fit the schema.
    """
    _named(request, entities)
    try:
        return cedarpy.Entities.from_json_str(json.dumps(entities), schema)
    except (ValueError, TypeError) as problem:
        raise NoAnswer("policy_schema") from problem


def ask(request: Request, policies: Policies, entities: Any, schema: Any) -> Said:  # noqa: ANN401  cedarpy's own
    """What policies say of a request whose entities are `known`.

    Raises:
        NoAnswer: Nothing that counts.
    """
    if not policies.named:
        raise NoAnswer("no_policies")
    try:
        said = cedarpy.is_authorized(dict(request), policies.parsed, entities, schema)
    except (ValueError, TypeError) as problem:
        raise NoAnswer("policy_schema") from problem
    return _clear(said)


def _clear(said: Any) -> Said:  # noqa: ANN401  cedarpy's own
    """What an answer says, where it is a clear one."""
    errors, decision, reasons = said.diagnostics.errors, said.decision, said.diagnostics.reasons
    if decision not in {cedarpy.Decision.Allow, cedarpy.Decision.Deny}:
        raise NoAnswer(_why(errors))
    if errors:
        raise NoAnswer("policy_error")
    if decision == cedarpy.Decision.Allow and not reasons:
        raise NoAnswer("policy_no_decision")
    return Said(decision == cedarpy.Decision.Allow, tuple(sorted(reasons)))


def _why(errors: list[str]) -> str:
    """Why Cedar made no request of what it was handed."""
    text = " ".join(errors)
    if "to have an attribute" in text:
        return "policy_missing_attribute"
    return "policy_schema" if text else "policy_no_decision"


@dataclass(frozen=True, slots=True)
class Together:
    """Requests of one agent that are asked at once, so that their entities and what they share is read once.

    It says what `ask` says of each alone, or nothing of those that have to be asked alone: whatever is odd about them.
    """

    requests: Mapping[int, dict[str, Any]] = field(default_factory=dict)
    """By their place among those that were to be asked."""
    entities: Any = None
    schema: Any = None

    @classmethod
    def of(
        cls,
        asked: Sequence[tuple[Request, Entities]],
        schema: Any,  # noqa: ANN401  cedarpy's own
        told: Callable[[Request], str | None],
        told_schema: Any,  # noqa: ANN401  cedarpy's own
    ) -> Together:
        """Those of some requests that can be asked at once.

        Args:
            asked: Requests and their entities.
            schema: What the entities have to fit.
            told: A request's context as it is asked with, as JSON; none where it has to be asked alone.
            told_schema: What that has to fit.
        """
        requests: dict[int, dict[str, Any]] = {}
        common: dict[tuple[str, str], dict[str, Any]] = {}
        for number, (request, entities) in enumerate(asked):
            try:
                _named(request, entities)
                context = told(request)
            except (NoAnswer, TypeError):
                continue
            if (
                context is not None
                and request["principal"] == asked[0][0]["principal"]
                and _common(request, entities, common)
            ):
                requests[number] = {**request, "context": context}
        try:
            known_to_all = cedarpy.Entities.from_json_str(orjson.dumps(list(common.values())).decode(), schema)
        except (ValueError, TypeError):
            return cls()
        return cls(requests, known_to_all, told_schema)

    def ask(self, policies: Policies, which: Iterable[int]) -> dict[int, Said]:
        """What policies say of those requests; of one that has no clear answer, nothing."""
        numbers = [number for number in which if number in self.requests]
        if not numbers or not policies.named or policies.ask_alone:
            return {}
        requests = [self.requests[number] for number in numbers]
        try:
            answers = cedarpy.is_authorized_batch(requests, policies.parsed, self.entities, self.schema)
        except (ValueError, TypeError):
            return {}
        found = {}
        for number, said in zip(numbers, answers, strict=True):
            try:
                found[number] = _clear(said)
            except NoAnswer:
                continue  # to be asked alone, for the reason that is said then
        return found


def _named(request: Request, entities: Entities) -> None:
    """Refuse a request that names what is not known, or lacks what it takes."""
    found = {(each["uid"]["type"], each["uid"]["id"]): each["attrs"] for each in entities}
    for role in ("principal", "resource"):
        attributes = found.get((request[role]["type"], request[role]["id"]))
        if attributes is None:
            raise NoAnswer("policy_unknown_entity")
        if vocabulary.ATTRIBUTES.get(request[role]["type"], frozenset()) - attributes.keys():
            raise NoAnswer("policy_missing_attribute")
    if vocabulary.REQUIRED - request["context"].keys():
        raise NoAnswer("policy_missing_attribute")


def _common(request: Request, entities: Entities, common: dict[tuple[str, str], dict[str, Any]]) -> bool:
    """Add a request's own two entities to those that are known to all; whether nobody else's are otherwise."""
    own = {(each["uid"]["type"], each["uid"]["id"]): each for each in entities}
    wanted = {(request[role]["type"], request[role]["id"]) for role in ("principal", "resource")}
    if own.keys() != wanted or len(own) != len(entities) or any(each["parents"] for each in entities):
        return False
    if any(common.get(uid, each) != each for uid, each in own.items()):
        return False
    common |= own
    return True


def _names_an_entity(said: Any) -> bool:  # noqa: ANN401  part of a policy in Cedar's JSON form
    """Whether a condition names an entity that could be read: any but actions, and agents, of which one is asked."""
    if isinstance(said, list):
        return any(map(_names_an_entity, said))
    if not isinstance(said, dict):
        return False
    named = said.get("__entity")
    return (named is not None and _kind(named) not in {"Action", "Agent"}) or any(map(_names_an_entity, said.values()))


def _kind(named: Any) -> object:  # noqa: ANN401  part of a policy in Cedar's JSON form
    return named.get("type") if isinstance(named, dict) else None
