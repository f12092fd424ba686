"""The entry of a decision, from what was just written of it.

    kind       recorded by    tells of
    decision   all_decided    a decision, its proposal, its evidence and the permit it minted

As in `entries.py`, but that nothing is read back of what the same transaction wrote: a test holds what is recorded to
what the store then holds, and `verify` does so always.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, select

from orchestration.ledger import committed
from orchestration.ledger.chain import New, append_all
from orchestration.ledger.entries_approval import held_of
from orchestration.ledger.kinds import DECISION
from orchestration.store import tables


class Rows(NamedTuple):
    """What decisions commit to: rows as they were written to the store just now."""

    decisions: Mapping[int, Mapping[str, Any]]
    evidence: Mapping[str, str]
    """Action to the digest of its evidence."""
    permits: Mapping[str, Mapping[str, Any]]
    uses: Mapping[str | None, Mapping[str, Any]]
    """Permit to what limits count it by."""


def all_decided(connection: Connection, permits: Mapping[int, str | None], rows: Rows, *, at: datetime) -> list[int]:
    """Record decisions that were made together, once they, their evidence and their permits are written.

    Args:
        connection: Inside `Store.begin()`.
        permits: Each decision's number to the permit that it minted, if it minted one; at most some hundred.
        rows: What was written of them in this transaction.
        at: When they were made.

    Returns:
        Their numbers in the chain, in the order of the decisions.
    """
    return append_all(connection, DECISION, told(connection, permits, rows), at=at)


def told(connection: Connection, permits: Mapping[int, str | None], rows: Rows) -> list[New]:
    """What entries of decisions are to say, from those rows and what the store says beside them."""
    proposals = _by(connection, tables.proposal.c.action, {each["action"] for each in rows.decisions.values()})
    batches = _by(connection, tables.batch.c.batch_id, {each["batch_id"] for each in proposals.values()})
    held = held_of(connection, proposals.keys())
    entries = []
    for decision_id, permit_id in permits.items():
        decision = rows.decisions[decision_id]
        proposal = proposals[decision["action"]]
        body = {
            "decision": decision_id,
            "batch": proposal["batch_id"],
            "agent": proposal["agent"],
            "action_type": proposal["action_type"],
            "verdict": decision["verdict"],
            "reasons": [reason["code"] for reason in decision["reasons"]],
            "policies": decision["policies"],
            "policy_digest": decision["policy_digest"],
            "snapshot": decision["snapshot_id"],
            "pin": batches[proposal["batch_id"]]["pin"],
            "permit": permit_id,
        }
        payload: dict[str, Any] = {
            "decision": committed.of_decision(decision),
            "proposal": committed.of_proposal(proposal),
            "evidence": rows.evidence.get(decision["action"]),
            "permit": None if permit_id is None else committed.of_permit(rows.permits[permit_id]),
        }
        if permit_id in rows.uses:
            payload["use"] = rows.uses[permit_id]
        if decision["action"] in held:
            payload["held"] = held[decision["action"]]
        entries.append(New(body, decision["action"], payload))
    return entries


def _by(connection: Connection, column: Column[Any], wanted: Iterable[Any]) -> dict[Any, dict[str, Any]]:
    """The rows of a table by one of its columns; every one that is wanted is written already."""
    keys = sorted(set(wanted))
    rows = connection.execute(select(column.table).where(column.in_(keys))).mappings() if keys else ()
    found = {row[column.name]: dict(row) for row in rows}
    if missing := [key for key in keys if key not in found]:
        raise LookupError(
            f"no row of {column.table} where {column.name} is {missing[0]}: write it before it is recorded"
        )
    return found
