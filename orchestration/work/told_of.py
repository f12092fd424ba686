"""What the store says of effects after they were meant: lists for whoever asks, and commands that deal with them."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, Select, and_, exists, func, select

from orchestration.contracts import OutcomeState
from orchestration.store.tables import incident, outbox, proposal, tainted_effect, undo

DONE: Final = OutcomeState.DONE.value

Row = dict[str, Any]


def undoing(action: str) -> str:
    """The command that takes an effect back."""
    return f"precede undo {action} --reason …"


def settling(effect: str) -> str:
    """The command by which a person says what became of an effect."""
    return f"precede effects settle {effect} done|failed --reason …"


def for_a_person(table: Any) -> Any:  # noqa: ANN401  SQLAlchemy's expression over `outbox` or `undo`
    """Of a row, that its outcome is unknown and that no tool will say it."""
    return and_(table.c.state == OutcomeState.UNKNOWN.value, table.c.by_person)


def effects(connection: Connection, only: str | None = None, limit: int | None = None) -> list[Row]:
    """Effects, the latest first: each with what became of it, whether it was seen again, is tainted, was taken back.

    Args:
        connection: On the store.
        only: `unknown` (a person must settle it), `missing` (it ought to have been seen by now), `unseen`, `undone` or
            `tainted`.
        limit: At most so many.
    """
    back = and_(undo.c.action == outbox.c.action, undo.c.state != OutcomeState.FAILED.value)
    tainted = exists().where(tainted_effect.c.action == outbox.c.action, tainted_effect.c.cleared_at.is_(None))
    asked = {
        "unknown": for_a_person(outbox) | for_a_person(undo),
        "missing": outbox.c.missing_at.is_not(None) & outbox.c.confirmed_at.is_(None),
        "unseen": outbox.c.confirmed_record.is_(None) & (outbox.c.state == DONE),
        "undone": undo.c.state == DONE,
        "tainted": tainted & (func.coalesce(undo.c.state, "") != DONE),
    }
    query: Select[Any] = (
        select(
            outbox.c.action,
            proposal.c.agent,
            proposal.c.action_type,
            proposal.c.entity_id,
            outbox.c.effect_key,
            outbox.c.state,
            outbox.c.reference,
            outbox.c.detail,
            outbox.c.by_person,
            outbox.c.intended_at,
            outbox.c.settled_at,
            outbox.c.confirmed_record,
            outbox.c.confirmed_at,
            outbox.c.missing_at,
            undo.c.undo_id,
            undo.c.state.label("undo_state"),
            undo.c.confirmed_record.label("undo_confirmed_record"),
            tainted.label("tainted"),
        )
        .join(proposal, proposal.c.action == outbox.c.action)
        .outerjoin(undo, back)
        .order_by(outbox.c.intended_at.desc(), outbox.c.action)
        .limit(limit)
    )
    if only is not None:
        query = query.where(asked[only])
    return [_effect(dict(row)) for row in connection.execute(query).mappings()]


def _effect(row: Row) -> Row:
    """With the command that a person settles it by, where one must."""
    unknown = row.pop("by_person") and row["state"] == OutcomeState.UNKNOWN
    effect = row["action"] if unknown else row["undo_id"] if row["undo_state"] == OutcomeState.UNKNOWN else None
    return {**row, "tainted": bool(row["tainted"]), "settle": settling(effect) if effect else None}


def tainted(connection: Connection, limit: int | None = None) -> list[Row]:
    """The effects that are tainted now, the latest first: how, since which snapshot, and the command to undo them."""
    table = tainted_effect
    taken = exists().where(undo.c.action == table.c.action, undo.c.state == DONE)
    query = (
        select(
            table.c.action,
            table.c.entity_id,
            table.c.how,
            table.c.detail,
            table.c.snapshot_id,
            table.c.found_at,
            proposal.c.agent,
            proposal.c.action_type,
            outbox.c.state,
        )
        .join(outbox, outbox.c.action == table.c.action)
        .join(proposal, proposal.c.action == table.c.action)
        .where(table.c.cleared_at.is_(None), ~taken)
        .order_by(table.c.found_at.desc(), table.c.action, table.c.entity_id, table.c.how)
        .limit(limit)
    )
    return [{**row, "undo": undoing(row["action"])} for row in connection.execute(query).mappings()]


def incidents(connection: Connection, limit: int | None = None) -> list[Row]:
    """Rows that Precede's account wrote and that the ledger does not account for, the latest first."""
    query = select(incident).order_by(incident.c.found_at.desc(), incident.c.record_id, incident.c.how).limit(limit)
    return [dict(row) for row in connection.execute(query).mappings()]
