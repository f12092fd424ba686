"""Golden records: of each entity the surviving value of each field, and the record that it came from."""

from __future__ import annotations

from typing import Final

import duckdb
import numpy as np
import pyarrow as pa

from insight.entities.sheet import NONE, Sheet
from insight.entities.survivorship import COMBINED, rules
from orchestration.graph.model import RECORD_TYPES

SEVERAL: Final = "SELECT entity_id FROM member GROUP BY entity_id HAVING count(*) > 1"
"""Entities with more than one record: of the others every field survives as it stands."""


def make_golden(con: duckdb.DuckDBPyConnection, record_type: str, sheet: Sheet) -> None:
    """Makes `golden`: one row per entity, with `entity_id`, then `<field>` and `<field>_record` for each field.

    Expects `member` and `overruled(entity_id, field, value)`, a settled value that no record states.

    Args:
        con: Where the tables are.
        record_type: The record type.
        sheet: At least the records of every entity that has several.
    """
    arriving = _chosen(sheet, record_type)
    con.register("chosen", arriving)
    names = RECORD_TYPES[record_type].names
    single = ", ".join(_of_one(field) for field in names)
    combined = ", ".join(f"{sql} AS {field}" for field, sql in COMBINED.items())
    several = ", ".join(
        f"{'combined' if field in COMBINED else 'chosen'}.{field}, chosen.{field}_record" for field in names
    )
    con.execute(f"""
        CREATE OR REPLACE TABLE golden AS
        WITH several AS ({SEVERAL}),
        combined AS (SELECT entity_id, {combined} FROM member SEMI JOIN several USING (entity_id) GROUP BY entity_id)
        SELECT entity_id, {single} FROM member ANTI JOIN several USING (entity_id)
        UNION ALL
        SELECT entity_id, {several} FROM chosen JOIN combined USING (entity_id)
    """)
    con.unregister("chosen")
    _overrule(con, record_type)


def _chosen(sheet: Sheet, record_type: str) -> pa.Table:
    """The survivors of each entity of a sheet."""
    columns: dict[str, pa.Array] = {"entity_id": sheet.entities.dictionary}
    for rule in rules(record_type):
        winner = sheet.winners(rule, sheet.groups)
        place = pa.array(winner, mask=winner == NONE)
        record = sheet.record_id.take(place)
        for field in rule.fields:
            value = sheet.column(field).take(place)
            columns[field] = value
            columns[f"{field}_record"] = pa.compute.if_else(value.is_valid(), record, pa.scalar(None, pa.string()))
    return pa.table(columns)


def _of_one(field: str) -> str:
    value = "list_sort(list_distinct(coalesce(identifiers, []))) AS identifiers" if field == "identifiers" else field
    return f"{value}, CASE WHEN {field} IS NOT NULL THEN record_id END AS {field}_record"


def _overrule(con: duckdb.DuckDBPyConnection, record_type: str) -> None:
    """Put settled values in place that no record states; the other parts of a block go with what they belonged to."""
    blocks = {field: rule.fields for rule in rules(record_type) for field in rule.fields}
    settled: dict[str, set[str]] = {}
    stated = con.execute("SELECT entity_id, field, value FROM overruled ORDER BY ALL").fetchall()
    for entity, field, _ in stated:
        settled.setdefault(entity, set()).add(field)
    for entity, field, value in stated:
        kind = RECORD_TYPES[record_type].field(field).duckdb_type
        emptied = [one for one in blocks[field] if one not in settled[entity]]
        nothing = "".join(f", {one} = NULL, {one}_record = NULL" for one in emptied)
        con.execute(
            f"UPDATE golden SET {field} = ?::{kind}, {field}_record = NULL{nothing} WHERE entity_id = ?",
            [value, entity],
        )


def differing(
    sheet: Sheet, record_type: str, pairs: np.ndarray[tuple[int, int], np.dtype[np.int64]]
) -> list[list[str]]:
    """Of each two entities, the fields that would have another survivor for one of them if they were one.

    Fields that are combined from all records are left out.

    Args:
        sheet: The records of all these entities.
        record_type: The record type.
        pairs: The places of the two entities in the sheet's `entities.dictionary`, a row each.
    """
    entity = np.asarray(sheet.entities.indices, dtype=np.int64)
    order = np.argsort(entity, kind="stable")
    starts = np.searchsorted(entity[order], np.arange(len(sheet.entities.dictionary) + 1))
    rows: list[np.ndarray[tuple[int], np.dtype[np.int64]]] = []
    for one, other in pairs.tolist():
        rows += [order[starts[one] : starts[one + 1]], order[starts[other] : starts[other + 1]]]
    lengths = np.array([len(part) for part in rows], dtype=np.int64).reshape(-1, 2).sum(axis=1)
    if not len(rows):
        return []
    together = sheet.arranged(np.concatenate(rows), np.repeat(np.arange(len(pairs)), lengths))
    found: list[list[str]] = [[] for _ in range(len(pairs))]
    for rule in rules(record_type):
        alone, joint = sheet.winners(rule, sheet.groups), sheet.winners(rule, together)
        for field in set(rule.fields) - COMBINED.keys():
            codes = np.r_[sheet.codes(field), NONE]
            now = codes[joint]
            changed = (codes[alone[pairs[:, 0]]] != now) | (codes[alone[pairs[:, 1]]] != now)
            for place in np.flatnonzero(changed).tolist():
                found[place].append(field)
    return found
