"""Rows as a reader hands them over become rows with a key and a hash; those that cannot be used are set aside."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import duckdb
import pyarrow as pa

from insight.landing.suppressed import leave_out, scrubbed
from insight.sources.readers import Read
from insight.sources.readers.sql import TRUE
from insight.sources.source import Source, TableSpec
from orchestration.erasure.suppression import NOBODY, Suppression
from orchestration.sql import literal, quoted

_MADE: Final = (
    *("read_rows", "rejected", "contested", "placed", "claiming"),
    *("held", "marked", "added", "moved", "replaced", "standing", "said"),
)


def hashed(  # noqa: PLR0913, PLR0917  what a reading takes
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    table: str,
    read: Read,
    into: str = "read_rows",
    suppression: Suppression = NOBODY,
) -> dict[str, int]:
    """Make a table of everything that was read, `read_rows` unless it is called otherwise.

    What is of people who were erased is left out: system to how many of its rows are returned.

    Each row has its declared columns and `_system`, `_key` (NULL for none), `_row_hash`, `_deleted`, and in `_claims`
    the other source that it names as its system: records of one source must not pass for those of another, since who
    may write here could answer for it there.
    """
    spec = source.tables[table]
    everything = ", ".join(quoted(column) for column in source.read_columns(table))
    truths = ", ".join(map(literal, TRUE))
    deleted = f"coalesce(lower(trim({quoted(spec.deleted)})) IN ({truths}), false)" if spec.deleted else "false"
    system, claims = _system_of(source)
    connection.register("stream", read.stream())
    rows, gone = "stream", dict[str, int]()
    if suppression:
        rows = "incoming"
        connection.execute(f"CREATE OR REPLACE TEMP TABLE incoming AS SELECT {everything} FROM stream")
        record_id = f"concat_ws(':', {system}, {literal(table)}, {_key_of(spec.key)})"
        gone = leave_out(connection, source.read_columns(table), system, record_id, suppression)
        read.unreadable = [replace(line, text=scrubbed(line.text, suppression)) for line in read.unreadable]
    connection.execute(
        f"CREATE OR REPLACE TABLE {into} AS SELECT {everything}, {system} AS _system, {_key_of(spec.key)} AS _key, "
        f"{row_hash(spec)} AS _row_hash, {deleted} AS _deleted, {claims} AS _claims FROM {rows}"
    )
    connection.unregister("stream")
    if suppression:
        connection.execute("DROP TABLE incoming")
    return gone


def row_hash(spec: TableSpec) -> str:
    """SQL over the columns of a row that gives its hash."""
    stated = ", ".join(quoted(column) for column in spec.stated)
    return f"sha256(to_json([{stated}])::VARCHAR)"


def forget(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop what was made of the table before."""
    for made in _MADE:
        connection.execute(f"DROP TABLE IF EXISTS {made}")


