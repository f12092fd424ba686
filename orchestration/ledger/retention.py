"""Removing evidence after its time: what a decision rested on goes, and the digest of it stays in the ledger.

Evidence is most of what the store holds, and most of the personal data in it. An action whose effect is not settled
keeps its own, and so does one whose batch is not closed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, select

from orchestration.contracts import OutcomeState
from orchestration.ledger import entries, pins
from orchestration.store.engine import Store
from orchestration.store.tables import batch, evidence, outbox, proposal
from orchestration.work import rested_on

AT_ONCE: Final = 200
"""Actions of one transaction: other writers wait for it."""
_KNOWN: Final = (OutcomeState.DONE.value, OutcomeState.FAILED.value)


def expire_evidence(store: Store, days: int, now: datetime) -> int:
    """Remove evidence that was kept for longer than so many days, each with an entry in the ledger.

    Args:
        store: The coordinator's store.
        days: For how long evidence is kept.
        now: When this happens.

    Returns:
        Of how many actions it was removed. A run that was killed is finished by the next.

    Raises:
        StoreError: The store cannot be written.
    """
    rested_on.take(store)  # what effects rested on stays known by id and digest
    before, removed = now - timedelta(days=days), 0
    while True:
        with store.begin() as connection:
            actions = _over(connection, before, AT_ONCE)
            for action in actions:
                entries.evidence_expired(connection, action, at=now)
            connection.execute(delete(evidence).where(evidence.c.action.in_(actions)))
        removed += len(actions)
        if len(actions) < AT_ONCE:
            break
    if removed:
        pins.forget(store)
    return removed


def over(connection: Connection, days: int, now: datetime) -> bool:
    """Whether there is evidence to remove."""
    return bool(_over(connection, now - timedelta(days=days), 1))


def _over(connection: Connection, before: datetime, limit: int) -> list[str]:
    query = (
        select(evidence.c.action)
        .join(proposal, proposal.c.action == evidence.c.action)
        .join(batch, batch.c.batch_id == proposal.c.batch_id)
        .outerjoin(outbox, outbox.c.action == evidence.c.action)
        .where(
            evidence.c.kept_at < before,
            batch.c.state == "closed",
            outbox.c.state.is_(None) | outbox.c.state.in_(_KNOWN),
        )
        .order_by(evidence.c.kept_at, evidence.c.action)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())
