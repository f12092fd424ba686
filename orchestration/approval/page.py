"""Everything that a reviewer must see of what is held: whom it is about, by which sources, what would happen, and why.

It is made of the evidence that was kept with the decision that holds it, so that it is what the approval is bound to.
Conflicts are read from the current graph: those of fields that the action reads would have denied it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, select

from orchestration.approval.waiting import line, said
from orchestration.canonical import plain
from orchestration.gate.replay import each_asked
from orchestration.gate.replayed import last_decision, policies_of_then
from orchestration.graph.reader import EntityGraph
from orchestration.store.tables import evidence

_CONFLICTS: Final = """
    SELECT entity_id, field, record_a, value_a, record_b, value_b FROM conflict
    WHERE entity_id IN (SELECT unnest(?)) ORDER BY ALL
"""
Row = Mapping[str, Any]


def page(connection: Connection, row: Row, graph: EntityGraph | None) -> dict[str, Any]:
    """The page of one proposal, as JSON values.

    Args:
        connection: On the store.
        row: The proposal, as `waiting.one` has it.
        graph: The current graph; without it, conflicts are said not to be known.
    """
    action = row["action"]
    kept = connection.execute(select(evidence).where(evidence.c.action == action)).mappings().one_or_none()
    known: Mapping[str, Any] = kept["entities"] if kept is not None else {}
    entities = [one["entity_id"] for one in known.get("entities", ())]
    made_of = [one["action"] for one in line(connection, action)]
    return {
        "action": action,
        "decision": row["decision_id"],
        "state": row["state"],
        "agent": row["agent"],
        "action_type": row["action_type"],
        "proposed_at": plain(row["proposed_at"]),
        "held_at": plain(row["held_at"]),
        "rationale": row["rationale"],
        "arguments": row["arguments"],
        "revision": row["revision"] or 0,
        "note_before": row["note_before"] or "",
        "edited_from": row["edited_from"],
        "edited_by": row["edited_by"],
        "effect": row["tool_call"],
        "why": _why(connection, row),
        "reasons": row["reasons"],
        "entity": row["entity_id"],
        "entities": plain(known),
        "read_set": kept["read_set"] if kept is not None else None,
        "source_rows": kept["source_rows"] if kept is not None else [],
        "conflicts": None if graph is None else _conflicts(graph, entities),
        "snapshot": row["snapshot_id"],
        "said": plain(said(connection, made_of)),
    }


def _why(connection: Connection, row: Row) -> list[dict[str, Any]]:
    """The policies that hold it, each with the facts that it saw."""
    kept = last_decision(connection, row["action"])
    policies = policies_of_then(connection, kept)
    asked = {} if policies is None else {each.name: each.facts for each in each_asked(kept, policies)}
    return [{"policy": name, "facts": plain(dict(asked.get(name, {})))} for name in row["policies"]]


def _conflicts(graph: EntityGraph, entities: Sequence[str]) -> list[dict[str, Any]]:
    return [plain(found) for found in graph.rows(_CONFLICTS, [list(entities)])]