def deleted(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Take the deleted rows out of `read_rows`, and return how many each system had."""
    found = dict(connection.execute("SELECT _system, count(*) FROM read_rows WHERE _deleted GROUP BY 1").fetchall())
    if found:
        connection.execute("DELETE FROM read_rows WHERE _deleted")
    return found


def is_plain(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether every row that is not deleted has a key of its own, and names no other source."""
    found = connection.execute(
        "SELECT count(*), count(_key) FILTER (_claims IS NULL), count(DISTINCT hash(_key, _system)) "
        "FROM read_rows WHERE NOT _deleted"
    ).fetchall()
    # Equal keys have equal hashes: as many hashes as rows is as many keys.
    return len(set(found[0])) == 1


def set_aside(connection: duckdb.DuckDBPyConnection, source: Source, table: str, read: Read) -> None:
    """Move to `rejected` the rows without a key, with another row's or of another source, and lines that are no row."""
    connection.execute(
        "CREATE TABLE rejected (_system VARCHAR, record_id VARCHAR, source_key VARCHAR, row_hash VARCHAR, "
        "reason VARCHAR, detail VARCHAR, row VARCHAR)"
    )
    if not is_plain(connection):
        _reject_rows(connection, source, table)
    if read.unreadable:
        _reject_lines(connection, source, table, read)


def _reject_rows(connection: duckdb.DuckDBPyConnection, source: Source, table: str) -> None:
    columns = source.read_columns(table)
    everything = ", ".join(quoted(column) for column in columns)
    packed = ", ".join(f"{quoted(column)} := {quoted(column)}" for column in columns)
    connection.execute("BEGIN")
    connection.execute("CREATE TABLE claiming AS SELECT *, 0 AS _place FROM read_rows WHERE _claims IS NOT NULL")
    connection.execute("DELETE FROM read_rows WHERE _claims IS NOT NULL")
    connection.execute(
        "CREATE TABLE contested AS SELECT _system, _key FROM read_rows GROUP BY ALL HAVING count(*) > 1 OR _key IS NULL"
    )
    connection.execute(
        "CREATE TABLE placed AS SELECT *, read_rows.rowid AS _row, row_number() OVER ("
        f"  PARTITION BY _system, _key ORDER BY _row_hash, {everything}) AS _place "
        "FROM read_rows SEMI JOIN contested ON contested._system = read_rows._system"
        "  AND contested._key IS NOT DISTINCT FROM read_rows._key"
    )
    connection.execute("DELETE FROM placed WHERE _place = 1 AND _key IS NOT NULL")
    connection.execute("DELETE FROM read_rows WHERE rowid IN (SELECT _row FROM placed)")
    connection.execute(
        "INSERT INTO rejected SELECT _system, concat_ws(':', _system, $table, _key), _key, _row_hash, "
        "CASE WHEN _claims IS NOT NULL THEN 'another_system' WHEN _key IS NULL THEN 'missing:key' "
        "     ELSE 'duplicate_key' END, "
        "CASE WHEN _claims IS NOT NULL THEN 'the row names the system ' || _claims || ', which is another source' "
        "     WHEN _key IS NULL THEN 'the row has no ' || $key "
        "     ELSE 'another row has the key ' || _key || ' and was used' END, "
        f"to_json(struct_pack({packed}))::VARCHAR "
        "FROM (FROM claiming UNION ALL BY NAME SELECT * EXCLUDE (_row) FROM placed)",
        {"table": table, "key": " and ".join(source.tables[table].key)},
    )
    connection.execute("COMMIT")


def _reject_lines(connection: duckdb.DuckDBPyConnection, source: Source, table: str, read: Read) -> None:
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


def _key_of(columns: tuple[str, ...]) -> str:
    """SQL of a row's key."""
    parts = [f"nullif(trim({quoted(column)}), '')" for column in columns]
    if len(parts) == 1:
        return parts[0]
    # A key of several columns may lack some of them, never all: a place in it stays empty then.
    joined = ", ".join(f"coalesce(replace({part}, '|', '%7C'), '')" for part in parts)
    return f"CASE WHEN coalesce({', '.join(parts)}) IS NOT NULL THEN concat_ws('|', {joined}) END"


def _system_of(source: Source) -> tuple[str, str]:
    """SQL of a row's system, and of the other source that it claims to be of."""
    own = literal(source.system)
    if source.system_column is None:
        return own, "NULL::VARCHAR"
    # What stands between the parts of a record id cannot stand in one.
    stated = f"replace(trim({quoted(source.system_column)}), ':', '%3A')"
    stated = f"coalesce(nullif({stated}, ''), {own})"
    others = ", ".join(literal(other.lower()) for other in sorted(source.others))
    claimed = f"list_contains([{others}]::VARCHAR[], lower({stated}))"
    return f"CASE WHEN {claimed} THEN {own} ELSE {stated} END", f"CASE WHEN {claimed} THEN {stated} END"
