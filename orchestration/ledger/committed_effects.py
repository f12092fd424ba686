"""What entries about effects commit to, as functions of store rows, and whether store and ledger say the same of them.

As `committed.py`, `telling.py` and `agreement.py` for what is decided. When an effect was seen again stands in no
entry: it says nothing about what was done, and a graph says it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Connection

from orchestration.canonical import digest
from orchestration.ledger import rows
from orchestration.ledger.kinds import INCIDENT, TAINTED
from orchestration.ledger.links import Entry
from orchestration.ledger.subjects import CALL, PARTS, UNDER_WAY, Subject
from orchestration.store import tables

Row = Mapping[str, Any]

_TAINT_OF: Final = "the taint of effect"
_TAINT_END: Final = "the end of the taint of effect"
_INCIDENT_OF: Final = "the incident of row"
_UNDO: Final = (
    "undo_id",
    "action",
    "permit_id",
    "permit",
    "signature",
    "intent_seq",
    "outcome_seq",
    "effect_key",
    "tool_server",
    "tool",
    "tool_arguments",
    "intended_at",
    "expires_at",
)
_ORDER: Final = ("undo_id", "operator", "reason")
_UNDONE: Final = ("undo_id", "state", "reference", "detail", "settled_at")
_TAINT: Final = ("action", "entity_id", "how", "detail", "snapshot_id", "found_at")
_INCIDENT: Final = ("record_id", "how", "relation", "effect_key", "snapshot_id", "found_at")
_SETTLED: Final = frozenset({"done", "failed", "unknown"})


def of_undo(undo: Row) -> dict[str, Any]:
    """A taking back as it was meant."""
    return {column: undo[column] for column in _UNDO}


def of_order(undo: Row) -> dict[str, Any]:
    """Who wants it, and why."""
    return {column: undo[column] for column in _ORDER}


def of_undone(undo: Row) -> dict[str, Any]:
    """What became of it."""
    return {column: undo[column] for column in _UNDONE}


def of_taint(taint: Row) -> dict[str, Any]:
    """How an entity of an effect is another than it was."""
    return {column: taint[column] for column in _TAINT}


def of_incident(incident: Row) -> dict[str, Any]:
    """A row that nothing accounts for."""
    return {column: incident[column] for column in _INCIDENT}


def taint_key(taint: Row) -> str:
    """What a taint is called."""
    return f"{taint['action']} {taint['entity_id']} {taint['how']}"


def incident_key(incident: Row) -> str:
    """What an incident is called."""
    return f"{incident['record_id']} {incident['how']}"


def told_by(entry: Entry, body: Row, payload: Row) -> Iterator[tuple[Subject, str, int]]:
    """What an entry says of effects after they were meant: the subject, the digest of what is said, and its step."""
    seq = body["seq"] if isinstance(body.get("seq"), int) else 0
    if entry.kind == TAINTED:
        for key, taint in _each(payload.get("taints")):
            yield Subject(_TAINT_OF, key), digest(taint), seq
            yield Subject(_TAINT_END, key), digest(None), seq
        ended = payload.get("cleared")
        for key in ended if isinstance(ended, list) else ():
            yield Subject(_TAINT_END, str(key)), digest([body.get("snapshot"), body.get("at")]), seq
    if entry.kind == INCIDENT:
        for key, incident in _each(payload.get("incidents")):
            yield Subject(_INCIDENT_OF, key), digest(incident), 0


def told_by_store(connection: Connection, action: str | None) -> Iterator[tuple[Subject, str]]:
    """What the store's rows say of effects after they were meant; of one action's undoing alone where it is given."""
    for row in rows.rows(connection, tables.undo, action):
        yield Subject(PARTS["undo"][0], row["undo_id"]), rows.digest(of_undo(row))
        if row["operator"]:  # else it is older than that this is kept in its row
            yield Subject(PARTS["order"][0], row["undo_id"]), rows.digest(of_order(row))
        if row["state"] in _SETTLED:
            yield Subject(PARTS["undone"][0], row["undo_id"]), rows.digest(of_undone(row))
        if row["state"] == "sending":
            yield Subject(CALL, row["permit_id"]), UNDER_WAY
    if action is not None:
        return
    for row in rows.rows(connection, tables.tainted_effect):
        yield Subject(_TAINT_OF, taint_key(row)), rows.digest(of_taint(row))
        over = None if row["cleared_at"] is None else rows.digest_of([row["cleared_snapshot"], row["cleared_at"]])
        yield Subject(_TAINT_END, taint_key(row)), over or digest(None)
    for row in rows.rows(connection, tables.incident):
        yield Subject(_INCIDENT_OF, incident_key(row)), rows.digest(of_incident(row))


def _each(value: object) -> Iterator[tuple[str, Any]]:
    yield from value.items() if isinstance(value, dict) else ()
