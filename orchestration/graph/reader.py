"""Reading a published graph: `EntityGraph`, the same to Python as the tables and macros are to SQL.

What a value means stands in `schema.sql` and `model.py`, and how the file is opened in `confined`. What may be done
with what it says belongs to the gate.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb
import orjson

from orchestration.contracts import RecordId, SnapshotId
from orchestration.errors import ConfigurationError
from orchestration.graph.confined import Confined, Row, not_a_graph
from orchestration.graph.model import FACTS, RECORD_TYPES, Field, Shape
from orchestration.graph.rows import (
    Contact,
    Crosswalk,
    Entity,
    Fact,
    GoldenValue,
    Relationship,
    Snapshot,
    SourceRow,
    SourceText,
    source_row_id,
)
from orchestration.sql import quoted

if TYPE_CHECKING:
    import networkx as nx


_SOURCE_ROWS: Final = "WITH asked AS MATERIALIZED (SELECT ? AS ids) FROM source_rows((SELECT ids FROM asked))"
"""The ids stand in it once: in graphs of earlier versions the macro names them for each source table, a copy each."""
_SOURCE_TEXTS: Final = """
    WITH asked AS MATERIALIZED (SELECT ? AS ids)
    SELECT record_id, system, source_table, source_key, row_hash, "row" FROM source_rows((SELECT ids FROM asked))
