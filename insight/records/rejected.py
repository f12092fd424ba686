"""Rows that become no record and no fact: refused ones, and those that only complete others.

Refused are rows that landing set aside (no key, another row's key, no row at all) and those that a source's
`reject.sql` names with a reason. `supporting.sql` names rows that no record is made of and, in `completes`, the row
that each completes; which rows a record is made of is said in its own `supported_by`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import duckdb

from insight import layers
from insight.landing import LandedTable
from insight.records.record_set import RejectedSet
from insight.records.sandbox import run, sandbox
from insight.records.stated import ROW, systems, version_of_stated
from insight.records.support import refuse_unless_row
from insight.records.version import code
from insight.sources.source import Source
from insight.stage import version_of, writing
from orchestration.settings import Settings
from orchestration.sql import quoted

ANY: Final = "any"
"""The `shape` of a row that was refused before anyone asked what it should become."""

COMPLETES: Final = "completes"
"""The column of `supporting.sql` that names the row which a row completes."""

_TABLES: Final = """
CREATE TABLE quarantine (
    record_id VARCHAR, system VARCHAR, source_table VARCHAR, source_key VARCHAR, shape VARCHAR, reason VARCHAR,
    detail VARCHAR, row VARCHAR
);
CREATE TABLE supporting (
    system VARCHAR, source_table VARCHAR, source_key VARCHAR, completed_table VARCHAR, completed_key VARCHAR
);
"""
_SUPPORTING: Final = f"""
INSERT INTO supporting
SELECT DISTINCT ?, source_table, source_key, split_part({COMPLETES}, ':', 1),
    substr({COMPLETES}, strpos({COMPLETES}, ':') + 1)
FROM named WHERE {COMPLETES} IS NOT NULL
"""


def build(sources: Sequence[Source], landed: Sequence[LandedTable], settings: Settings) -> RejectedSet:
    """The refused and the supporting rows of all sources, written where they are not there yet.

    Raises:
        SourceError: A `.sql` does not run or returns what it must not.
    """
    versions = sorted(f"{one.system} {one.table} {one.data_version}" for one in landed)
    named = [version_of_stated(name, sources, landed) for name in ("supporting", "reject")]
    version = version_of(code(), *named, *versions)
    result = RejectedSet(version, settings.stages / "records" / "rejected" / version)
    if result.path.exists():
        return result
    with writing(result.path) as draft, duckdb.connect() as connection:
        connection.execute(_TABLES)
        for one in landed:
            # No key: the one that such a row states is none, or that of a row which is used.
            connection.execute(
                "INSERT INTO quarantine SELECT record_id, ?, ?, NULL, ?, reason, detail, row FROM read_parquet(?)",
                [one.system, one.table, ANY, str(one.rejected)],
            )
        for source in sources:
            for system, tables in systems(source, landed).items():
                _supporting(connection, source, system, tables)
                _refused(connection, source, system, tables)
        for table in ("quarantine", "supporting"):
            connection.sql(f"SELECT * FROM {table} ORDER BY ALL").write_parquet(
                str(draft / f"{table}.parquet"), compression="zstd"
            )
    return result


def _supporting(connection: duckdb.DuckDBPyConnection, source: Source, system: str, tables: list[LandedTable]) -> None:
    if (path := source.sql.get("supporting")) is None:
        return
    with sandbox(source, tables, [path]) as locked:
        connection.register("named", run(locked, path, (*ROW, COMPLETES), ()))
    named = connection.execute(f"SELECT split_part({COMPLETES}, ':', 1), min({COMPLETES}) FROM named GROUP BY ALL")
    for _, item in named.fetchall():
        if item is not None:
            refuse_unless_row(item, COMPLETES, source, path)
    connection.execute(_SUPPORTING, [system])
    connection.unregister("named")


def _refused(connection: duckdb.DuckDBPyConnection, source: Source, system: str, tables: list[LandedTable]) -> None:
    if (path := source.sql.get("reject")) is None:
        return
    with sandbox(source, tables, [path]) as locked:
        connection.register("named", run(locked, path, (*ROW, "reason", "detail"), ()))
    for one in tables:
        packed = ", ".join(f"{quoted(name)} := {quoted(name)}" for name in source.read_columns(one.table))
        connection.execute(
            "INSERT INTO quarantine SELECT concat_ws(':', $system, $table, _key), $system, $table, _key, $any, "
            "  coalesce(reason, 'refused'), coalesce(detail, ''), _row FROM named JOIN "
            f"(SELECT _key, to_json(struct_pack({packed}))::VARCHAR AS _row FROM {layers.rows(one.path)}) "
            "ON _key = source_key AND source_table = $table",
            {"system": system, "table": one.table, "any": ANY},
        )
    connection.unregister("named")
