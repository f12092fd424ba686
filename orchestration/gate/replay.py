"""Deciding again what was decided, from what was kept of it alone: by the policies of then, or by others.

Standing, limits and whatever else spoke against it are taken as they were; only policy is asked anew. Nothing of the
graph or of the sources is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import cedarpy

from orchestration.canonical import digest
from orchestration.contracts import Reason, Verdict
from orchestration.gate.cedar import NoAnswer, Policies, ask, known
from orchestration.gate.policy import AgentPolicies, consented, deciding, together
from orchestration.gate.policy_files import is_review, made

Answer = Literal["yes", "no", "no answer"]
_VARIABLES: Final = frozenset({"context", "principal", "resource"})


@dataclass(frozen=True, slots=True)
class Kept:
    """A decision as it was recorded."""

    action: str
    agent: str
    verdict: Verdict
    reasons: tuple[Reason, ...]
    policies: tuple[str, ...]
    policy_digest: str
    request_digest: str
    policy_request: Mapping[str, Any] | None
    """What policy was asked; none where it could not be, or where it is not kept any more."""

    @property
    def edited(self) -> bool:
        """Whether what is kept is not what policy was asked."""
        return self.policy_request is not None and digest(self.policy_request) != self.request_digest


@dataclass(frozen=True, slots=True)
class Again:
    """What a decision comes to when it is made again."""

    verdict: Verdict
    reasons: tuple[Reason, ...]
    policies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """One policy of a set, asked alone."""

    name: str
    effect: str
    """`permit`, `forbid` or `review`."""
    satisfied: Answer
    """Whether its conditions held."""
    facts: Mapping[str, Any]
    """What it asks for, as it was told; what was not told is none."""


def again(kept: Kept, policies: AgentPolicies) -> Again | None:
    """What a decision comes to by those policies; none where what policy was asked is not kept."""
    if kept.policy_request is None:
        return None
    ruling = policies.rule(kept.policy_request["request"], kept.policy_request["entities"])
    reasons, verdict = together(map(Reason.model_validate, kept.policy_request["objections"]), ruling)
    if approval_id := kept.policy_request.get("approval"):
        reasons, verdict = consented(reasons, verdict, approval_id)
    return Again(verdict, tuple(reasons), deciding(verdict, ruling.policies, reasons))


def differences(kept: Kept, now: Again) -> list[str]:
    """In words, what a decision comes to otherwise than it was recorded; nothing where it is the same."""
    told = []
    if now.verdict is not kept.verdict:
        told.append(f"It was {kept.verdict.value}, and comes to {now.verdict.value}.")
    for what, then, today in (
        ("policies that decide", deciding(kept.verdict, kept.policies, kept.reasons), now.policies),
        ("reasons", sorted(map(str, kept.reasons)), sorted(map(str, now.reasons))),
    ):
        if list(then) != list(today):
            told.append(f"The {what} were {', '.join(then) or 'none'}, and are {', '.join(today) or 'none'}.")
    return told


def stored(agent: str, schema: str, policies: Mapping[str, Any], name: str) -> AgentPolicies | None:
    """A set of policies as it was kept; none where it is not the one of that digest any more, or cannot be read."""
    try:
        found = made(agent, schema, cedarpy.Schema.from_str(schema), policies)
    except ValueError:
        return None
    return found if found.digest == name else None


def each_asked(kept: Kept, policies: AgentPolicies) -> Iterator[Asked]:
    """Every policy of a set, by name: whether it was satisfied, and the facts that it asked for."""
    saw = kept.policy_request
    if saw is None:
        return
    for name, policy in sorted(policies.whole.named.items()):
        effect = "review" if is_review(policy) else policy["effect"]
        facts = {".".join(path): _told(path, saw) for path in sorted(set(_paths(policy.get("conditions", ()))))}
        yield Asked(name, effect, _satisfied(name, policy, saw, policies), facts)


def _satisfied(name: str, policy: Mapping[str, Any], saw: Mapping[str, Any], policies: AgentPolicies) -> Answer:
    try:
        entities = known(saw["request"], saw["entities"], policies.schema)
        said = ask(saw["request"], Policies.of({name: policy}), entities, policies.schema)
    except NoAnswer:
        return "no answer"
    return "yes" if name in said.policies else "no"


def _paths(expression: Any) -> Iterator[tuple[str, ...]]:  # noqa: ANN401  Cedar's JSON of any depth
    """The attributes that an expression asks for, such as `context`, `invoice`, `amount_open`."""
    if path := _path(expression):
        yield path
        return
    for part in expression.values() if isinstance(expression, dict) else ():
        yield from _paths(part)
    for part in expression if isinstance(expression, list) else ():
        yield from _paths(part)


def _path(expression: Any) -> tuple[str, ...]:  # noqa: ANN401  Cedar's JSON
    """An attribute of a variable, or of another such; nothing of anything else."""
    match expression:
        case {".": {"left": left, "attr": str(name)}} | {"has": {"left": left, "attr": str(name)}}:
            if set(left) == {"Var"}:
                return (left["Var"], name) if left["Var"] in _VARIABLES else ()
            before = _path(left)
            return (*before, name) if before else ()
        case _:
            return ()


def _told(path: tuple[str, ...], saw: Mapping[str, Any]) -> Any:  # noqa: ANN401  what a request tells
    variable, *rest = path
    value: Any = saw["request"]["context"]
    if variable != "context":
        uid = saw["request"][variable]
        value = next((each["attrs"] for each in saw["entities"] if each["uid"] == uid), {})
    for name in rest:
        value = value.get(name) if isinstance(value, dict) else None
    return value["__extn"]["arg"] if isinstance(value, dict) and "__extn" in value else value
