"""A copy of the graph for analysts who may not see people: `graph_pseudonymised.duckdb`, beside the other.

It holds what is listed here and nothing else. People, and firms that are one person, have pseudonyms in place of ids:
an HMAC with `keys/pseudonym.key`, the same in every table and every copy, so that joins and comparisons over time work,
and which nobody leads back without the key. Of a person stand country, year of birth and the month of each date; of a
text column only values that are stated of so many entities that they say nothing of one. Names, contact points, notes,
source rows and sources' own keys are not in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import duckdb

from orchestration.erasure.suppression import Suppression, read_key, sql_digest
from orchestration.graph.ddl import STORAGE_VERSION, reference
from orchestration.graph.model import FACTS, RECORD_TYPES, Field, Shape
from orchestration.settings import Settings
from orchestration.sql import literal, quoted

NAME: Final = "graph_pseudonymised.duckdb"
KEY: Final = "pseudonym.key"
SHARED: Final = 5
"""Entities of which a text must be stated to be shown."""
_KINDS: Final = frozenset({"money", "currency", "date", "timestamp", "boolean", "country", "integer"})
_TEXTS: Final = frozenset({"stage", "status", "direction", "kind", "priority", "role", "payment_terms"})
_OF_FIRMS: Final = frozenset({"name", "legal_name", "trading_name", "company_number", "vat_number", "lei", "city"})
_ALONE: Final = """
CREATE TEMP TABLE alone AS
SELECT DISTINCT entity_id FROM the.crosswalk WHERE entity_type = 'organisation' AND split_part(record_id, '#', 1) IN (
    SELECT split_part(record_id, '#', 1) FROM the.crosswalk WHERE entity_type = 'person'
)
"""
"""Firms that are one person: one row is a record of both."""
_FIRMS: Final = """
CREATE TEMP TABLE firm AS
SELECT entity_id FROM the.entity WHERE entity_type = 'organisation' AND entity_id NOT IN (FROM alone)
"""
_ENTITIES: Final = """
SELECT entity_id AS id FROM the.entity UNION SELECT entity_id FROM the.entity_event
UNION SELECT other_entity_id FROM the.entity_event
"""
_CONTACT: Final = "'contact:' || lower({})"


def pseudonymised(graph: Path, settings: Settings) -> Path:
    """Write the copy of a graph, in place of that of an earlier one; where it is.

    Raises:
        ConfigurationError: The key is there and cannot be used.
    """
    key = read_key(settings.keys / KEY, make=True)
    target = settings.home / NAME
    draft = target.with_name(f".{NAME}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    try:
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute(f"ATTACH {literal(graph)} AS the (READ_ONLY)")
            connection.execute(f"ATTACH {literal(draft)} AS copy (STORAGE_VERSION '{STORAGE_VERSION}')")
            connection.execute(_ALONE)
            connection.execute(_FIRMS)
            _pseudonyms(connection, Suppression(key))
            for table, query in _tables():
                connection.execute(f"CREATE TABLE copy.{quoted(table)} AS {query}")
            connection.execute("CHECKPOINT copy")
        draft.chmod(0o440)
        os.replace(draft, target)  # noqa: PTH105  the atomic call, named as such
    finally:
        draft.unlink(missing_ok=True)
    return target


def copy_of(settings: Settings) -> str | None:
    """The snapshot that the copy is of; none where there is none."""
    target = settings.home / NAME
    if not target.is_file():
        return None
    with duckdb.connect(str(target), read_only=True) as connection:
        return str(connection.execute("SELECT snapshot_id FROM snapshot").fetchall()[0][0])


def _pseudonyms(connection: duckdb.DuckDBPyConnection, key: Suppression) -> None:
    """Make `pseudonym(id, pseudonym)` of entities, records and contact points."""
    ids = [
        _ENTITIES,
        f"SELECT {_CONTACT.format('value')} FROM the.contact_point",
        *(f"SELECT {column} FROM {table}" for table, column in _record_columns()),
    ]
    made = f"'p_' || substr({sql_digest('pseudonym', 'id')}, 1, 24)"
    connection.execute(
        f"CREATE TEMP TABLE pseudonym AS SELECT id, {made} AS pseudonym FROM ({' UNION '.join(ids)}) "
        "WHERE id IS NOT NULL",
        key.pads(),
    )


def _record_columns() -> Iterator[tuple[str, str]]:
    for name in RECORD_TYPES:
        yield f"the.{name}_record", "record_id"
    for shape in FACTS.values():
        yield f"the.{quoted(shape.name)}", "record_id"
        for field in shape.fields:
            if field.refers_to:
                yield f"the.{quoted(shape.name)}", quoted(reference(field.name))
    for table, columns in {
        "crosswalk": ("record_id",),
        "alias": ("record_id", "merged_into"),
        "link": ("record_a", "record_b"),
        "review_pair": ("record_a", "record_b"),
        "conflict": ("record_a", "record_b"),
        "relationship": ("record_id",),
        "quarantine": ("record_id",),
        "contact_point": ("record_id",),
    }.items():
        for column in columns:
            yield f"the.{table}", column


def _id(column: str) -> str:
    """SQL of an id as it is shown: a firm's as it is, any other's pseudonym, and nothing of one that has none."""
    shown = f"SELECT f.entity_id FROM firm AS f WHERE f.entity_id = t.{column}"
    return f"coalesce(({shown}), (SELECT p.pseudonym FROM pseudonym AS p WHERE p.id = t.{column}))"


def _tables() -> Iterator[tuple[str, str]]:
    """Each table of the copy and the query that makes it."""
    yield "snapshot", "SELECT snapshot_id, built_at, code_version, model_versions, previous_snapshot FROM the.snapshot"
    for table in ("snapshot_source", "rule", "threshold"):
        yield table, f"FROM the.{table}"
    for shape in RECORD_TYPES.values():
        yield shape.name, _fields(shape, shape.name, ["entity_id"], [])
        name = f"{shape.name}_record"
        yield name, _fields(shape, name, ["record_id", "entity_id"], ["system", "source_table"])
    for shape in FACTS.values():
        ids = ["record_id", "entity_id", "person_entity_id"]
        ids += [reference(field.name) for field in shape.fields if field.refers_to]
        yield shape.name, _fields(shape, shape.name, ids, ["system", "source_table"])
    for table, (plain, shown) in _PLAIN.items():
        listed = [f"{_id(one)} AS {one}" for one in plain] + [f"t.{one}" for one in shown]
        if table == "contact_point":
            point = f"(SELECT p.pseudonym FROM pseudonym AS p WHERE p.id = {_CONTACT.format('t.value')})"
            listed.append(f"{point} AS point")
        yield table, f"SELECT {', '.join(listed)} FROM the.{table} AS t"


_PLAIN: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "entity": (
        ("entity_id",),
        ("entity_type", "standing", "standing_reasons", "systems", "resolution", "record_count", "opted_out"),
    ),
    "contact_point": (("entity_id", "record_id"), ("channel", "asserted_by")),
    "crosswalk": (("record_id", "entity_id"), ("entity_type", "probability", "reason")),
    "alias": (("record_id", "merged_into"), ("entity_type",)),
    "link": (("record_a", "record_b"), ("entity_type", "match_weight", "match_probability", "tier", "veto", "status")),
    "review_pair": (
        ("record_a", "record_b", "entity_a", "entity_b"),
        ("entity_type", "match_weight", "match_probability", "reason", "settles"),
    ),
    "conflict": (("entity_id", "record_a", "record_b"), ("entity_type", "field", "system_a", "system_b")),
    "relationship": (("from_entity", "to_entity", "record_id"), ("kind",)),
    "quarantine": (("record_id",), ("system", "source_table", "shape", "reason")),
    "entity_event": (("entity_id", "other_entity_id"), ("entity_type", "event", "snapshot_id", "happened_at")),
}
"""Table to its columns that are ids, and to those that are shown as they are."""


def _fields(shape: Shape, table: str, ids: list[str], shown: list[str]) -> str:
    """A query for the rows of a shape with what may be shown of them."""
    person = shape.name == "person"
    listed = [f"{_id(one)} AS {one}" for one in ids] + [f"t.{one}" for one in shown]
    listed += [f"{_value(field, table, person=person)}" for field in shape.fields if _may_be(field, shape)]
    return f"SELECT {', '.join(listed)} FROM the.{quoted(table)} AS t"


def _may_be(field: Field, shape: Shape) -> bool:
    firms = shape.name == "organisation" and field.name in _OF_FIRMS
    return field.kind in _KINDS or field.name in _TEXTS or firms or field.kind == "birth_date"


def _value(field: Field, table: str, *, person: bool) -> str:
    name = quoted(field.name)
    if field.kind == "birth_date":
        return "year(try_cast(t.birth_date AS DATE)) AS birth_year"
    if field.name in _OF_FIRMS and not person:
        return f"CASE WHEN t.entity_id NOT IN (FROM alone) THEN t.{name} END AS {name}"
    if person and field.kind in {"date", "timestamp"}:
        return f"date_trunc('month', t.{name}) AS {name}"
    if field.name in _TEXTS or field.kind in {"country", "currency"}:
        many = f"count(DISTINCT s.entity_id) >= {SHARED}"
        shared = f"SELECT s.{name} FROM the.{quoted(table)} AS s GROUP BY ALL HAVING {many}"
        return f"CASE WHEN t.{name} IN ({shared}) THEN t.{name} END AS {name}"
    return f"t.{name}"