"""


class EntityGraph(Confined):
    """One published graph, read-only; many may read it while the next one is published.

    Lookups of one thing return `None` where there is none; lookups of many leave out what there is none of.

    Args:
        path: The graph's file, `graph/<snapshot>.duckdb`.

    Raises:
        NoGraph: There is no such file, or it is no graph.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            self.snapshot = self._snapshot()
        except (duckdb.Error, LookupError, TypeError, ValueError) as error:
            self.close()
            raise not_a_graph(path, error) from error

    # --- entities

    def entity(self, entity_id: str) -> Entity | None:
        """The entity of that id."""
        return self.entities([entity_id]).get(entity_id)

    def entities(self, entity_ids: Iterable[str]) -> dict[str, Entity]:
        """Those entities, by id."""
        rows = self.rows("SELECT * FROM entity WHERE entity_id IN (SELECT unnest(?))", [list(entity_ids)])
        return {row["entity_id"]: Entity.of(row) for row in rows}

    def golden(self, entity_id: str) -> dict[str, GoldenValue]:
        """An entity's golden record: each field that has one, to its surviving value and record."""
        return self.goldens([entity_id]).get(entity_id, {})

    def goldens(self, entity_ids: Iterable[str]) -> dict[str, dict[str, GoldenValue]]:
        """The golden records of those entities, by id."""
        wanted, found = list(entity_ids), {}
        for shape in RECORD_TYPES.values():
            names, times = shape.names, [field.name for field in shape.fields if field.kind == "timestamp"]
            for row in self.tuples(_golden(shape), [wanted]):
                found[row[0]] = golden = {
                    name: GoldenValue(value, record)
                    for name, value, record in zip(names, row[1::2], row[2::2], strict=True)
                    if value is not None
                }
                for name in times:
                    if name in golden:
                        golden[name] = GoldenValue(golden[name].value.replace(tzinfo=UTC), golden[name].record_id)
        return found

    def events(self, entity_id: str) -> list[Row]:
        """What happened to an entity, oldest first, as rows of `entity_event`."""
        return self.rows("SELECT * FROM entity_event WHERE entity_id = ? ORDER BY happened_at, event", [entity_id])

    # --- records

    def crosswalk(self, record_id: str) -> Crosswalk | None:
        """The entity of a record; a record that its source merged into another is found as well."""
        return self.crosswalks([record_id]).get(record_id)

    def crosswalks(self, record_ids: Iterable[str]) -> dict[str, Crosswalk]:
        """The entities of those records, by record id."""
        rows = self.rows("SELECT * FROM crosswalk WHERE record_id IN (SELECT unnest(?))", [list(record_ids)])
        return {row["record_id"]: Crosswalk(**row) for row in rows}

    def records_of(self, entity_id: str) -> list[Crosswalk]:
        """Every record of an entity, also those that a source merged away itself, by record id."""
        return [
            Crosswalk(**row)
            for row in self.rows("SELECT * FROM crosswalk WHERE entity_id = ? ORDER BY record_id", [entity_id])
        ]

    def record(self, record_id: str) -> Row | None:
        """One conformed record as its system states it: a row of `organisation_record` or `person_record`."""
        for record_type in RECORD_TYPES:
            for row in self.rows(f"SELECT * FROM {record_type}_record WHERE record_id = ?", [record_id]):
                return row
        return None

    def source_row(self, record_id: str) -> SourceRow | None:
        """The source row that a record or fact comes from, as it was read."""
        return self.source_rows([record_id]).get(record_id)

    def source_rows(self, record_ids: Iterable[str]) -> dict[str, SourceRow]:
        """The source rows that those records and facts come from, by the id that was asked for."""
        asked = {record_id: source_row_id(record_id) for record_id in record_ids}
        rows = self.rows(_SOURCE_ROWS, [sorted({*asked.values()})])
        found = {row["record_id"]: SourceRow.of(row) for row in rows}
        return {record_id: found[row_id] for record_id, row_id in asked.items() if row_id in found}

    def source_texts(self, record_ids: Iterable[str]) -> dict[str, SourceText]:
        """As `source_rows`, with each row's columns as text, and without when it was seen."""
        asked = {record_id: source_row_id(record_id) for record_id in record_ids}
        rows = self.tuples(_SOURCE_TEXTS, [sorted({*asked.values()})])
        found = {row[0]: SourceText._make((*row[:-1], orjson.Fragment(row[-1]))) for row in rows}
        return {record_id: found[row_id] for record_id, row_id in asked.items() if row_id in found}

    def support(self, record_ids: Iterable[str]) -> dict[str, tuple[RecordId, ...]]:
        """The source rows that complete those records and facts beside their own, by the id that was asked for."""
        sql = """
            SELECT record_id, list(supporting_record ORDER BY supporting_record) AS completing FROM support
            WHERE record_id IN (SELECT unnest(?)) GROUP BY record_id
        """
        return {row["record_id"]: tuple(row["completing"]) for row in self.rows(sql, [list(record_ids)])}

    # --- facts

    def facts(self, fact: str, entity_id: str) -> list[Fact]:
        """The facts of that kind (`invoice`, …) of an organisation or a person, by record id."""
        sql = f'SELECT * FROM "{_known(fact)}" WHERE entity_id = $id OR person_entity_id = $id ORDER BY record_id'
        return [Fact.of(fact, row) for row in self.rows(sql, {"id": entity_id})]

    def fact(self, record_id: str) -> Fact | None:
        """The fact of that record id, of whatever kind."""
        for row in self.rows("SELECT fact FROM fact WHERE record_id = ?", [record_id]):
            return self.facts_by_id(row["fact"], [record_id]).get(record_id)
        return None

    def facts_by_id(self, fact: str, record_ids: Iterable[str]) -> dict[str, Fact]:
        """Those facts of that kind, by record id."""
        sql = f'SELECT * FROM "{_known(fact)}" WHERE record_id IN (SELECT unnest(?))'
        return {row["record_id"]: Fact.of(fact, row) for row in self.rows(sql, [list(record_ids)])}

    # --- what an entity touches

    def contact_points(self, entity_id: str, channel: str | None = None) -> list[Contact]:
        """An entity's mailboxes and phones, one for each record that states it; `channel` is `email` or `phone`."""
        sql = """
            SELECT * FROM contact_point WHERE entity_id = $id AND ($channel IS NULL OR channel = $channel)
            ORDER BY channel, value, record_id
        """
        return [Contact(**row) for row in self.rows(sql, {"id": entity_id, "channel": channel})]

    def relationships(self, entity_id: str, kind: str | None = None) -> list[Relationship]:
        """The relationships that lead from or to an entity; `kind` is such as `works_at`."""
        sql = """
            SELECT * FROM relationship
            WHERE (from_entity = $id OR to_entity = $id) AND ($kind IS NULL OR kind = $kind)
            ORDER BY kind, from_entity, to_entity, record_id
        """
        return [Relationship(**row) for row in self.rows(sql, {"id": entity_id, "kind": kind})]

    def conflicts(self, entity_id: str) -> list[Row]:
        """An entity's disagreements that matter, as rows of `conflict`."""
        return self.rows("SELECT * FROM conflict WHERE entity_id = ? ORDER BY ALL", [entity_id])

    def review_pairs(self, entity_id: str) -> list[Row]:
        """The doubts about an entity that a person could settle, as rows of `review_pair`."""
        return self.rows("SELECT * FROM review_pair WHERE $id IN (entity_a, entity_b) ORDER BY ALL", {"id": entity_id})

    def links(self, entity_id: str) -> list[Row]:
        """Every compared pair with a record of an entity in it, accepted or not, as rows of `link`."""
        sql = """
            WITH own AS (SELECT record_id FROM crosswalk WHERE entity_id = ?)
            SELECT * FROM link WHERE record_a IN (FROM own) OR record_b IN (FROM own) ORDER BY record_a, record_b
        """
        return self.parsed(sql, [entity_id])

    def parsed(self, sql: str, values: list[Any] | Mapping[str, Any]) -> list[Row]:
        """The rows of a query over links, with their comparisons as Python has them."""
        return [row | {"comparisons": json.loads(row["comparisons"] or "{}")} for row in self.rows(sql, values)]

    # --- how it was linked

    def rules(self, entity_type: str) -> dict[str, str]:
        """The declared strong keys and vetoes of a record type: name to the reason in words."""
        rows = self.rows("SELECT name, reason FROM rule WHERE entity_type = ?", [entity_type])
        return {row["name"]: row["reason"] for row in rows}

    def thresholds(self, entity_type: str) -> Row | None:
        """How sure links of a record type had to be: its row of `threshold`; none where the graph does not say."""
        return next(iter(self.rows("SELECT * FROM threshold WHERE entity_type = ?", [entity_type])), None)

    def judgements(self) -> list[Row]:
        """What people judged and what became of it here, as rows of `judgement`: what is not obeyed first."""
        return self.rows("SELECT * FROM judgement ORDER BY state = 'obeyed', judgement_id")

    # --- the macros

    def find(self, text: str, limit: int = 20) -> list[Row]:
        """Entities that a text may mean, likeliest first: a name, identifier, mailbox, phone, record or entity id."""
        return self.rows("FROM find(?) LIMIT ?", [text, limit])

    def entity_360(self, entity_id: str) -> list[Row]:
        """All that is known of an entity, one thing a row: `section`, `key`, `value`, `record_id`."""
        return self.rows("FROM entity_360(?)", [entity_id])

    def why(self, record_a: str, record_b: str) -> list[Row]:
        """The compared pairs that explain two records: their own, or the chain of accepted ones that joins them.

        Empty where they were never compared and nothing joins them.
        """
        return self.parsed("FROM why(?, ?)", [record_a, record_b])

    def neighbours(self, entity_id: str, hops: int = 1) -> nx.MultiDiGraph[str]:
        """The neighbourhood of an entity: entities as nodes with their row, relationships as edges keyed by record.

        Returns:
            A graph of the entity and all that relationships of either direction lead to in at most `hops` steps; empty
            where there is no such entity.
        """
        import networkx as nx  # noqa: PLC0415  slow to load, and few need it

        inside = [entity_id, *(row["entity_id"] for row in self.rows("FROM neighbours(?, ?)", [entity_id, hops]))]
        view: nx.MultiDiGraph[str] = nx.MultiDiGraph()
        for found in self.entities(inside).values():
            view.add_node(found.entity_id, entity_type=found.entity_type, name=found.name, standing=found.standing)
        sql = """
            SELECT * FROM relationship
            WHERE from_entity IN (SELECT unnest($inside)) AND to_entity IN (SELECT unnest($inside)) ORDER BY ALL
        """
        for row in self.rows(sql, {"inside": inside}):
            view.add_edge(row["from_entity"], row["to_entity"], key=f"{row['kind']} {row['record_id']}", **_edge(row))
        return view

    def _snapshot(self) -> Snapshot:
        return Snapshot.of(
            self.rows("SELECT * FROM snapshot")[0],
            self.rows("SELECT * FROM snapshot_source ORDER BY system, source_table"),
            self.rows("SELECT * FROM snapshot_input ORDER BY asset_key"),
        )

    @property
    def snapshot_id(self) -> SnapshotId:
        """Which graph this is."""
        return self.snapshot.snapshot_id


@cache
def _golden(shape: Shape) -> str:
    """A query for golden records, each value before its record; times in UTC, without a zone."""
    each = (_in_utc(field) + f", {quoted(f'{field.name}_record')}" for field in shape.fields)
    return f"SELECT entity_id, {', '.join(each)} FROM {shape.name} WHERE entity_id IN (SELECT unnest(?))"


def _in_utc(field: Field) -> str:
    return f"{quoted(field.name)} AT TIME ZONE 'UTC'" if field.kind == "timestamp" else quoted(field.name)


def _edge(row: Row) -> Row:
    return {"kind": row["kind"], "record_id": row["record_id"]}


def _known(fact: str) -> str:
    if fact not in FACTS:
        raise ConfigurationError("fact", repr(fact), f"one of {', '.join(FACTS)}")
    return fact
