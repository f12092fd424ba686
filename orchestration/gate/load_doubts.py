"""Reading open review pairs of some entities, with all that `doubts` asks of the other side."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from orchestration.contracts import EntityId
from orchestration.gate.doubts import Doubt
from orchestration.graph.reader import EntityGraph

_SQL: Final = (Path(__file__).parent / "doubt.sql").read_text(encoding="utf-8")
_FIRM_LINKS: Final = """
    WITH own AS (SELECT record_id, entity_id FROM crosswalk WHERE entity_id IN (SELECT unnest($ids)))
    SELECT a.entity_id, record_a, record_b FROM link
    JOIN own AS a ON a.record_id = record_a JOIN own AS b ON b.record_id = record_b
    WHERE status = 'accepted' AND tier IS NOT NULL AND a.entity_id = b.entity_id
    UNION ALL
    SELECT a.entity_id, alias.record_id, merged_into FROM alias
    JOIN own AS a ON a.record_id = alias.record_id JOIN own AS b ON b.record_id = merged_into
    WHERE a.entity_id = b.entity_id
"""
_RECORDS: Final = "SELECT entity_id, record_id FROM crosswalk WHERE entity_id IN (SELECT unnest($ids))"
_PAIR: Final = 2
"""Records that a link of the model holds whatever else joins them from another system: neither has a rival there, and
a bridge has two records on either side."""


def load_doubts(graph: EntityGraph, ids: list[str]) -> dict[str, tuple[Doubt, ...]]:
    """Entity to its open review pairs."""
    rows = graph.rows(_SQL, {"ids": ids})
    firm = _firm(graph, sorted({row["mine"] for row in rows}))
    found: dict[str, list[Doubt]] = defaultdict(list)
    for row in rows:
        held = row["mine"] in firm or (row["records"] <= _PAIR and row["only"] and not row["shares"])
        found[row["mine"]].append(_doubt(row, firm=held))
    return {entity: tuple(each) for entity, each in found.items()}


def _doubt(row: Mapping[str, Any], *, firm: bool) -> Doubt:
    change = row["could_change"]
    return Doubt(
        other=EntityId(row["other"]),
        reason=row["reason"],
        systems=frozenset(row["systems"] or ()),
        could_change=None if change is None else frozenset(change),
        resolution=json.loads(row["resolution"] or "{}"),
        opted_out=row["opted_out"],
        own=_reasons(row["own"]),
        against=_reasons(row["against"]),
        records=row["records"],
        other_records=row["other_records"],
        together=row["together"],
        firm=firm,
        vetoed=row["vetoed"],
        others=row["others"],
        employs=row["employs"],
    )


def _reasons(stated: list[str] | None) -> tuple[str, ...]:
    return tuple(stated) if stated is not None else ("unknown",)


def _firm(graph: EntityGraph, ids: list[str]) -> set[str]:
    """The entities whose records strong keys, judgements and their sources' own merges hold together by themselves."""
    if not ids:
        return set()
    group: dict[str, str] = {}
    owner: dict[str, str] = {}
    for row in graph.rows(_RECORDS, {"ids": ids}):
        group[row["record_id"]], owner[row["record_id"]] = row["record_id"], row["entity_id"]

    def root(record: str) -> str:
        while group[record] != record:
            record = group[record]
        return record

    for row in graph.rows(_FIRM_LINKS, {"ids": ids}):
        group[root(row["record_a"])] = root(row["record_b"])
    roots: dict[str, set[str]] = defaultdict(set)
    for record, entity in owner.items():
        roots[entity].add(root(record))
    return {entity for entity, each in roots.items() if len(each) == 1}
