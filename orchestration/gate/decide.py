"""The one way in: facts in, a decision out, with every reason and, where nothing objects, a permit.

Pure: no clock, no disk, no store. `record.py` writes the answer down, `perform.py` asks again at the moment of effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestration.action_types import ActionType
from orchestration.approval.bound import bound, lapses
from orchestration.canonical import digest
from orchestration.contracts import Decision, Reason, Verdict
from orchestration.gate.cedar import Entities, Request
from orchestration.gate.known import NO_GRAPH, Ask, GraphFacts, StoreFacts
from orchestration.gate.limits.touch import Touch, touch_of
from orchestration.gate.limits.usage import Bounds, Usage
from orchestration.gate.minting import permit_for
from orchestration.gate.policy import Ruling, consented, deciding, requested, together
from orchestration.gate.readset import read_set, tool_call
from orchestration.gate.resolve import Case, resolve
from orchestration.gate.rules import Rules
from orchestration.gate.standing import of_all, standing
from orchestration.gate.transient import TRANSIENT


@dataclass(frozen=True, slots=True)
class Moment:
    """What a decision rests on beside the proposal: rules, graph, store and time."""

    rules: Rules
    graph: GraphFacts | None
    """What the current snapshot says; none where there is none."""
    store: StoreFacts
    now: datetime
    missing: Reason = NO_GRAPH
    """Why there is no graph, where there is none."""
    common: dict[str, list[Reason]] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Clauses of standing that fail for every proposal of an action type, once they were asked."""

    def failing(self, action_type: ActionType, graph: GraphFacts) -> list[Reason]:
        """The clauses of standing that fail for every proposal of an action type."""
        if action_type.name not in self.common:
            self.common[action_type.name] = of_all(action_type, graph, self.store, self.now)
        return self.common[action_type.name]


@dataclass(frozen=True, slots=True)
class Answer:
    """A decision, and what it was made of; no case where the proposal could not be read at all."""

    ask: Ask
    decision: Decision
    case: Case | None
    touch: Touch | None = None
    """What its effect is counted by; none where there is no case."""

    @property
    def transient(self) -> bool:
        """Whether every objection may pass by itself."""
        return self.decision.verdict is Verdict.DENY and all(
            reason.code in TRANSIENT for reason in self.decision.reasons
        )


def weigh(ask: Ask, moment: Moment) -> Case | list[Reason]:
    """What a proposal refers to and every objection of standing; only objections where it cannot be looked up."""
    action_type = moment.rules.action_types.get(ask.action_type)
    early = list(_leave(ask, moment))
    if action_type is None:
        early.append(Reason(code="unknown_action_type", detail="There is no such action type."))
    if moment.graph is None:
        early.append(moment.missing)
    if action_type is None or moment.graph is None:
        return early
    found = resolve(ask, action_type, moment.graph)
    common, day = moment.failing(action_type, moment.graph), ask.business_date
    failing = standing(action_type, found, moment.graph, moment.store, business_date=day, now=moment.now, common=common)
    return Case(ask, action_type, found, moment.graph, (*early, *found.objections, *failing))


@dataclass(frozen=True, slots=True)
class Asked:
    """What policy was asked, and what it said."""

    request: Request
    entities: Entities
    ruling: Ruling


def asked_together(cases: Sequence[Case | list[Reason]], moment: Moment) -> list[Asked | None]:
    """What policy says of each of some proposals, asked at once; nothing of those there is nothing to ask about."""
    found: list[Asked | None] = [None] * len(cases)
    questions: dict[str, list[tuple[int, Request, Entities]]] = {}
    for number, case in enumerate(cases):
        if isinstance(case, Case) and (question := _question(case, moment)) is not None:
            questions.setdefault(case.ask.agent, []).append((number, *question))
    for agent, each in questions.items():
        rulings = moment.rules.policies[agent].rule_all([(request, entities) for _, request, entities in each])
        for (number, request, entities), ruling in zip(each, rulings, strict=True):
            found[number] = Asked(request, entities, ruling)
    return found


def conclude(  # noqa: PLR0913  a decision rests on that many things
    ask: Ask,
    case: Case | list[Reason],
    moment: Moment,
    *,
    usage: Usage,
    taken: AbstractSet[str],
    asked: Asked | None = None,
    touch: Touch | None = None,
) -> Answer:
    """Decide a proposal that was weighed: ask policy, then limits.

    Args:
        ask: The proposal, with the trigger row it answers.
        case: What `weigh` made of it.
        moment: Everything else that the decision rests on.
        usage: The day's effects so far; an allow is counted in it.
        taken: Effect keys that have their effect already, or may still.
        asked: What policy said, where it was asked already.
        touch: What its effect is counted by, where that was made already.
    """
    if isinstance(case, list):
        return Answer(ask, _decision(ask, moment, Verdict.DENY, case), None)
    asked, call, touch = asked or _policy(case, moment), tool_call(case), touch or touch_of(case)
    objections = list(case.objections)
    if call is None and not objections:
        objections.append(Reason(code="unknown_value", detail="A value that the tool needs is not known."))
    if call is not None and call[1] in taken:
        objections.append(Reason(code="effect_exists", detail="That effect happened already, or may still happen."))
    bounds = bounds_of(ask, moment.rules)
    if bounds is not None:
        objections += usage.over(bounds, touch)
    decision = _concluded(case, moment, asked, objections)
    if decision.verdict is Verdict.ALLOW and call is not None and bounds is not None:
        decision = decision.model_copy(
            update={"permit": permit_for(case, decision, call, moment.rules.agents[ask.agent].card)}
        )
        usage.count(bounds, touch)
    return Answer(ask, decision, case, touch)


