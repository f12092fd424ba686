"""Rows as sources state them become records of one shape, typed and normalised; what fails goes to quarantine.

`build` is one step: `stated` says what the sources' `.sql` return, `fields` what a value is, `references` which record
a key names. A row that lacks a required field, or whose required field cannot be read, is quarantined; any other
value that cannot be read is left out of its record and noted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from insight import layers
from insight.landing import LandedTable
from insight.records import again, references, support
from insight.records.aliases import load_merges, version_of_merges
from insight.records.assertions import CLASS, listed
from insight.records.columns import normalised
from insight.records.derive import DERIVED, complete, derived, duckdb_type
from insight.records.fields import Locale
from insight.records.record_set import AliasSet, RecordSet
from insight.records.sandbox import tables_used
from insight.records.spread import spread
from insight.records.stated import Stated, class_columns, said_of, state, systems, version_of_stated
from insight.records.version import code
from insight.sources.source import Source
from insight.stage import version_of, writing
from orchestration.graph.model import COMMON, SHAPES, Shape
from orchestration.settings import Settings
from orchestration.sql import quoted

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
SELECT record_id, $system, $table, source_key, $shape, reason, detail, _row
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


def needed_before(shape: Shape, sources: Sequence[Source]) -> tuple[str, ...]:
    """The shapes whose records must be there before those of `shape` are built.

    They are those that its keys name, and those that some source makes of the same tables: the first of several
    records of one row has the row's own id.
    """
    earlier = list(SHAPES)[: list(SHAPES).index(shape.name)]
    named = {field.refers_to for field in shape.fields if field.refers_to}
    for source in sources:
        if shape.name in source.sql:
            used = tables_used(source, source.sql[shape.name])
            named |= {
                other for other in earlier if other in source.sql and used & tables_used(source, source.sql[other])
            }
    return tuple(name for name in earlier if name in named)


def build(  # noqa: PLR0913, PLR0917  each is an input of the step
    shape: Shape,
    sources: Sequence[Source],
    landed: Sequence[LandedTable],
    earlier: Mapping[str, RecordSet],
    aliases: AliasSet | None,
    settings: Settings,
    *,
    before: RecordSet | None = None,
    sample: int | None = None,
) -> RecordSet:
    """The records of a record type or fact, written where they are not there yet.

    What changed since `before` is made again and the rest stands there, where it is known what changed: every landed
    table that did declares `concerns`, and the code, the `.sql` and the systems are the same. The rows are the same
    either way.

    Args:
        shape: The record type or fact.
        sources: All sources.
        landed: What was landed of them.
        earlier: Records of the shapes that `needed_before` names, and of others, which are left alone.
        aliases: The sources' own merges; None for organisations, which come before them.
        settings: Where stages are kept.
        before: What this step made last; None to make everything.
        sample: How many rows of each system to take, for a look; the result then says nothing of keys.

    Raises:
        SourceError: A `.sql` does not run or returns what it must not.
    """
    needed = {name: earlier[name] for name in needed_before(shape, sources)}
    stated = version_of_stated(shape.name, sources, landed)
    merges = version_of_merges(shape, sources, landed, aliases)
    version = version_of(
        code(), stated, merges, *(f"{name} {one.version}" for name, one in needed.items()), str(sample)
    )
    result = RecordSet(shape.name, version, settings.stages / "records" / shape.name / version)
    if result.path.exists():
        return result
    inputs = {
        "code": code(),
        "said": said_of(shape.name, sources),
        "alias": str(aliases.path) if aliases else "",
        **again.landed_inputs(shape.name, sources, landed),
        **{f"records/{name}": str(one.path) for name, one in needed.items()},
    }
    work = _Work(shape, sources, landed, needed, aliases, inputs)
    part = again.part_of(shape, sources, landed, before, inputs) if sample is None else None
    if part is not None:
        with suppress(again.WorkInFull), writing(result.path) as draft, duckdb.connect() as connection:
            _part(connection, work, part, draft)
    if not result.path.exists():
        with writing(result.path) as draft, duckdb.connect() as connection, spread():
            _whole(connection, work, draft, sample)
    return result


@dataclass(frozen=True, slots=True)
class _Work:
    """What `build` is given, and the inputs to note."""

    shape: Shape
    sources: Sequence[Source]
    landed: Sequence[LandedTable]
    needed: Mapping[str, RecordSet]
    aliases: AliasSet | None
    inputs: Mapping[str, str]


def _whole(connection: duckdb.DuckDBPyConnection, work: _Work, draft: Path, sample: int | None) -> None:
    """Write all records."""
    beyond = _state(connection, work, sample, None)
    load_merges(connection, work.shape, work.sources, work.landed, work.aliases)
    targets = {
        name: f"SELECT {references.TARGET} FROM {layers.rows(one.record)}" for name, one in work.needed.items()
    } | {work.shape.name: f"SELECT {references.TARGET} FROM conformed"}
    references.resolve(connection, work.shape, targets, noted=sample is None)
    for table in again.TABLES:
        layers.put(connection, draft, table, f"SELECT * FROM {table}", None, None, whole=True, keys=("record_id",))
    _keep_merges(connection, work, draft)
    inputs = {**work.inputs, again.BEYOND: ", ".join(sorted(beyond))}
    layers.describe(draft, layers.Layer(dict.fromkeys(again.TABLES, ("record_id",)), inputs=inputs))


def _part(connection: duckdb.DuckDBPyConnection, work: _Work, part: again.Part, draft: Path) -> None:
    """Write what changed since the version before.

    Raises:
        WorkInFull: A part will not do.
    """
    again.load(connection, part)
    if _state(connection, work, None, part):
        raise again.WorkInFull
    load_merges(connection, work.shape, work.sources, work.landed, work.aliases)
    targets = again.look_up(connection, work.shape, part, work.needed)
    references.resolve(connection, work.shape, targets, noted=True)
    again.put(connection, work.shape, part, draft, {**work.inputs, again.BEYOND: ""})
    _keep_merges(connection, work, draft)


def _state(
    connection: duckdb.DuckDBPyConnection, work: _Work, sample: int | None, part: again.Part | None
) -> frozenset[str]:
    """Make `conformed`, `quarantine`, `note` and `support`; the tables that a `.sql` names rows of without reading."""
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"CREATE TABLE conformed ({_columns(work.shape)})")
    connection.execute(_TABLES + support.TABLE)
    beyond: frozenset[str] = frozenset()
    for stated in state(work.shape, work.sources, work.landed, sample, part.slices if part else None):
        tables = systems(stated.source, work.landed)[stated.system]
        _take(connection, stated, work.needed)
        _conform(connection, work.shape, stated, {one.table: one for one in tables})
        beyond |= stated.beyond
    return beyond


def _take(connection: duckdb.DuckDBPyConnection, stated: Stated, needed: Mapping[str, RecordSet]) -> None:
    """Make `taken`, the rows of these that a record is made of already."""
    connection.register("stated", stated.rows)
    connection.execute("CREATE OR REPLACE TABLE driving AS SELECT source_table, source_key FROM stated")
    connection.unregister("stated")
    connection.execute("DELETE FROM taken")
    for path in (path for one in needed.values() for path in (one.record, one.quarantine)):
        connection.execute(
            f"INSERT INTO taken SELECT system, source_table, source_key FROM {layers.rows(path)} "
            "SEMI JOIN driving USING (source_table, source_key) WHERE system = ?",
            [stated.system],
        )


def _keep_merges(connection: duckdb.DuckDBPyConnection, work: _Work, draft: Path) -> None:
    """Keep the merges that the keys were followed through, where no earlier step did."""
    if work.aliases is None and references.named_by(work.shape):
        connection.sql("FROM merge ORDER BY ALL").write_parquet(
            str(draft / f"{again.MERGES}.parquet"), compression="zstd"
        )


def _columns(shape: Shape) -> str:
    kinds = [*COMMON, *((field.name, field.duckdb_type) for field in shape.fields)]
    kinds += [(name, duckdb_type(kind)) for name, kind in DERIVED.get(shape.name, {}).items()]
    return ", ".join(f"{quoted(name)} {kind}" for name, kind in kinds)


def _conform(
    connection: duckdb.DuckDBPyConnection, shape: Shape, stated: Stated, landed: Mapping[str, LandedTable]
) -> None:
    """Add one system's records to `conformed`, its rejects to `quarantine` and what was left out to `note`."""
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
