"""Rows as sources state them become records of one shape, typed and normalised; what fails goes to quarantine.

`build` is one step: `stated` says what the sources' `.sql` return, `fields` what a value is, `references` which record
a key names. A row that lacks a required field, or whose required field cannot be read, is quarantined; any other
value that cannot be read is left out of its record and noted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from insight.landing import LandedTable
from insight.records import references
from insight.records.aliases import merges
from insight.records.columns import normalised
from insight.records.derive import DERIVED, complete, derived
from insight.records.fields import Locale
from insight.records.record_set import AliasSet, RecordSet
from insight.records.sandbox import tables_used
from insight.records.stated import Stated, state, systems, version_of_stated
from insight.sources.readers.sql import quoted
from insight.sources.source import Given, Source
from insight.records.version import code
from insight.stage import version_of, writing
from orchestration.graph.model import COMMON, SHAPES, Shape
from orchestration.settings import Settings

_SCHEMAS: Final = (
    "CREATE TABLE quarantine (record_id VARCHAR, system VARCHAR, source_table VARCHAR, source_key VARCHAR, "
    "shape VARCHAR, reason VARCHAR, detail VARCHAR, row VARCHAR)",
    "CREATE TABLE note (record_id VARCHAR, system VARCHAR, source_table VARCHAR, source_key VARCHAR, field VARCHAR, "
    "value VARCHAR, problem VARCHAR)",
    "CREATE TABLE taken (system VARCHAR, source_table VARCHAR, source_key VARCHAR)",
)


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
            named |= {other for other in earlier if other in source.sql and used & tables_used(source, source.sql[other])}
    return tuple(name for name in earlier if name in named)


def build(  # noqa: PLR0913  each is an input of the step
    shape: Shape,
    sources: Sequence[Source],
    landed: Sequence[LandedTable],
    earlier: Mapping[str, RecordSet],
    aliases: AliasSet | None,
    settings: Settings,
    *,
    sample: int | None = None,
) -> RecordSet:
    """The records of a record type or fact, written where they are not there yet.

    Args:
        shape: The record type or fact.
        sources: All sources.
        landed: What was landed of them.
        earlier: Records of the shapes that `needed_before` names, and of others, which are left alone.
        aliases: The sources' own merges; None for organisations, which come before them.
        settings: Where stages are kept.
        sample: How many rows of each system to take, for a look; the result then says nothing of keys.

    Raises:
        SourceError: A `.sql` does not run or returns what it must not.
    """
    before = {name: earlier[name] for name in needed_before(shape, sources)}
    version = version_of(
        code(),
        version_of_stated(shape.name, sources, landed),
        _version_of_merges(shape, sources, landed, aliases),
        *(f"{name} {one.version}" for name, one in before.items()),
        str(sample),
    )
    result = RecordSet(shape.name, version, settings.stages / "records" / shape.name / version)
    if result.path.exists():
        return result
    with writing(result.path) as draft, duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"CREATE TABLE conformed ({_columns(shape)})")
        for statement in _SCHEMAS:
            connection.execute(statement)
        for one in before.values():
            connection.execute("INSERT INTO taken SELECT system, source_table, source_key FROM read_parquet(?)", [str(one.record)])
            connection.execute("INSERT INTO taken SELECT system, source_table, source_key FROM read_parquet(?)", [str(one.quarantine)])
        for stated in state(shape, sources, landed, sample):
            tables = systems(stated.source, landed)[stated.system]
            _conform(connection, shape, stated, {one.table: one for one in tables})
        _merges(connection, shape, sources, landed, aliases)
        references.resolve(connection, shape, before, noted=sample is None)
        for table, order in (("record", "record_id"), ("quarantine", "record_id, reason"), ("note", "record_id, field")):
            connection.sql(f"SELECT * FROM {table} ORDER BY {order}").write_parquet(str(draft / f"{table}.parquet"), compression="zstd")
    return result


def _version_of_merges(
    shape: Shape, sources: Sequence[Source], landed: Sequence[LandedTable], aliases: AliasSet | None
) -> str:
    if not any(field.refers_to for field in shape.fields):
        return ""
    return aliases.version if aliases else version_of_stated("alias", sources, landed)


def _merges(
    connection: duckdb.DuckDBPyConnection,
    shape: Shape,
    sources: Sequence[Source],
    landed: Sequence[LandedTable],
    aliases: AliasSet | None,
) -> None:
    """Make `merge`, the merges that the shape's keys are followed through."""
    if aliases is not None:
        connection.execute("CREATE TABLE merge AS SELECT * FROM read_parquet(?)", [str(aliases.alias)])
        return
    needed = any(field.refers_to for field in shape.fields)
    connection.register("merges", merges(sources if needed else (), landed))
    connection.execute("CREATE TABLE merge AS SELECT * FROM merges")
    connection.unregister("merges")


def _columns(shape: Shape) -> str:
    kinds = [*COMMON, *((field.name, field.duckdb_type) for field in shape.fields)]
    kinds += [(name, "VARCHAR[]" if pa.types.is_list(kind) else "VARCHAR") for name, kind in DERIVED.get(shape.name, {}).items()]
    return ", ".join(f"{quoted(name)} {kind}" for name, kind in kinds)


