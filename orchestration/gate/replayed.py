"""Decisions read from the store, to be made again by `replay`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, select

from orchestration.contracts import Reason, Verdict
from orchestration.errors import NotFound
from orchestration.gate.policy import AgentPolicies
from orchestration.gate.replay import Again, Kept, again, stored
from orchestration.store import tables


@dataclass(frozen=True, slots=True)
class Altered:
    """A decision that other policies would have made otherwise."""

    action: str
    entity: str
    was: Verdict
    would_be: Verdict
    reasons: tuple[Reason, ...]
    """Why it would be so."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What a changed policy file would have altered.

    Attributes:
        agent: Whose policies they are.
        since: From when on proposals were looked at.
        decided: How many proposals were decided since.
        asked: Of how many of them it is kept what policy was asked; the others are as they were.
        altered: Those that would have been decided otherwise, newest first.
        already: How many of the altered ones the policies as they stand would alter in the same way.
    """

    agent: str
    since: datetime
    decided: int
    asked: int
    altered: tuple[Altered, ...]
    already: int


def last_decision(connection: Connection, action_id: str) -> Kept:
    """The last decision of an action.

    Args:
        connection: On the store.
        action_id: The action's id, or the beginning of it where that names one action.

    Raises:
        NotFound: No action, or more than one, has that id; or it was not decided yet.
    """
    action = tables.proposal.c.action
    begins = select(action).where(action.startswith(action_id, autoescape=True)).order_by(action).limit(2)
    found = list(connection.execute(begins).scalars()) if action_id else []
    if not found or (len(found) > 1 and action_id not in found):
        what = "More than one action begins with" if found else "No action has the id"
        raise NotFound(f"{what} {action_id!r}; needed the id of one that exists; list them with `precede actions`.")
    wanted = action_id if action_id in found else found[0]
    row = connection.execute(_decisions().where(action == wanted)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"{wanted} was not decided yet; needed an action that was; `precede run` decides what waits.")
    return _kept(row)


def policies_of_then(connection: Connection, kept: Kept) -> AgentPolicies | None:
    """The policies that a decision was made by; none where they were not kept, or are not what they were."""
    sets = tables.policy_set
    row = connection.execute(select(sets).where(sets.c.digest == kept.policy_digest)).mappings().one_or_none()
    return None if row is None else stored(kept.agent, row["schema"], row["policies"], kept.policy_digest)


def tried(connection: Connection, changed: AgentPolicies, standing: AgentPolicies | None, since: datetime) -> Trial:
    """What changed policies would have altered of an agent's decisions, from what was kept of them alone.

    Args:
        connection: On the store.
        changed: The agent's policies as they would be.
        standing: Its policies as they stand, so that what they alter already is told apart; none where they do not
            load.
        since: From when on its proposals are looked at.
    """
    proposal = tables.proposal.c
    query = _decisions().where(proposal.agent == changed.agent, proposal.proposed_at >= since)
    ordered = query.order_by(proposal.proposed_at.desc(), proposal.action).execution_options(yield_per=200)
    rows = connection.execute(ordered).mappings()
    decided = asked = already = 0
    altered = []
    for row in rows:
        kept = _kept(row)
        decided += 1
        now = again(kept, changed)
        if now is None:
            continue
        asked += 1
        if now.verdict is not kept.verdict:
            altered.append(Altered(kept.action, row["entity_id"], kept.verdict, now.verdict, now.reasons))
            already += standing is not None and _same(again(kept, standing), now)
    return Trial(changed.agent, since, decided, asked, tuple(altered), already)


def _same(standing: Again | None, changed: Again) -> bool:
    return standing is not None and standing.verdict is changed.verdict


def _decisions() -> Select[Any]:
    """The last decision of each proposal, with what is kept of it."""
    decision, evidence, proposal = tables.decision, tables.evidence, tables.proposal
    each = decision.alias()
    last = select(func.max(each.c.decision_id)).where(each.c.action == proposal.c.action).correlate(proposal)
    return (
        select(decision, proposal.c.agent, proposal.c.entity_id, evidence.c.policy_request)
        .join(proposal, proposal.c.action == decision.c.action)
        .outerjoin(evidence, evidence.c.action == decision.c.action)
        .where(decision.c.decision_id == last.scalar_subquery())
    )


def _kept(row: RowMapping) -> Kept:
    asked = bool(row["request_digest"])  # a later decision that policy was not asked of leaves the evidence as it was
    return Kept(
        action=row["action"],
        agent=row["agent"],
        verdict=Verdict(row["verdict"]),
        reasons=tuple(Reason.model_validate(reason) for reason in row["reasons"]),
        policies=tuple(row["policies"]),
        policy_digest=row["policy_digest"],
        request_digest=row["request_digest"],
        policy_request=row["policy_request"] if asked else None,
    )
