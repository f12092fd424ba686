"""What is held, read from the store: the queue, one proposal of it, and everything that was said of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, Select, select

from orchestration.approval.queue import OPEN
from orchestration.errors import NotFound
from orchestration.store.tables import approval, decision, held, proposal, trigger_row

_SHOWN: Final = ("action", "approval_id", "verdict", "person", "note", "at", "expires_at", "edited_into")
_ENDED: Final = ("consumed_at", "voided_at", "void_code")


def waiting(
    connection: Connection, states: Sequence[str] = OPEN, *, agent: str | None = None, limit: int | None = None
) -> list[dict[str, Any]]:
    """What is held in those states, what waits longest first: one row is a proposal.

    Each has the queue's own columns, with the proposal's action type, entity, arguments, rationale and author, the
    policies that hold it, and how often one for its row was rejected before.
    """
    query = _query().where(held.c.state.in_(states)).order_by(held.c.held_at, held.c.action)
    if agent is not None:
        query = query.where(held.c.agent == agent)
    return [dict(row) for row in connection.execute(query.limit(limit)).mappings()]


def one(connection: Connection, action_id: str) -> dict[str, Any]:
    """One proposal that is or was held.

    Args:
        connection: On the store.
        action_id: The action's id, or the beginning of it where that names one that is held.

    Raises:
        NotFound: None that is held has that id, or more than one.
    """
    begins = _query().where(held.c.action.startswith(action_id, autoescape=True)).order_by(held.c.action).limit(2)
    found: list[RowMapping] = list(connection.execute(begins).mappings()) if action_id else []
    exact = [row for row in found if row["action"] == action_id]
    if len(found) != 1 and not exact:
        what = (
            "More than one proposal that was in review begins with"
            if found
            else "No proposal was in review with the id"
        )
        raise NotFound(f"{what} {action_id!r}; needed the id of one; list those that are with `precede review list`.")
    return dict((exact or found)[0])


def said(connection: Connection, actions: Sequence[str]) -> list[dict[str, Any]]:
    """What people said of those proposals, oldest first, and how each approval ended."""
    columns = [approval.c[name] for name in (*_SHOWN, *_ENDED)]
    query = select(*columns).where(approval.c.action.in_(actions)).order_by(approval.c.at, approval.c.approval_id)
    return [dict(row) for row in connection.execute(query).mappings()]


def line(connection: Connection, action: str) -> list[dict[str, Any]]:
    """A proposal and those whose place it took, the newest first: action, edited_from, edited_by."""
    found: list[dict[str, Any]] = []
    before: str | None = action
    columns = (proposal.c.action, proposal.c.edited_from, proposal.c.edited_by)
    while before is not None and before not in {row["action"] for row in found}:
        row = connection.execute(select(*columns).where(proposal.c.action == before)).mappings().one()
        found.append(dict(row))
        before = row["edited_from"]
    return found


def _query() -> Select[Any]:
    of_row = trigger_row.c.row_id == proposal.c.row_id
    wished = (proposal.c[name] for name in ("batch_id", "row_id", "action_type", "entity_id", "arguments", "rationale"))
    return (
        select(
            held,
            *wished,
            proposal.c.proposed_at,
            proposal.c.edited_from,
            proposal.c.edited_by,
            decision.c.policies,
            decision.c.decided_at,
            decision.c.snapshot_id,
            trigger_row.c.revision,
            trigger_row.c.note.label("note_before"),
        )
        .join(proposal, proposal.c.action == held.c.action)
        .join(decision, decision.c.decision_id == held.c.decision_id)
        .outerjoin(trigger_row, of_row)
    )