def _conform(connection: duckdb.DuckDBPyConnection, shape: Shape, stated: Stated, landed: Mapping[str, LandedTable]) -> None:
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
    columns |= {f"_class_{name}": said(name) for name in rows.column_names if name not in {*columns}}
    columns |= {"_reason": reason, "_detail": detail}
    connection.register("ready", pa.table(columns))
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE fresh AS SELECT concat_ws(':', $system, ready.source_table, ready.source_key) "
        "  || CASE WHEN taken.source_key IS NULL THEN '' ELSE '#' || $shape END AS record_id, $system AS system, ready.*, "
        f"  {_listed(shape, stated.source, weak=True)} AS weak_fields, "
        f"  {_listed(shape, stated.source, weak=False)} AS verified_fields "
        "FROM ready LEFT JOIN (SELECT DISTINCT * FROM taken) AS taken ON taken.system = $system "
        "  AND taken.source_table = ready.source_table AND taken.source_key = ready.source_key",
        {"system": stated.system, "shape": shape.name},
    )
    connection.unregister("ready")
    names = ", ".join(quoted(row[0]) for row in connection.execute("DESCRIBE conformed").fetchall())
    connection.execute(f"INSERT INTO conformed SELECT {names} FROM fresh WHERE _reason IS NULL")
    _quarantine(connection, shape, stated, landed)
    _note(connection, shape, rows, problems)


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
        why = pc.if_else(unread, f"unreadable:{field.name}", pc.if_else(gone, f"missing:{field.name}", pa.scalar(None, pa.string())))
        how = pc.if_else(unread, problems[field.name], pc.if_else(gone, f"there is no {field.name}", pa.scalar(None, pa.string())))
        reason, detail = pc.coalesce(reason, why), pc.coalesce(detail, how)
    return reason, detail


def _listed(shape: Shape, source: Source, *, weak: bool) -> str:
    """SQL of the list of a record's fields that only the public or we assert, or that were verified."""
    wanted = ("public", "precede") if weak else ("verified",)
    cases: list[str] = []
    for field in shape.fields:
        there = f"{quoted(field.name)} IS NOT NULL"
        match source.assertion(shape.name, field.name):
            case Given(column=column):
                given = f"lower(trim(ready.{quoted('_class_' + column)}))"
                # A class that is none of ours is the weakest.
                asserted = f"coalesce({given} NOT IN ('verified', 'staff'), true)" if weak else f"coalesce({given} = 'verified', false)"
                cases.append(f"CASE WHEN ready.{there} AND {asserted} THEN '{field.name}' END")
            case asserted_by if asserted_by in wanted:
                cases.append(f"CASE WHEN ready.{there} THEN '{field.name}' END")
    return f"list_filter([{', '.join(cases)}]::VARCHAR[], lambda name: name IS NOT NULL)" if cases else "[]::VARCHAR[]"


def _quarantine(
    connection: duckdb.DuckDBPyConnection, shape: Shape, stated: Stated, landed: Mapping[str, LandedTable]
) -> None:
    """Add the rows that failed, and those that the `.sql` returned more than once, each with the row as it was landed."""
    connection.register("repeated", stated.repeated)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE failed AS "
        "SELECT record_id, source_table, source_key, _reason AS reason, _detail AS detail FROM fresh WHERE _reason IS NOT NULL "
        "UNION ALL SELECT record_id, source_table, source_key, 'repeated', "
        "  $shape || '.sql returned the row ' || times || ' times; the first in order was used' "
        "FROM repeated JOIN fresh USING (source_table, source_key)",
        {"shape": shape.name},
    )
    connection.unregister("repeated")
    for (table,) in connection.execute("SELECT DISTINCT source_table FROM failed").fetchall():
        packed = ", ".join(f"{quoted(name)} := {quoted(name)}" for name in stated.source.read_columns(table))
        connection.execute(
            "INSERT INTO quarantine SELECT record_id, $system, $table, source_key, $shape, reason, detail, _row FROM failed JOIN "
            f"(SELECT _key, to_json(struct_pack({packed}))::VARCHAR AS _row FROM read_parquet($path)) "
            "ON _key = source_key AND source_table = $table",
            {"system": stated.system, "table": table, "shape": shape.name, "path": str(landed[table].path)},
        )


def _note(connection: duckdb.DuckDBPyConnection, shape: Shape, rows: pa.Table, problems: Mapping[str, pa.Array]) -> None:
    """Add each value of the records that has a problem."""
    for field in shape.fields:
        if not pc.any(pc.is_valid(problems[field.name])).as_py():
            continue
        keys = {name: rows.column(name) for name in ("source_table", "source_key")}
        found = pa.table({**keys, "value": rows.column(field.name), "problem": problems[field.name]})
        connection.register("found", found.filter(pc.is_valid(found.column("problem"))))
        connection.execute(
            "INSERT INTO note SELECT record_id, system, source_table, source_key, ?, value, problem "
            "FROM found JOIN fresh USING (source_table, source_key) WHERE _reason IS NULL",
            [field.name],
        )
        connection.unregister("found")
