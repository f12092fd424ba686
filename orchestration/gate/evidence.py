"""What a decision rested on, as JSON: enough to walk from the effect to source rows without the snapshot.

Many decisions rest on the same entity and the same rows: each is written down once for a slice of the graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from orchestration.gate.known import GraphFacts
from orchestration.gate.resolve import Case
from orchestration.graph.rows import SourceRow, SourceText
from orchestration.store.written import Written, written


def evidence(case: Case) -> dict[str, Written]:
    """The columns of evidence that the graph says, as JSON."""
    found, graph = case.found, case.graph
    ids = sorted({entity.entity_id for entity in found.entities.values()})
    crosswalk = [record for entity in ids for record in graph.records.get(entity, ())]
    stated = [contact for each in found.contacts.values() for contact in each]
    records = {*case.ask.named, *(record.record_id for record in crosswalk)}
    records |= {fact.record_id for fact in found.facts.values()}
    records |= {record for each in found.relationships.values() for record in each}
    records |= {contact.record_id for contact in stated}
    said = {
        "entities": _list(_once(graph, ("entity", one), graph.entities[one]) for one in ids),
        "golden": _object({one: _golden(graph, one) for one in ids}),
        "crosswalk": _list(_once(graph, ("records", one), graph.records.get(one, ()))[1:-1] for one in ids),
        "contact_points": _list(_once(graph, ("contact", each), each) for each in stated),
        "facts": _list(_once(graph, ("fact", each.fact, each.record_id), each) for each in found.facts.values()),
    }
    return {"entities": Written(_object(said)), "source_rows": Written(_list(_source_rows(graph, records)))}


def _once(graph: GraphFacts, name: tuple[object, ...], value: object) -> str:
    """What a part of the graph is as JSON."""
    text = graph.texts.get(name)
    if text is None:
        text = graph.texts[name] = written(value)
    return text


def _list(texts: Iterable[str]) -> str:
    return f"[{','.join(filter(None, texts))}]"


def _object(texts: Mapping[str, str]) -> str:
    return "{" + ",".join(f"{written(name)}:{text}" for name, text in texts.items()) + "}"


def _golden(graph: GraphFacts, entity: str) -> str:
    text = graph.texts.get(("golden", entity))
    if text is None:
        golden = graph.goldens.get(entity, {})
        said = {name: {"value": each.value, "record": each.record_id} for name, each in golden.items()}
        text = graph.texts["golden", entity] = written(said)
    return text


def _source_rows(graph: GraphFacts, records: Iterable[str]) -> list[str]:
    """The rows that those records come from and the rows that complete them, each once, with what it `supports`."""
    supports: dict[str, list[str]] = {}
    for record in sorted(records):
        for supporting in graph.support.get(record, ()):
            supports.setdefault(supporting, []).append(record)
    wanted = sorted({*records, *supports})
    rows = {row.record_id: row for name in wanted if (row := graph.source_rows.get(name))}  # one may drive several
    return [_source_row(graph, row, supports.get(row.record_id, [])) for row in rows.values()]


def _source_row(graph: GraphFacts, row: SourceRow | SourceText, supports: list[str]) -> str:
    known = ("row", row.record_id, *supports)
    text = graph.texts.get(known)
    if text is None:
        said: dict[str, Any] = {
            "record_id": row.record_id,
            "system": row.system,
            "source_table": row.source_table,
            "source_key": row.source_key,
            "row_hash": row.row_hash,
            "row": row.row,
            "supports": supports,
        }
        text = graph.texts[known] = written(said)
    return text
