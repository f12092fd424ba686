"""The queue of what waits for a person, moved by decisions in the transaction that records them.

A review puts a proposal into it, or back into it, also one that was allowed without a person meanwhile; a denial takes
it out and says why; an allow by an approval leaves it as it is, until its effect is meant. Whatever takes an approval's
ground away voids it for good, and says so in words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, insert, select, update

from orchestration.approval.bound import as_held, bound, differences, effect_of, in_words, lapses
from orchestration.approval.standing import APPROVE
from orchestration.contracts import Permit, Reason, Verdict
from orchestration.gate.decide import Answer
from orchestration.gate.transient import TRANSIENT
from orchestration.ledger import entries_approval as entries
from orchestration.store.tables import approval, evidence, held, proposal
from orchestration.store.tables import decision as decisions

WAITING: Final = "waiting"
APPROVED: Final = "approved"
REJECTED: Final = "rejected"
EDITED: Final = "edited"
VOID: Final = "void"
ALLOWED: Final = "allowed"
DONE: Final = "done"
OPEN: Final = (WAITING, APPROVED)
"""States in which it may still come to an effect by a person's consent."""
PASSING: Final = TRANSIENT - {
    *("approval_expired", "approval_void", "bad_credential", "permit_expired", "policy_changed"),
    *("read_set_changed", "split", "superseded", "tool_call_changed"),
}
"""Objections for which what was approved waits: they may pass, and nothing that it rests on is another."""
_ALSO_PASSING: Final = PASSING | {"read_set_changed", "permit_expired"}
"""With what is said of its permit, which knows no objection that passes by; what it rests on is compared itself."""
_LEFT: Final = Reason(code="approval_void", detail="The approval was void before its effect.")
Row = Mapping[str, Any]


def staying(answers: Iterable[Answer]) -> set[str]:
    """The actions that were approved, are denied for now, and stay approved: nothing they rest on has changed."""
    return {answer.ask.action for answer in answers if _stays(answer)}


def _stays(answer: Answer) -> bool:
    given, decision = answer.ask.approval, answer.decision
    if given is None or answer.case is None or decision.verdict is not Verdict.DENY:
        return False
    if any(reason.code not in _ALSO_PASSING for reason in decision.reasons):
        return False
    return not lapses(given, bound(answer.case, decision.policy_digest), decision.decided_at)


def decided(connection: Connection, made: Sequence[tuple[int, Answer]], now: datetime) -> None:
    """Move the queue as decisions say, before their evidence takes the place of the evidence before.

    Args:
        connection: Inside `Store.begin()`.
        made: Each decision's number with what it answers.
        now: When they were made.
    """
    actions = sorted(answer.ask.action for _, answer in made)
    found = connection.execute(select(held).where(held.c.action.in_(actions))).mappings()
    before = {row["action"]: dict(row) for row in found}
    new = []
    for decision_id, answer in made:
        row = before.get(answer.ask.action)
        if row is None and answer.decision.verdict is Verdict.REVIEW:
            first = {"action": answer.ask.action, "agent": answer.ask.agent, "held_at": now}
            new.append(first | _holding(decision_id, answer, now))
        elif row is not None and (row["state"] in OPEN or _again(row, answer)):
            _moved(connection, row, decision_id, answer, now)
    if new:
        connection.execute(insert(held), new)


def _again(row: Row, answer: Answer) -> bool:
    """Whether what needed nobody's consent any more needs it after all, before it came to an effect."""
    return row["state"] == ALLOWED and answer.decision.verdict is Verdict.REVIEW


def _moved(connection: Connection, row: Row, decision_id: int, answer: Answer, now: datetime) -> None:
    """What was in the queue before, after another decision."""
    decision = answer.decision
    if (decision.verdict is Verdict.ALLOW and decision.approval) or _stays(answer):
        return
    why = _why(connection, row, answer)
    if row["state"] == APPROVED:
        void_approvals(connection, row["action"], why[0], now)
    told = [{"code": reason.code, "detail": reason.detail} for reason in why]
    match decision.verdict:
        case Verdict.REVIEW:
            values = _holding(decision_id, answer, now) | {"reasons": told}
        case Verdict.DENY:
            values = {"state": VOID, "reasons": told, "changed_at": now}
        case Verdict.ALLOW:
            values = {"state": ALLOWED, "reasons": told, "changed_at": now}
    connection.execute(update(held).where(held.c.action == row["action"]).values(**values, postponed=""))


