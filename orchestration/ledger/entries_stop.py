"""Entries about stops: that something is stopped, what was seen of it afterwards, and that it may go on.

kind        recorded by  tells of
stopped     stopped      a stop: of what, who says so and why, and everything that it halted
stop_proof  proven       what was looked at after it, whether anything still ran, and how long that took
started     started      that stops were lifted, and the batches that may go on
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from orchestration.ledger import committed
from orchestration.ledger.chain import append
from orchestration.ledger.kinds import STARTED, STOP_PROOF, STOPPED
from orchestration.store.tables import stop


def stopped(connection: Connection, number: int, *, at: datetime) -> int:
    """Record a stop, once its row and what it halted are written; its number in the chain."""
    row = dict(connection.execute(select(stop).where(stop.c.number == number)).mappings().one())
    body = {"stop": number, "scope": row["scope"], "name": row["name"], "halted": row["halted"]}
    return append(connection, STOPPED, body, at=at, payload={"stop": committed.of_stop(row)})


def proven(connection: Connection, number: int, proof: Mapping[str, Any], *, at: datetime) -> int:
    """Record what was seen after a stop, once its row says so; its number in the chain."""
    return append(connection, STOP_PROOF, {"stop": number, "proof": dict(proof)}, at=at)


def started(  # noqa: PLR0913  what may go on, and who says so
    connection: Connection,
    numbers: Sequence[int],
    batches: Mapping[str, int | None],
    *,
    at: datetime,
    reason: str,
    operator: str,
) -> int:
    """Record that stops are lifted, and what keeps each batch that they halted now; its number in the chain."""
    body = {"stops": list(numbers), "batches": dict(batches)}
    return append(connection, STARTED, body, at=at, payload={"reason": reason, "operator": operator})
