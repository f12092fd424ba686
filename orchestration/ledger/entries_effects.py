"""The kinds of entry about effects: meant, settled, taken back, tainted, and rows that are strangers' writes.

As in `entries.py`: write the row first, then record it, in the same transaction.

    kind       recorded by       tells of
    intent     all_intended      an effect about to be tried, and the permit used up for it
    outcome    settled           what became of the effect
    outcome    settled_by        what a person said became of an effect that no tool will say it of
    undo       undo_intended     an effect about to be taken back, on what entries of the ledger, and who says so
    undone     undo_settled      what became of taking it back
    tainted    tainted           effects whose entity is another by now, and those of which that is over
    incident   incidents_found   rows that Precede's account wrote and that no entry accounts for
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select

from orchestration.ledger import committed_effects as committed
from orchestration.ledger.chain import New, append, append_all
from orchestration.ledger.committed import INTENT as INTENDED
from orchestration.ledger.committed import of_intent, of_outcome
from orchestration.ledger.entries_approval import held_of
from orchestration.ledger.kinds import INCIDENT, INTENT, OUTCOME, TAINTED, UNDO, UNDONE
from orchestration.store import tables

_MEANT: Final = (
    select(*(tables.outbox.c[name] for name in INTENDED), tables.permit.c.consumed_at)
    .join(tables.permit, tables.permit.c.permit_id == tables.outbox.c.permit_id)
    .where(tables.outbox.c.action.in_(bindparam("actions", expanding=True)))
)
"""Effects as they are meant, and when their permits were used up for them."""


def all_intended(connection: Connection, approvals: Mapping[str, str | None], *, at: datetime) -> list[int]:
    """Record effects about to be tried, once their outbox rows stand and what they take is consumed.

    Args:
        connection: Inside `Store.begin()`.
        approvals: Each effect's action to the approval that it took, if it took one; at most some hundred.
        at: When they were meant.

    Returns:
        Their numbers in the chain, in the order of the actions.
    """
    rows = connection.execute(_MEANT, {"actions": list(approvals)}).mappings()
    meant = {row["action"]: dict(row) for row in rows}
    taken = [action for action, approval in approvals.items() if approval is not None]
    held = held_of(connection, taken) if taken else {}
    entries = []
    for action, approval in approvals.items():
        if action not in meant:
            raise LookupError(f"no row of outbox with its permit is of {action}: write both before it is recorded")
        outbox = meant[action]
        body = {"permit": outbox["permit_id"], "tool_server": outbox["tool_server"], "tool": outbox["tool"]}
        payload = {"intent": of_intent(outbox, outbox["consumed_at"])}
        if approval is not None:
            body["approval"] = approval
            payload["held"] = held[action]
        entries.append(New(body, action, payload))
    return append_all(connection, INTENT, entries, at=at)


def settled(connection: Connection, action: str, *, at: datetime) -> int:
    """Record what became of an effect, once its outbox row says so; its number in the chain."""
    outbox = _outbox(connection, action)
    body = {"permit": outbox["permit_id"], "state": outbox["state"]}
    payload = {"outcome": of_outcome(outbox)}
    return append(connection, OUTCOME, body, at=at, action=action, payload=payload)


def settled_by(connection: Connection, action: str, by: str, reason: str, *, at: datetime) -> int:
    """Record what a person said became of an effect, once its outbox row says so; its number in the chain."""
    outbox = _outbox(connection, action)
    body = {"permit": outbox["permit_id"], "state": outbox["state"], "by_person": True}
    payload = {"outcome": of_outcome(outbox), "by": by, "reason": reason}
    return append(connection, OUTCOME, body, at=at, action=action, payload=payload)


def undo_intended(connection: Connection, undo_id: str, *, at: datetime) -> int:
    """Record that an effect is about to be taken back, once its row stands; its number in the chain."""
    row = _undo(connection, undo_id)
    body = {
        "undo": undo_id,
        "permit": row["permit_id"],
        "tool_server": row["tool_server"],
        "tool": row["tool"],
        "rests_on": [row["intent_seq"], row["outcome_seq"]],
    }
    payload = {"undo": committed.of_undo(row), "order": committed.of_order(row)}
    return append(connection, UNDO, body, at=at, action=row["action"], payload=payload)


def undo_settled(connection: Connection, undo_id: str, *, at: datetime, by: str = "", reason: str = "") -> int:
    """Record what became of taking an effect back, once its row says so; its number in the chain.

    Args:
        connection: Inside `Store.begin()`.
        undo_id: The row.
        at: When it was settled.
        by: The person who settled it, where no tool did.
        reason: Why they say so.
    """
    row = _undo(connection, undo_id)
    body = {"undo": undo_id, "permit": row["permit_id"], "state": row["state"], "by_person": bool(by)}
    payload = {"undone": committed.of_undone(row), **({"by": by, "reason": reason} if by else {})}
    return append(connection, UNDONE, body, at=at, action=row["action"], payload=payload)


def tainted(
    connection: Connection,
    snapshot_id: str,
    found: Sequence[Mapping[str, Any]],
    cleared: Sequence[str],
    *,
    at: datetime,
) -> int:
    """Record effects whose entity is another in a snapshot than it was, once their rows stand; its number in the chain.

    Args:
        connection: Inside `Store.begin()`.
        snapshot_id: The snapshot that says so.
        found: Rows of `tainted_effect` that are new, or so again; at most some hundred.
        cleared: Keys of rows of which it says so no more.
        at: When it was found.
    """
    body = {"snapshot": snapshot_id, "found": len(found), "cleared": len(cleared)}
    taints = {committed.taint_key(row): committed.of_taint(row) for row in found}
    return append(connection, TAINTED, body, at=at, payload={"taints": taints, "cleared": list(cleared)})


def incidents_found(
    connection: Connection, snapshot_id: str, found: Sequence[Mapping[str, Any]], *, at: datetime
) -> int:
    """Record rows that nothing in the ledger accounts for, once they stand in `incident`; its number in the chain."""
    body = {"snapshot": snapshot_id, "found": len(found)}
    payload = {"incidents": {committed.incident_key(row): committed.of_incident(row) for row in found}}
    return append(connection, INCIDENT, body, at=at, payload=payload)


def _outbox(connection: Connection, action: str) -> dict[str, Any]:
    query = select(tables.outbox).where(tables.outbox.c.action == action)
    return dict(connection.execute(query).mappings().one())


def _undo(connection: Connection, undo_id: str) -> dict[str, Any]:
    query = select(tables.undo).where(tables.undo.c.undo_id == undo_id)
    return dict(connection.execute(query).mappings().one())
