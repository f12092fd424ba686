"""The rows that one system states become records of one shape, typed and normalised; what fails goes to quarantine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from insight import layers
from insight.landing import LandedTable
from insight.records import support, suppressed
from insight.records.assertions import CLASS, listed
from insight.records.columns import normalised
from insight.records.derive import DERIVED, complete, derived, duckdb_type
from insight.records.fields import Locale
from insight.records.stated import Stated, class_columns
from orchestration.erasure.suppression import NOBODY, Suppression
from orchestration.graph.model import COMMON, Shape
from orchestration.sql import literal, quoted

_TABLES: Final = """
CREATE TABLE quarantine (
    record_id VARCHAR, system VARCHAR, source_table VARCHAR, source_key VARCHAR, shape VARCHAR, reason VARCHAR,
    detail VARCHAR, row VARCHAR
);
CREATE TABLE note (
    record_id VARCHAR, system VARCHAR, source_table VARCHAR, source_key VARCHAR, field VARCHAR, value VARCHAR,
    problem VARCHAR
);
CREATE TABLE taken (system VARCHAR, source_table VARCHAR, source_key VARCHAR);
"""
_FRESH: Final = """
CREATE OR REPLACE TEMP TABLE fresh AS
SELECT
    concat_ws(':', $system, ready.source_table, ready.source_key)
        || CASE WHEN taken.source_key IS NULL THEN '' ELSE '#' || $shape END AS record_id,
    $system AS system,
    ready.*,
    {weak} AS weak_fields,
    {verified} AS verified_fields
FROM ready
LEFT JOIN (SELECT DISTINCT * FROM taken) AS taken
    ON taken.source_table = ready.source_table AND taken.source_key = ready.source_key
"""
_FAILED: Final = """
CREATE OR REPLACE TEMP TABLE failed AS
SELECT record_id, source_table, source_key, _reason AS reason, _detail AS detail FROM fresh WHERE _reason IS NOT NULL
UNION ALL
SELECT
    record_id, source_table, source_key, 'repeated',
    $shape || '.sql returned the row ' || times || ' times; the first in order was used'
FROM repeated JOIN fresh USING (source_table, source_key)
"""
_QUARANTINE: Final = """
INSERT INTO quarantine
SELECT record_id, $system, $table, source_key, $shape, reason, detail,
    CASE reason WHEN 'suppressed' THEN '{{}}' ELSE _row END