def _holding(decision_id: int, answer: Answer, now: datetime) -> dict[str, Any]:
    case, decision = answer.case, answer.decision
    if case is None:
        raise ValueError("a proposal that could not be read is held for a person")
    is_now = bound(case, decision.policy_digest)
    return {
        "decision_id": decision_id,
        "state": WAITING,
        "reasons": [],
        "tool_call": effect_of(case) or {},
        "proposal_digest": is_now.proposal_digest,
        "read_set_digest": is_now.read_set_digest,
        "policy_digest": is_now.policy_digest,
        "call_digest": is_now.call_digest,
        "records": {entity: sorted(records) for entity, records in is_now.records.items()},
        "changed_at": now,
        "checked_snapshot": decision.snapshot_id,
    }


def _why(connection: Connection, row: Row, answer: Answer) -> list[Reason]:
    """Why it is not what it was, in words: what is read otherwise, what else is, and what now speaks against it."""
    decision, given = answer.decision, answer.ask.approval
    query = select(evidence.c.read_set).where(evidence.c.action == row["action"])
    read_before = connection.execute(query).scalar_one_or_none()
    found = in_words(read_before, decision.read_set) if read_before and decision.read_set else []
    if answer.case is not None:
        is_now = bound(answer.case, decision.policy_digest)
        said = {reason.code for reason in found}
        against = lapses(given, is_now, decision.decided_at) if given else list(differences(as_held(row), is_now))
        found += [reason for reason in against if reason.code not in said]
    if decision.verdict is Verdict.DENY:
        found += [reason for reason in decision.reasons if reason.code not in {one.code for one in found}]
    return found or [_LEFT]


def void_approvals(connection: Connection, action: str, why: Reason, now: datetime) -> list[str]:
    """Void what was approved of an action and not used up, for good; the ids of those approvals."""
    live = (
        approval.c.action == action,
        approval.c.verdict == APPROVE,
        approval.c.consumed_at.is_(None),
        approval.c.voided_at.is_(None),
    )
    ids = list(connection.execute(select(approval.c.approval_id).where(*live)).scalars())
    for approval_id in ids:
        this = update(approval).where(approval.c.approval_id == approval_id)
        connection.execute(this.values(voided_at=now, void_code=why.code))
        entries.approval_voided(connection, approval_id, at=now)
    return ids


def void(connection: Connection, action: str, code: str, now: datetime, detail: str = "") -> bool:
    """Take an action out of the queue for a reason that no decision gave, and void what was approved of it.

    Args:
        connection: Inside `Store.begin()`.
        action: The action's id.
        code: The reason's stable name.
        now: When.
        detail: The reason in a sentence, for whoever looks at the queue.

    Returns:
        Whether it was waiting or approved.
    """
    row = connection.execute(select(held).where(held.c.action == action, held.c.state.in_(OPEN))).one_or_none()
    if row is None:
        return False
    void_approvals(connection, action, Reason(code=code), now)
    values = {"state": VOID, "reasons": [{"code": code, "detail": detail}], "changed_at": now, "postponed": ""}
    connection.execute(update(held).where(held.c.action == action).values(**values))
    entries.held_changed(connection, action, at=now)
    return True


def consume(connection: Connection, permit: Permit, now: datetime, at_least: datetime) -> bool:
    """Use an approval up for the effect that is about to be meant, once; whether it could be.

    Args:
        connection: Inside `Store.begin()`, in the transaction of the effect.
        permit: The permit that is used with it, which names it.
        now: When.
        at_least: The time to judge its end by: that of the ledger's latest entry, where the clock was set back.
    """
    used = connection.execute(
        update(approval)
        .where(
            approval.c.approval_id == permit.approval,
            approval.c.action == permit.action,
            approval.c.verdict == APPROVE,
            approval.c.consumed_at.is_(None),
            approval.c.voided_at.is_(None),
            approval.c.expires_at > at_least,
        )
        .values(consumed_at=now, permit_id=permit.permit_id)
    )
    if used.rowcount != 1:
        return False
    done = {"state": DONE, "reasons": [], "changed_at": now, "postponed": ""}
    connection.execute(update(held).where(held.c.action == permit.action, held.c.state == APPROVED).values(**done))
    return True


def waits_for_its_effect() -> ColumnElement[bool]:
    """Of a proposal: it was approved, and its last decision is not the allow that follows from it."""
    last = (
        select(decisions.c.verdict)
        .where(decisions.c.action == proposal.c.action)
        .order_by(decisions.c.decision_id.desc())
        .limit(1)
        .correlate(proposal)
        .scalar_subquery()
    )
    approved = select(held.c.action).where(held.c.state == APPROVED)
    return and_(proposal.c.action.in_(approved), last != Verdict.ALLOW.value)


def postponed(connection: Connection, answers: Iterable[Answer]) -> None:
    """Note why what was approved does not happen yet."""
    for answer in answers:
        why = ", ".join(sorted({reason.code for reason in answer.decision.reasons}))
        connection.execute(update(held).where(held.c.action == answer.ask.action).values(postponed=why))
