"""Relations of a graph that an action type names: facts, records, and source tables in their own columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from orchestration.graph.reader import EntityGraph
from orchestration.sql import literal, quoted


class Relation(NamedTuple):
    """A relation as SQL names it, with what it says of each row under the name `seen`."""

    name: str
    record_id: str
    system: str
    source_table: str


def relation_of(name: str) -> Relation:
    """The relation of that name; `system:table` is a source table, whose rows do not say where they are from."""
    system, source, table = name.partition(":")
    if not source:
        return Relation(quoted(name), "seen.record_id", "seen.system", "seen.source_table")
    return Relation(f"source.{quoted(name)}", "seen._record", literal(system), literal(table))


def rows_of(graph: EntityGraph, sql: str, tables: Mapping[str, pa.Table]) -> list[dict[str, Any]] | None:
    """The rows of a query over a relation; none at all where the graph has no such relation or column."""
    try:
        return graph.joined(sql, tables)
    except (duckdb.CatalogException, duckdb.BinderException):
        return None