FROM failed
JOIN (SELECT _key, to_json(struct_pack({columns}))::VARCHAR AS _row FROM {landed}) ON _key = source_key
WHERE source_table = $table
"""
_NOTE: Final = """
INSERT INTO note
SELECT record_id, system, source_table, source_key, ?, value, problem
FROM found JOIN fresh USING (source_table, source_key)
WHERE _reason IS NULL
"""


def start(connection: duckdb.DuckDBPyConnection, shape: Shape) -> None:
    """Make the tables that `add` adds to, empty: `conformed`, `quarantine`, `note` and `support`."""
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"CREATE TABLE conformed ({_columns(shape)})")
    connection.execute(_TABLES + support.TABLE)


def _columns(shape: Shape) -> str:
    kinds = [*COMMON, *((field.name, field.duckdb_type) for field in shape.fields)]
    kinds += [(name, duckdb_type(kind)) for name, kind in DERIVED.get(shape.name, {}).items()]
    return ", ".join(f"{quoted(name)} {kind}" for name, kind in kinds)


def add(  # noqa: PLR0913, PLR0917  one place calls it
    connection: duckdb.DuckDBPyConnection,
    shape: Shape,
    stated: Stated,
    landed: Mapping[str, LandedTable],
    taken: Sequence[Path],
    read: Callable[[Path], str],
    suppression: Suppression = NOBODY,
) -> None:
    """Add one system's records to `conformed`, its rejects to `quarantine` and what was left out to `note`.

    Args:
        connection: Where these are.
        shape: The record type or fact.
        stated: What the system states of it.
        landed: Table to what was landed of the system.
        taken: Records and rejects of earlier shapes: a row that has one yields its next record under another id.
        read: What makes a query for `known.TARGET` of these.
        suppression: What is of people who were erased: it goes to quarantine, without the row.
    """
    _take(connection, stated, taken, read)
    locale = Locale(stated.source.region, stated.source.timezone, stated.source.date_order)
    rows = stated.rows.combine_chunks()
    size = rows.num_rows

    def said(name: str) -> pa.Array:
        if name not in rows.column_names:
            return pa.nulls(size, pa.string())
        column = rows.column(name)
        return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column

    countries = pa.nulls(size, pa.string())
    if "country" in shape.names:
        countries = normalised(shape.field("country"), said("country"), countries, locale)[0]
    values: dict[str, pa.Array] = {}
    problems: dict[str, pa.Array] = {}
    for field in shape.fields:
        values[field.name], problems[field.name] = normalised(field, said(field.name), countries, locale)
    values = complete(shape.name, values)
    reason, detail = _failures(shape, values, problems, size)
    reason, detail = suppressed.refuse(shape, said, values, suppression, (reason, detail))
    columns = {name: said(name) for name in ("source_table", "source_key", "row_hash")}
    columns |= values | derived(shape.name, values, locale)
    columns |= {CLASS + name: said(name) for name in class_columns(stated.source, shape.name)}
    columns |= {"_reason": reason, "_detail": detail}
    connection.register("ready", pa.table(columns))
    connection.execute(
        _FRESH.format(
            weak=listed(shape, stated.source, "weak"),
            verified=listed(shape, stated.source, "verified"),
        ),
        {"system": stated.system, "shape": shape.name},
    )
    connection.unregister("ready")
    names = ", ".join(quoted(row[0]) for row in connection.execute("DESCRIBE conformed").fetchall())
    connection.execute(f"INSERT INTO conformed SELECT {names} FROM fresh WHERE _reason IS NULL")
    _quarantine(connection, shape, stated, landed)
    _note(connection, shape, rows, problems)
    support.keep(connection, stated.system, stated.support)


def _take(
    connection: duckdb.DuckDBPyConnection, stated: Stated, taken: Sequence[Path], read: Callable[[Path], str]
) -> None:
    """Make `taken`, the rows of these that a record is made of already."""
    connection.register("stated", stated.rows)
    connection.execute("CREATE OR REPLACE TABLE driving AS SELECT source_table, source_key FROM stated")
    connection.unregister("stated")
    connection.execute("DELETE FROM taken")
    tables = [row[0] for row in connection.execute("SELECT DISTINCT source_table FROM driving").fetchall()]
    # Said as text too, so that what holds none of these tables is not read.
    those = f"system = {literal(stated.system)} AND source_table IN ({', '.join(map(literal, tables)) or 'NULL'})"
    for path in taken:
        connection.execute(
            f"INSERT INTO taken SELECT system, source_table, source_key FROM {read(path)} "
            f"SEMI JOIN driving USING (source_table, source_key) WHERE {those}"
        )


def _failures(
    shape: Shape, values: Mapping[str, pa.Array], problems: Mapping[str, pa.Array], size: int
) -> tuple[pa.Array, pa.Array]:
    """Why each row cannot become a record: the first reason, and a sentence; NULL where it can."""
    reason = pa.nulls(size, pa.string())
    detail = pa.nulls(size, pa.string())
    for field in shape.fields:
        if not field.required:
            continue
        gone = pc.is_null(values[field.name])
        unread = pc.and_(gone, pc.is_valid(problems[field.name]))
        nothing = pa.scalar(None, pa.string())
        why = pc.if_else(unread, f"unreadable:{field.name}", pc.if_else(gone, f"missing:{field.name}", nothing))
        how = pc.if_else(unread, problems[field.name], pc.if_else(gone, f"there is no {field.name}", nothing))
        reason, detail = pc.coalesce(reason, why), pc.coalesce(detail, how)
    return reason, detail


def _quarantine(
    connection: duckdb.DuckDBPyConnection, shape: Shape, stated: Stated, landed: Mapping[str, LandedTable]
) -> None:
    """Add the rows that failed, and those that the `.sql` returned more than once, each with the row as landed."""
    connection.register("repeated", stated.repeated)
    connection.execute(_FAILED, {"shape": shape.name})
    connection.unregister("repeated")
    for (table,) in connection.execute("SELECT DISTINCT source_table FROM failed").fetchall():
        columns = ", ".join(f"{quoted(name)} := {quoted(name)}" for name in stated.source.read_columns(table))
        bound = {"system": stated.system, "table": table, "shape": shape.name}
        rows = layers.rows(landed[table].path)
        if stated.some is not None:
            connection.register("some_rows", stated.some[table])
            rows = "some_rows"
        connection.execute(_QUARANTINE.format(columns=columns, landed=rows), bound)


def _note(
    connection: duckdb.DuckDBPyConnection, shape: Shape, rows: pa.Table, problems: Mapping[str, pa.Array]
) -> None:
    """Add each value of the records that has a problem."""
    for field in shape.fields:
        if not pc.any(pc.is_valid(problems[field.name])).as_py():
            continue
        keys = {name: rows.column(name) for name in ("source_table", "source_key")}
        found = pa.table({**keys, "value": rows.column(field.name), "problem": problems[field.name]})
        connection.register("found", found.filter(pc.is_valid(found.column("problem"))))
        connection.execute(_NOTE, [field.name])
        connection.unregister("found")
