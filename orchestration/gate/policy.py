"""Policy: what Cedar says of a proposal, with every deciding policy by name.

An agent's policies are asked for that agent alone, together with the core's, so that they can widen nothing. How they
are read from their files stands in `policy_files.py`, and how Cedar is asked in `cedar.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from orchestration.contracts import Reason, Verdict
from orchestration.gate import vocabulary
from orchestration.gate.cedar import Entities, NoAnswer, Policies, Request, Said, Together, ask, known
from orchestration.gate.narrow import Narrow
from orchestration.gate.resolve import Case
from orchestration.registry import AgentCard

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

    agent: str
    schema: Any
    schema_text: str
    whole: Policies
    """Every policy."""
    without_review: Policies
    """Every policy but those that hold an action for a person."""
    review: frozenset[str]
    digest: str
    """Of schema and policies: what a decision names them by."""
    narrow: Narrow | None = None
    """What they read of requests; none where they read all of it, or it cannot be told."""

    def rule(self, request: Request, entities: Entities) -> Ruling:
        """What policy says of a request."""
        try:
            parsed = known(request, entities, self.schema)
            said = ask(request, self.whole, parsed, self.schema)
            permitted = ask(request, self.without_review, parsed, self.schema).allowed if self._held(said) else None
        except NoAnswer as problem:
            return Ruling(Verdict.DENY, (problem.reason,), ())
        return self._ruled(said, permitted=permitted)

    def rule_all(self, asked: Sequence[tuple[Request, Entities]]) -> list[Ruling]:
        """What policy says of each of some requests, as `rule` says it of one, and asked at once where they can be."""
        at_once = Together.of(asked, self.schema, self._told, self.narrow.schema if self.narrow else self.schema)
        said = at_once.ask(self.whole, range(len(asked)))
        held = [number for number, each in said.items() if self._held(each)]
        without = at_once.ask(self.without_review, held)
        for number in held:
            if number not in without:
                del said[number]
        return [
            self._ruled(said[number], permitted=without[number].allowed if number in without else None)
            if number in said
            else self.rule(*each)
            for number, each in enumerate(asked)
        ]

    def _told(self, request: Request) -> str | None:
        """A request's context as Cedar is asked with where there are many, as JSON."""
        if self.narrow is None:
            return orjson.dumps(request["context"]).decode()
        return self.narrow.context(request["action"]["id"], request["context"])

    def _held(self, said: Said) -> bool:
        """Whether nothing but a person's consent may be missing, so that it is asked what is permitted with that."""
        return not said.allowed and all(name in self.review for name in said.policies)

    def _ruled(self, said: Said, *, permitted: bool | None) -> Ruling:
        """What follows, with whether it is permitted but for a person's consent, where that was asked."""
        names = said.policies
        if said.allowed:
            return Ruling(Verdict.ALLOW, tuple(Reason(code="permitted", subject=name) for name in names), names)
        if permitted is None:
            forbidding = (self._forbidden(name) for name in names if name not in self.review)
            return Ruling(Verdict.DENY, tuple(forbidding), names)
        if not permitted:
            detail = f"No policy of {self.agent} permits it."
            return Ruling(Verdict.DENY, (Reason(code="not_permitted", detail=detail),), names)
        asking = (Reason(code="review", subject=name, detail=f"{name} asks for a person's consent.") for name in names)
        return Ruling(Verdict.REVIEW, tuple(asking), names)

    def _forbidden(self, name: str) -> Reason:
        """Why a policy forbids: in the core's own words, where it is the core's and has any."""
        said = self.whole.named[name].get("annotations", {}) if name.startswith(CORE_PREFIX) else {}
        detail = said.get("detail", f"{name} forbids it.")
        return Reason(code=said.get("reason", "forbidden"), subject=name, detail=detail)


def requested(case: Case, card: AgentCard, *, stopped: bool, now: datetime) -> tuple[Request, Entities]:
    """What is asked about a proposal whose references all resolved, in Cedar's own terms."""
    entity = case.found.entities[case.action_type.subject]
    entities = [vocabulary.principal(card, stopped=stopped), vocabulary.resource(case.action_type, entity)]
    request = {
        "principal": {"type": "Agent", "id": card.name},
        "action": {"type": "Action", "id": case.action_type.name},
        "resource": entities[1]["uid"],
        "context": vocabulary.context(case, card, now),
    }
    return request, entities


def together(objections: Iterable[Reason], ruling: Ruling | None) -> tuple[list[Reason], Verdict]:
    """Every reason there is, and the strictest verdict: what speaks against it beside policy, and what policy says."""
    against = list(objections)
    if ruling is None:
        return against or [NoAnswer("no_policies").reason], Verdict.DENY
    if not against:
        return list(ruling.reasons), ruling.verdict
    return against + [reason for reason in ruling.reasons if _adds(reason)], Verdict.DENY


def deciding(verdict: Verdict, policies: Iterable[str], reasons: Iterable[Reason]) -> tuple[str, ...]:
    """Those of the policies that Cedar names which decided so: none permits what is denied for something beside policy.

    Where something else speaks against an action too, the agent's policies that forbid it are among the reasons; of the
    core's own all forbid.
    """
    if verdict is not Verdict.DENY:
        return tuple(policies)
    named = {reason.subject for reason in reasons}
    return tuple(name for name in policies if name.startswith(CORE_PREFIX) or name in named)


def consented(reasons: list[Reason], verdict: Verdict, approval_id: str) -> tuple[list[Reason], Verdict]:
    """What follows where a person approved it: nothing but a review is turned into an allow."""
    if verdict is not Verdict.REVIEW:
        return reasons, verdict
    return [Reason(code="approved", subject=approval_id, detail="A person consents to it.")], Verdict.ALLOW


def _adds(reason: Reason) -> bool:
    """Whether policy says something of its own, where there are objections already.

    The core's policies that give no reason of theirs, and an error over a missing value, only say again what is
    objected to.
    """
    return reason.subject.startswith(CORE_PREFIX) == (reason.code != "forbidden")
