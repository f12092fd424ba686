"""What a person could settle, most useful first: open review pairs and conflicts, with the actions that wait for them.

An action waits where the gate's last answer denied it for doubts alone, so that settling them would let it through, or
where it was not answered yet. What is listed stands in the graph; what was judged since stands in the store, and is
left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, func, select

from orchestration.canonical import canonical
from orchestration.gate.transient import TRANSIENT
from orchestration.graph.reader import EntityGraph
from orchestration.judgements import judgements
from orchestration.store.tables import decision, outbox, proposal

Row = dict[str, Any]
Waiting = Mapping[str, set[str]]
"""Entity to the actions that wait for something about it."""

DOUBTS: Final = frozenset(
    {
        "ambiguous_link",
        "not_linked",
        "not_reconciled",
        "not_searched",
        "open_review_pair",
        "single_system",
        "unbelievable_cluster",
        "vetoed_link",
    }
)
"""Reasons that a judgement of a pair may take away."""
CONFLICTS: Final = frozenset({"conflict"})
"""Reasons that a judgement of a value may take away."""
_SUBJECT_IS_SYSTEM: Final = frozenset({"not_linked", "not_searched"})
_SQL: Final = Path(__file__).parent / "open_pair.sql"


def waiting(connection: Connection, codes: frozenset[str]) -> Waiting:
    """The actions that wait for a judgement, by entity; what an agent asked for more than once counts once.

    Args:
        connection: Of the store.
        codes: The reasons that such a judgement may take away.
    """
    last = select(func.max(decision.c.decision_id)).group_by(decision.c.action)
    query = (
        select(proposal, decision.c.verdict, decision.c.reasons)
        .outerjoin_from(proposal, decision, (decision.c.action == proposal.c.action) & decision.c.decision_id.in_(last))
        .outerjoin(outbox, outbox.c.action == proposal.c.action)
        .where(outbox.c.action.is_(None))
        .order_by(proposal.c.proposed_at, proposal.c.action)
    )
    newest = {}
    for row in connection.execute(query).mappings():
        newest[row["agent"], row["action_type"], canonical(row["arguments"])] = row
    found: dict[str, set[str]] = defaultdict(set)
    for row in newest.values():
        for entity_id in _awaited(dict(row), codes):
            found[entity_id].add(row["action"])
    return found


def open_pairs(
    connection: Connection,
    graph: EntityGraph,
    *,
    entity: str | None = None,
    entity_type: str | None = None,
    limit: int = 1_000_000,
) -> list[Row]:
    """Open review pairs that nobody judged yet, the most useful first; one row for two entities.

    Each has the likeliest pair of their records, how many doubts there are between the two, the fields that a decision
    could change, the actions that wait, and whether it was skipped.

    Args:
        connection: Of the store.
        graph: The current graph.
        entity: Only doubts about this one.
        entity_type: Only of this record type.
        limit: The most to return.
    """
    awaited = [(one, action) for one, actions in waiting(connection, DOUBTS).items() for action in sorted(actions)]
    said = judgements(connection)
    return graph.rows(
        _SQL.read_text(encoding="utf-8"),
        {
            "entities": [one for one, _ in awaited],
            "actions": [action for _, action in awaited],
            "said_a": [one["record_a"] for one in said],
            "said_b": [one["record_b"] for one in said],
            "verdicts": [one["verdict"] for one in said],
            "entity": entity,
            "entity_type": entity_type,
            "most": limit,
        },
    )


def _awaited(row: Mapping[str, Any], codes: frozenset[str]) -> set[str]:
    """The entities about which a judgement could let an action through; none where it waits for nothing of the kind."""
    named = {row["entity_id"], *(value for value in row["arguments"].values() if isinstance(value, str))}
    if row["verdict"] is None:
        return named
    if row["verdict"] != "deny":
        return set()
    reasons = [reason for reason in row["reasons"] if reason["code"] not in TRANSIENT]
    if not reasons or any(reason["code"] not in DOUBTS | CONFLICTS for reason in reasons):
        return set()  # it would be denied all the same
    found: set[str] = set()
    for reason in reasons:
        if reason["code"] in codes:
            found |= named if reason["code"] in _SUBJECT_IS_SYSTEM else {reason["subject"]}
    return found
