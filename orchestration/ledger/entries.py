"""The kinds of entry about what the coordinator publishes, asks and hears, and one function to record each.

Write the row first, then record it, in the same transaction: what is committed to is read back from the database, so
that `verify` finds the very same later. Of other kinds say the modules that `kinds` names.

    kind               recorded by          tells of
    snapshot           snapshot_published   a graph that became current, and the digest of its file
    expired            snapshot_expired     a graph that nobody needs any more
    batch              batch_opened         an agent's wake and the rows it was shown
    answer             answered             an agent's answer to a wake, and what was taken of it
    batch_closed       batch_closed         the `effects/<agent>` materialisation that points back at the ledger
    judgement          judged               what somebody said of a pair of records
    settlement         value_settled        which value of a field somebody said is right
    evidence_expired   evidence_expired     evidence that was removed after its time
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, select

from orchestration.contracts import Contract, Pin
from orchestration.ledger import committed, kept
from orchestration.ledger.chain import append, hashes
from orchestration.ledger.kinds import (
    ANSWER,
    BATCH,
    BATCH_CLOSED,
    EVIDENCE_EXPIRED,
    EXPIRED,
    JUDGEMENT,
    SETTLEMENT,
    SNAPSHOT,
)
from orchestration.ledger.merkle import root_of
from orchestration.store import tables


class LedgerRange(Contract):
    """Entries `first` to `last`, both included, and the Merkle root over their hashes."""

    first: int
    last: int
    root: str


def snapshot_published(connection: Connection, snapshot_id: str, *, at: datetime) -> int:
    """Record that a snapshot became current; its number in the chain."""
    row = _one(connection, tables.snapshot, tables.snapshot.c.snapshot_id == snapshot_id)
    body = {"snapshot": snapshot_id, "run": row["run_id"], "file": row["file_digest"]}
    return append(connection, SNAPSHOT, body, at=at, payload={"snapshot": committed.of_snapshot(row)})


def snapshot_expired(connection: Connection, snapshot_id: str, *, at: datetime) -> int:
    """Record that a snapshot's file is not needed any more; its number in the chain."""
    return append(connection, EXPIRED, {"snapshot": snapshot_id}, at=at)


def batch_opened(connection: Connection, batch_id: str, *, at: datetime) -> int:
    """Record an agent's wake, once its batch and trigger rows are written; its number in the chain."""
    row = _one(connection, tables.batch, tables.batch.c.batch_id == batch_id)
    found = connection.execute(select(tables.trigger_row).where(tables.trigger_row.c.batch_id == batch_id))
    rows = [dict(item) for item in found.mappings()]
    body = {
        "batch": batch_id,
        "agent": row["agent"],
        "snapshot": row["snapshot_id"],
        "business_date": row["business_date"],
        "rows": row["row_count"],
        "pin": row["pin"],
        **({"revises": row["revises"]} if row["revises"] else {}),
    }
    return append(connection, BATCH, body, at=at, payload={"batch": committed.of_batch(row, rows)})


def answered(connection: Connection, body: Mapping[str, Any], payload: Mapping[str, Any], *, at: datetime) -> int:
    """Record what an agent answered: counts and ids for all to see, what was said as a commitment; its number."""
    return append(connection, ANSWER, body, at=at, payload=payload)


def batch_closed(
    connection: Connection, batch_ids: Sequence[str], pin: Pin, covered: LedgerRange, *, at: datetime
) -> int:
    """Record the materialisation of `effects/<agent>` that named this range of the ledger; its number in the chain."""
    body = {"batches": list(batch_ids), "pin": pin, **covered.model_dump()}
    return append(connection, BATCH_CLOSED, body, at=at)


def judged(connection: Connection, judgement_id: str, *, at: datetime) -> int:
    """Record what somebody said of a pair of records, once its row is written; its number in the chain."""
    row = _one(connection, tables.judgement, tables.judgement.c.judgement_id == judgement_id)
    body = {"judgement": judgement_id, "entity_type": row["entity_type"], "verdict": row["verdict"]}
    body["snapshot"] = row["snapshot_id"]
    return append(connection, JUDGEMENT, body, at=at, payload={"judgement": committed.of_judgement(row)})


def value_settled(connection: Connection, judgement_id: str, *, at: datetime) -> int:
    """Record which value somebody said is right, once its row is written; its number in the chain."""
    row = _one(connection, tables.settlement, tables.settlement.c.judgement_id == judgement_id)
    body = {"settlement": judgement_id, "entity_type": row["entity_type"], "field": row["field"]}
    body["snapshot"] = row["snapshot_id"]
    return append(connection, SETTLEMENT, body, at=at, payload={"settlement": committed.of_settlement(row)})


def evidence_expired(connection: Connection, action: str, *, at: datetime) -> int:
    """Record that the evidence of an action is removed, before it is; its number in the chain."""
    newest = select(func.max(tables.decision.c.decision_id)).where(tables.decision.c.action == action)
    decision_id = connection.execute(newest).scalar_one()
    body = {"decision": decision_id, "evidence": kept.as_told(connection, action)}
    return append(connection, EVIDENCE_EXPIRED, body, at=at, action=action)


def range_of(connection: Connection, batch_ids: Sequence[str]) -> LedgerRange | None:
    """The entries from the first to the last about any action of these batches; none where there is no entry.

    Entries about other matters may lie between them: a range has no holes.
    """
    entry, proposal = tables.ledger_entry, tables.proposal
    actions = select(proposal.c.action).where(proposal.c.batch_id.in_(batch_ids))
    row = connection.execute(
        select(func.min(entry.c.seq).label("first"), func.max(entry.c.seq).label("last")).where(
            entry.c.action.in_(actions)
        )
    ).one()
    if row.first is None:
        return None
    return LedgerRange(first=row.first, last=row.last, root=root_of(hashes(connection, row.first, row.last)))


def _maybe(connection: Connection, table: Table, where: ColumnElement[bool]) -> dict[str, Any] | None:
    row = connection.execute(select(table).where(where)).mappings().one_or_none()
    return None if row is None else dict(row)


def _one(connection: Connection, table: Table, where: ColumnElement[bool]) -> dict[str, Any]:
    row = _maybe(connection, table, where)
    if row is None:
        raise LookupError(f"no row of {table.name} where {where}: write the row before it is recorded")
    return row
