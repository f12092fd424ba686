"""The kinds of entry about approvals, beside those of `entries`; written and recorded in the same way.

    kind             recorded by        tells of
    shown            shown              what an identified person was shown of what waits, and when
    approval         approval_given     what they said of it: approved, rejected, or edited
    approval_voided  approval_voided    an approval whose ground was taken away, or that was over
    held             held_changed       a proposal that left the queue for a reason that no decision gave
    edited           proposal_edited    the proposal that a person put in the place of an agent's

That a proposal is held stands with its decision, that an approval is used up with the intent of its effect.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, select

from orchestration.ledger import committed
from orchestration.ledger.chain import append
from orchestration.ledger.kinds import APPROVAL, APPROVAL_VOIDED, EDITED, HELD, SHOWN
from orchestration.store import tables


def shown(connection: Connection, showing_id: str, *, at: datetime) -> int:
    """Record what somebody was shown, once its row is written; its number in the chain."""
    row = _row(connection, tables.showing, "showing_id", showing_id)
    body = {"showing": showing_id, "decision": row["decision_id"]}
    payload = {"showing": committed.of_showing(row)}
    return append(connection, SHOWN, body, at=at, action=row["action"], payload=payload)


def approval_given(connection: Connection, approval_id: str, *, at: datetime) -> int:
    """Record what somebody said of what is held, once it and the queue say so; its number in the chain."""
    row = _row(connection, tables.approval, "approval_id", approval_id)
    body = {"approval": approval_id, "verdict": row["verdict"], "decision": row["decision_id"]}
    body |= {"showing": row["showing_id"], "edited_into": row["edited_into"], "expires_at": row["expires_at"]}
    payload = {"approval": committed.of_approval(row), "held": _held(connection, row["action"])}
    return append(connection, APPROVAL, body, at=at, action=row["action"], payload=payload)


def approval_voided(connection: Connection, approval_id: str, *, at: datetime) -> int:
    """Record that an approval is void, once its row says so; its number in the chain."""
    row = _row(connection, tables.approval, "approval_id", approval_id)
    body = {"approval": approval_id, "code": row["void_code"]}
    return append(connection, APPROVAL_VOIDED, body, at=at, action=row["action"])


def held_changed(connection: Connection, action: str, *, at: datetime) -> int:
    """Record that the queue says otherwise of a proposal, once it does; its number in the chain."""
    told = _held(connection, action)
    body = {"state": told["state"], "reasons": [reason["code"] for reason in told["reasons"]]}
    return append(connection, HELD, body, at=at, action=action, payload={"held": told})


def proposal_edited(connection: Connection, action: str, *, at: datetime) -> int:
    """Record the proposal that a person wrote, once its row is written; its number in the chain."""
    row = _row(connection, tables.proposal, "action", action)
    body = {"edited_from": row["edited_from"], "batch": row["batch_id"], "agent": row["agent"]}
    return append(connection, EDITED, body, at=at, action=action, payload={"proposal": committed.of_proposal(row)})


def held_of(connection: Connection, actions: Iterable[str]) -> dict[str, dict[str, Any]]:
    """What the queue says of those actions, as an entry commits to it; of those that were never held, nothing."""
    query = select(tables.held).where(tables.held.c.action.in_(sorted(actions)))
    return {row["action"]: committed.of_held(dict(row)) for row in connection.execute(query).mappings()}


def _held(connection: Connection, action: str) -> dict[str, Any]:
    return held_of(connection, [action])[action]


def _row(connection: Connection, table: Table, column: str, value: str) -> dict[str, Any]:
    row = connection.execute(select(table).where(table.c[column] == value)).mappings().one_or_none()
    if row is None:
        raise LookupError(f"no row of {table.name} is {value}: write the row before it is recorded")
    return dict(row)
