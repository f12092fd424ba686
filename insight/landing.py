"""What was read from a source, as Parquet named by its content.

One folder a system, table and data version. `row.parquet` in it is read with `layers.rows`: every declared column as
text, `_key` (the key columns joined by `|`) and `_row_hash` (over the declared columns that are not volatile). Rows
that are marked as deleted are dropped and counted. Rows without a key, rows whose key another row has, rows that name
the system of another source, and lines that are no row stand beside it in `rejected.parquet`, so that a key is unique
in what is used and no row is lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

import duckdb
import pyarrow as pa

from insight.layers import Layer, describe
from insight.sources.readers import Read, open_reader
from insight.sources.source import Source
from insight.stage import version_of, writing
from orchestration.settings import Settings
from orchestration.sql import quoted

_LONGEST: Final = 100
"""Characters of a folder's name."""

_TRUE: Final = "('1', 't', 'true', 'y', 'yes')"


@dataclass(frozen=True, slots=True)
class LandedTable:
    """One table of one system as it was last read.

    Attributes:
        source: Name of the source folder's `system`, which differs from `system` where a column gives that.
        row_count: Rows that are not deleted, the rejected ones among them.
        deleted_count: Rows that the source marks as deleted.
        rejected_count: Rows in `rejected`.
        read_at: When the read began; it advances though nothing changed.
    """

    source: str
    system: str
    table: str
    path: Path
    rejected: Path
    data_version: str
    row_count: int
    deleted_count: int
    rejected_count: int
    read_at: datetime


def land(
    source: Source, settings: Settings, now: datetime | None = None, *, home: Path | None = None
) -> list[LandedTable]:
    """Read every table of a source, and land what is not landed yet.

    Args:
        source: The source.
        settings: Where landing is.
        now: When the read begins.
        home: What `{home}` in the source's address stands for, where it is not that of the settings.

    Raises:
        SourceError: The source cannot be reached, or lacks a table or column.
    """
    read_at = now or datetime.now(UTC)
    with open_reader(source, home or settings.home) as reader, duckdb.connect() as connection:
        return [
            landed
            for table in source.tables
            for landed in _land_table(connection, source, table, reader.read(table), settings.landing, read_at)
        ]


def version_of_table(landed: Iterable[LandedTable]) -> str:
    """The data version of a table of a source: where a column names the system, of all its systems together."""
    versions = sorted((one.system, one.data_version) for one in landed)
    return versions[0][1] if len(versions) == 1 else version_of(*(part for pair in versions for part in pair))


def _land_table(  # noqa: PLR0913, PLR0917  one place calls it
    connection: duckdb.DuckDBPyConnection, source: Source, table: str, read: Read, landing: Path, read_at: datetime
) -> list[LandedTable]:
    for made in ("raw", "read_rows", "gone", "claiming", "contested", "placed", "rejected", "landed"):
        connection.execute(f"DROP TABLE IF EXISTS {made}")
    connection.register("stream", read.stream())
    connection.execute("CREATE TABLE raw AS SELECT * FROM stream")
    connection.unregister("stream")
    _hash(connection, source, table)
    _set_aside(connection, source, table, read)
    systems = [
        row[0]
        for row in connection.execute(
            "SELECT DISTINCT _system FROM (SELECT _system FROM landed UNION ALL SELECT _system FROM gone "
            "UNION ALL SELECT _system FROM rejected) ORDER BY 1"
        ).fetchall()
    ]
    return [
        _write(connection, LandedTable(source.system, system, table, landing, landing, "", 0, 0, 0, read_at), source)
        for system in systems or [source.system]
    ]


def _hash(connection: duckdb.DuckDBPyConnection, source: Source, table: str) -> None:
    """Make `read_rows` (a live row each) and `gone` (a deleted row each)."""
    spec = source.tables[table]
    everything = ", ".join(quoted(column) for column in source.read_columns(table))
    stated = ", ".join(quoted(column) for column in spec.stated)
    parts = [f"nullif(trim({quoted(column)}), '')" for column in spec.key]
    key = parts[0]
    if len(parts) > 1:
        # A key of several columns may lack some of them, never all: a place in it stays empty then.
        joined = ", ".join(f"coalesce(replace({part}, '|', '%7C'), '')" for part in parts)
        key = f"CASE WHEN coalesce({', '.join(parts)}) IS NOT NULL THEN concat_ws('|', {joined}) END"
    deleted = f"coalesce(lower(trim({quoted(spec.deleted)})) IN {_TRUE}, false)" if spec.deleted else "false"
    connection.execute(
        f"CREATE TABLE read_rows AS SELECT {everything}, {_system_of(source)} AS _system, {key} AS _key, "
        f"sha256(to_json([{stated}])::VARCHAR) AS _row_hash, {deleted} AS _deleted, NULL::VARCHAR AS _claims FROM raw"
    )
    # Records of one source must not pass for those of another: who may write here could answer for it there.
    connection.execute(
        "UPDATE read_rows SET _claims = _system, _system = $system WHERE list_contains($others, lower(_system))",
        {"system": source.system, "others": sorted(other.lower() for other in source.others)},
    )
    connection.execute("DROP TABLE raw")
    connection.execute("CREATE TABLE gone AS SELECT _system FROM read_rows WHERE _deleted")
    connection.execute("DELETE FROM read_rows WHERE _deleted")


def _system_of(source: Source) -> str:
    """SQL of a row's system; what stands between the parts of a record id cannot stand in one."""
    if source.system_column is None:
        return f"'{source.system}'"
    stated = f"replace(trim({quoted(source.system_column)}), ':', '%3A')"
    return f"coalesce(nullif({stated}, ''), '{source.system}')"


