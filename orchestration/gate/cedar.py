"""Cedar, asked so that whatever is no clear answer is a denial with a reason of ours.

Bare Cedar allows where an entity is missing from its store, because policies that err are skipped. So an unknown
entity, a missing attribute, a request that does not fit the schema, an error in any policy, no policy at all and no
decision are each refused here. What Cedar says of an error quotes the request, and with it people's data: it is told
to nobody.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import cedarpy

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

    @classmethod
    def of(cls, named: Mapping[str, Any]) -> Policies:
        """Parse policies.

        Raises:
            ValueError: One of them is none.
        """
        document = {"staticPolicies": dict(named), "templates": {}, "templateLinks": []}
        return cls(named, cedarpy.PolicySet.from_json_str(json.dumps(document)))

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
    found = {(each["uid"]["type"], each["uid"]["id"]): each["attrs"] for each in entities}
    for role in ("principal", "resource"):
        attributes = found.get((request[role]["type"], request[role]["id"]))
        if attributes is None:
            raise NoAnswer("policy_unknown_entity")
        if vocabulary.ATTRIBUTES.get(request[role]["type"], frozenset()) - attributes.keys():
            raise NoAnswer("policy_missing_attribute")
    if vocabulary.REQUIRED - request["context"].keys():
        raise NoAnswer("policy_missing_attribute")
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
    errors = said.diagnostics.errors
    if said.decision not in {cedarpy.Decision.Allow, cedarpy.Decision.Deny}:
        raise NoAnswer(_why(errors))
    if errors:
        raise NoAnswer("policy_error")
    if said.decision == cedarpy.Decision.Allow and not said.diagnostics.reasons:
        raise NoAnswer("policy_no_decision")
    return Said(said.decision == cedarpy.Decision.Allow, tuple(sorted(said.diagnostics.reasons)))


def _why(errors: list[str]) -> str:
    """Why Cedar made no request of what it was handed."""
    text = " ".join(errors)
    if "to have an attribute" in text:
        return "policy_missing_attribute"
    return "policy_schema" if text else "policy_no_decision"