def reconsider(  # noqa: PLR0913  a decision rests on that many things
    ask: Ask,
    case: Case | list[Reason],
    moment: Moment,
    *,
    against: list[Reason],
    usage: Usage,
    age: timedelta,
    touch: Touch | None = None,
    asked: Asked | None = None,
) -> Decision | None:
    """Ask policy and limits once more about what was allowed.

    Args:
        ask: The proposal.
        case: What `weigh` makes of it now.
        moment: What it rests on now.
        against: What speaks against its permit.
        usage: The effects so far, its own permit among them where that is in the period.
        age: How long ago its own permit was counted.
        touch: What its effect is counted by, where that was made already.
        asked: What policy says now, where it was asked already.

    Returns:
        The decision that takes the permit's place; none where nothing speaks against the effect.
    """
    if isinstance(case, list):
        return _decision(ask, moment, Verdict.DENY, [*case, *against])
    objections = [*case.objections, *against]
    bounds = bounds_of(ask, moment.rules)
    if bounds is not None:
        objections += usage.over(bounds, touch or touch_of(case), own=1, age=age)
    asked = asked or _policy(case, moment)
    if asked is not None and together(objections, asked.ruling)[1] is Verdict.ALLOW:
        return None  # and no decision is made that nobody would see
    decision = _concluded(case, moment, asked, objections)
    return None if decision.verdict is Verdict.ALLOW else decision


def bounds_of(ask: Ask, rules: Rules) -> Bounds | None:
    """What bounds a proposal's effect; none of an agent or action type that is not known."""
    agent, action_type = rules.agents.get(ask.agent), rules.action_types.get(ask.action_type)
    return None if agent is None or action_type is None else Bounds(agent.card.limits, action_type.limits)


def _leave(ask: Ask, moment: Moment) -> list[Reason]:
    """Whether the agent may ask for this at all."""
    agent = moment.rules.agents.get(ask.agent)
    if agent is None:
        return [Reason(code="unknown_agent", subject=ask.agent, detail=f"There is no agent {ask.agent}.")]
    reasons = []
    if ask.action_type not in agent.card.action_types:
        detail = f"The card of {ask.agent} does not name that action type."
        reasons.append(Reason(code="not_on_card", subject=ask.agent, detail=detail))
    reasons += moment.store.stopped.against(ask.agent, ask.action_type)
    if ask.newer is not None:
        detail = f"It answers for {ask.business_date}, and {ask.agent} was woken for {ask.newer} since."
        reasons.append(Reason(code="superseded", subject=ask.agent, detail=detail))
    return reasons


def _policy(case: Case, moment: Moment) -> Asked | None:
    """What policy says; nothing where there is nothing to ask about."""
    question = _question(case, moment)
    return None if question is None else Asked(*question, moment.rules.policies[case.ask.agent].rule(*question))


def _question(case: Case, moment: Moment) -> tuple[Request, Entities] | None:
    """What policy is asked; nothing where the agent or a reference is unknown."""
    name = case.ask.agent
    agent, policies = moment.rules.agents.get(name), moment.rules.policies.get(name)
    if agent is None or policies is None or not _complete(case):
        return None
    halted = bool(moment.store.stopped.against(name, case.ask.action_type))
    return requested(case, agent.card, stopped=halted, now=moment.now)


def _complete(case: Case) -> bool:
    found = case.found
    named = found.entities.keys() | found.facts.keys() | found.records.keys()
    return set(case.action_type.arguments) <= named | found.contacts.keys() | found.literals.keys()


def _concluded(case: Case, moment: Moment, asked: Asked | None, objections: list[Reason]) -> Decision:
    """The decision that follows, with what policy was asked."""
    reasons, verdict = together(objections, asked.ruling if asked else None)
    given = case.ask.approval
    if asked is None:
        return _decision(case.ask, moment, verdict, reasons, case)
    if given is not None and not lapses(given, bound(case, moment.rules.policies[case.ask.agent].digest), moment.now):
        reasons, verdict = consented(reasons, verdict, given.approval_id)
    else:
        given = None
    used = given.approval_id if given is not None and verdict is Verdict.ALLOW else None
    decision = _decision(case.ask, moment, verdict, reasons, case)
    saw = {
        "request": dict(asked.request),
        "entities": asked.entities,
        "objections": [reason.model_dump() for reason in objections],
        **({"approval": used} if used else {}),
    }
    policies = deciding(verdict, asked.ruling.policies, reasons)
    return decision.model_copy(update={"policies": policies, "policy_request": saw, "approval": used})


def _decision(ask: Ask, moment: Moment, verdict: Verdict, reasons: list[Reason], case: Case | None = None) -> Decision:
    known = moment.rules.policies.get(ask.agent)
    rests_on = read_set(case) if case else {}
    return Decision(
        action=ask.action,
        verdict=verdict,
        reasons=tuple(reasons),
        policies=(),
        policy_digest=known.digest if known else "",
        read_set=rests_on,
        read_set_digest=digest(rests_on),
        snapshot_id=moment.store.snapshot_id,
        decided_at=moment.now,
    )