def _set_aside(connection: duckdb.DuckDBPyConnection, source: Source, table: str, read: Read) -> None:
    """Move to `rejected` the rows without a key, with another row's or of another source, and lines that are no row."""
    columns = source.read_columns(table)
    everything = ", ".join(quoted(column) for column in columns)
    packed = ", ".join(f"{quoted(column)} := {quoted(column)}" for column in columns)
    connection.execute("CREATE TABLE claiming AS SELECT *, 0 AS _place FROM read_rows WHERE _claims IS NOT NULL")
    connection.execute("DELETE FROM read_rows WHERE _claims IS NOT NULL")
    connection.execute(
        "CREATE TABLE contested AS SELECT _system, _key FROM read_rows GROUP BY ALL HAVING count(*) > 1 OR _key IS NULL"
    )
    connection.execute(
        "CREATE TABLE placed AS SELECT *, row_number() OVER ("
        f"  PARTITION BY _system, _key ORDER BY _row_hash, {everything}) AS _place "
        "FROM read_rows SEMI JOIN contested ON contested._system = read_rows._system"
        "  AND contested._key IS NOT DISTINCT FROM read_rows._key"
    )
    connection.execute(
        "CREATE TABLE rejected AS SELECT _system, concat_ws(':', _system, $table, _key) AS record_id, "
        "_key AS source_key, _row_hash AS row_hash, "
        "CASE WHEN _claims IS NOT NULL THEN 'another_system' WHEN _key IS NULL THEN 'missing:key' "
        "     ELSE 'duplicate_key' END AS reason, "
        "CASE WHEN _claims IS NOT NULL THEN 'the row names the system ' || _claims || ', which is another source' "
        "     WHEN _key IS NULL THEN 'the row has no ' || $key "
        "     ELSE 'another row has the key ' || _key || ' and was used' END AS detail, "
        f"to_json(struct_pack({packed}))::VARCHAR AS row "
        "FROM (FROM claiming UNION ALL BY NAME FROM placed WHERE _place > 1 OR _key IS NULL)",
        {"table": table, "key": " and ".join(source.tables[table].key)},
    )
    if read.unreadable:
        lines = pa.Table.from_pylist(
            [{"position": one.position, "text": one.text, "problem": one.problem} for one in read.unreadable]
        )
        connection.register("lines", lines)
        connection.execute(
            "INSERT INTO rejected SELECT $system, $system || ':' || $table || ':' || position, NULL, sha256(text), "
            "'unreadable:row', problem, to_json({line: text})::VARCHAR FROM lines",
            {"system": source.system, "table": table},
        )
        connection.unregister("lines")
    connection.execute(
        f"CREATE TABLE landed AS SELECT {everything}, _system, _key, _row_hash FROM read_rows ANTI JOIN contested "
        "ON contested._system = read_rows._system AND contested._key IS NOT DISTINCT FROM read_rows._key "
        f"UNION ALL SELECT {everything}, _system, _key, _row_hash FROM placed WHERE _place = 1 AND _key IS NOT NULL"
    )


def _write(connection: duckdb.DuckDBPyConnection, draft: LandedTable, source: Source) -> LandedTable:
    """Write one system's rows of the table, unless they stand there already."""
    columns = source.read_columns(draft.table)
    bound = {"system": draft.system}
    rows = "FROM landed WHERE _system = $system"
    rejects = "FROM rejected WHERE _system = $system"
    # Digests of digests keep the sorted text small.
    content, used = connection.execute(
        "SELECT coalesce(sha256(string_agg(part, '' ORDER BY start)), ''), coalesce(sum(rows), 0) FROM ("
        "  SELECT left(_row_hash, 2) AS start, count(*) AS rows,"
        f"         sha256(string_agg(_key || chr(31) || _row_hash, chr(30) ORDER BY _key, _row_hash)) AS part {rows}"
        " GROUP BY 1)",
        bound,
    ).fetchall()[0]
    refused, rejected = connection.execute(
        "SELECT coalesce(sha256(string_agg(concat_ws(chr(31), record_id, reason, row_hash), chr(30) "
        f"ORDER BY record_id, reason, row_hash)), ''), count(*) {rejects}",
        bound,
    ).fetchall()[0]
    deleted = connection.execute("SELECT count(*) FROM gone WHERE _system = $system", bound).fetchall()[0][0]
    version = version_of(*columns, content, refused)
    folder = draft.path / _folder_name(draft.system) / draft.table
    landed = replace(
        draft,
        path=folder / version / "row.parquet",
        rejected=folder / version / "rejected.parquet",
        data_version=version,
        row_count=int(used) + int(rejected),
        deleted_count=int(deleted),
        rejected_count=int(rejected),
    )
    if landed.path.parent.exists():
        return landed
    listed = ", ".join(quoted(column) for column in columns)
    with writing(landed.path.parent) as folder:
        rejected_rows = connection.sql(
            f"SELECT * EXCLUDE (_system) {rejects} ORDER BY record_id, reason, row_hash", params=bound
        )
        rejected_rows.write_parquet(str(folder / landed.rejected.name), compression="zstd")
        used_rows = connection.sql(f"SELECT {listed}, _key, _row_hash {rows} ORDER BY _key", params=bound)
        used_rows.write_parquet(str(folder / landed.path.name), compression="zstd")
        describe(folder, Layer({"row": ("_key",)}))
    return landed


def _folder_name(system: str) -> str:
    """A name for a system's folder, whatever a column calls it."""
    name = quote(system, safe=" ").replace(".", "%2E", 1) if system.startswith(".") else quote(system, safe=" ")
    return name if len(name) <= _LONGEST else f"{name[:_LONGEST]}-{version_of(system)}"
