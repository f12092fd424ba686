"""What a batch has come to so far, counted from the store's rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection, func, select

from orchestration.contracts import OutcomeState, Pin, SnapshotId, Verdict
from orchestration.errors import NotFound
from orchestration.ledger.entries import LedgerRange, range_of
from orchestration.store import tables
from orchestration.store.engine import Store


@dataclass(frozen=True, slots=True)
class BatchReport:
    """What one batch came to, by the last decision of each of its proposals.

    Attributes:
        batch_id: Its id.
        snapshot_id: The snapshot that woke the agent.
        business_date: The day it acts on.
        pin: The materialisation of that snapshot.
        proposed: Proposals that were taken in.
        performed: Effects known to be done.
        review: Proposals that wait for a person.
        denied: Proposals refused.
        failed: Effects known not to have happened, though they were allowed.
        unsettled: Effects whose outcome is not known yet.
        reasons: Reason of a review or denial to number of proposals that have it.
        covered: Its entries in the ledger; none where there are none.
    """

    batch_id: str
    snapshot_id: SnapshotId
    business_date: date
    pin: Pin | None
    proposed: int
    performed: int
    review: int
    denied: int
    failed: int
    unsettled: int
    reasons: Mapping[str, int] = field(default_factory=dict)
    covered: LedgerRange | None = None


def report(store: Store, batch_id: str) -> BatchReport:
    """What a batch has come to so far.

    Raises:
        NotFound: There is no such batch.
    """
    with store.read() as connection:
        row = connection.execute(select(tables.batch).where(tables.batch.c.batch_id == batch_id)).one_or_none()
        if row is None:
            raise NotFound(f"No batch has the id {batch_id!r}; needed one that was opened; see `precede actions`.")
        verdicts, reasons = _verdicts(connection, batch_id)
        states = _states(connection, batch_id)
        proposals = select(func.count()).select_from(tables.proposal).where(tables.proposal.c.batch_id == batch_id)
        return BatchReport(
            batch_id=batch_id,
            snapshot_id=SnapshotId(row.snapshot_id),
            business_date=row.business_date,
            pin=None if row.pin is None else Pin.model_validate(row.pin),
            proposed=connection.execute(proposals).scalar_one(),
            performed=states[OutcomeState.DONE.value],
            review=verdicts[Verdict.REVIEW.value],
            denied=verdicts[Verdict.DENY.value],
            failed=states[OutcomeState.FAILED.value],
            unsettled=sum(states.values()) - states[OutcomeState.DONE.value] - states[OutcomeState.FAILED.value],
            reasons=dict(reasons.most_common()),
            covered=range_of(connection, [batch_id]),
        )


def _verdicts(connection: Connection, batch_id: str) -> tuple[Counter[str], Counter[str]]:
    """How the last decisions of a batch ended, and the reasons of those that are not an allow."""
    decision, proposal = tables.decision, tables.proposal
    newest = (
        select(func.max(decision.c.decision_id))
        .join(proposal, proposal.c.action == decision.c.action)
        .where(proposal.c.batch_id == batch_id)
        .group_by(decision.c.action)
    )
    verdicts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for row in connection.execute(
        select(decision.c.verdict, decision.c.reasons).where(decision.c.decision_id.in_(newest))
    ):
        verdicts[row.verdict] += 1
        if row.verdict != Verdict.ALLOW:
            reasons.update({reason["code"] for reason in row.reasons})
    return verdicts, reasons


def _states(connection: Connection, batch_id: str) -> Counter[str]:
    """How many of a batch's effects are in each state of the outbox."""
    outbox, proposal = tables.outbox, tables.proposal
    rows = connection.execute(
        select(outbox.c.state, func.count().label("effects"))
        .join(proposal, proposal.c.action == outbox.c.action)
        .where(proposal.c.batch_id == batch_id)
        .group_by(outbox.c.state)
    )
    return Counter({row.state: row.effects for row in rows})
