"""Batches that wait: offered again where they are not in the exchange, or could not be answered any more.

A run that died between the store and the exchange left one unoffered; a credential ends, is revoked, or was given by
a version of Precede that knew none.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Row, select

from orchestration.contracts import Batch, EntityId, SnapshotId, TriggerRow
from orchestration.gate.stopping import stopped
from orchestration.identity import credentials
from orchestration.registry import Agent
from orchestration.store.engine import Store
from orchestration.store.tables import batch, trigger_row
from orchestration.work.exchange import Exchange


def offer_waiting(
    store: Store, exchange: Exchange, agents: Mapping[str, Agent], key: Ed25519PrivateKey, now: datetime
) -> None:
    """Offer every waiting batch that is not in the exchange, or that its agent could not answer any more.

    Each goes out with a new credential. What still waits for a stopped agent is withdrawn.
    """
    with store.begin() as connection:
        credentials.lapse(connection, now)
    with store.read() as connection:
        halted = stopped(connection)
        waiting = connection.execute(select(batch).where(batch.c.state == "waiting")).all()
        answerable = credentials.usable(connection, now)
    for name in sorted(agents):
        here = set(exchange.waiting(name))
        theirs = [row for row in waiting if row.agent == name]
        if halted.agent(name):
            for batch_id in here:
                exchange.clear(name, batch_id)
            continue
        for row in theirs:
            if row.batch_id not in (here & answerable) | set(exchange.answered(name)):
                with store.begin() as connection:
                    token = credentials.mint(connection, agents[name].card, row.batch_id, key, now)
                exchange.offer(_stored(store, row), token)


def _stored(store: Store, row: Row[Any]) -> Batch:
    """A batch as it was written."""
    with store.read() as connection:
        rows = connection.execute(
            select(trigger_row).where(trigger_row.c.batch_id == row.batch_id).order_by(trigger_row.c.row_id)
        ).all()
    return Batch(
        batch_id=row.batch_id,
        agent=row.agent,
        snapshot_id=SnapshotId(row.snapshot_id),
        business_date=row.business_date,
        rows=tuple(
            TriggerRow(row_id=each.row_id, entity_id=EntityId(each.entity_id), values=each.values) for each in rows
        ),
    )
