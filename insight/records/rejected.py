"""Rows that become no record and no fact: refused ones, and those that only complete others.

Refused are rows that landing set aside (no key, another row's key, no row at all) and those that a source's
`reject.sql` names with a reason. `supporting.sql` names rows that no record is made of and, in `completes`, the row
that each completes; which rows a record is made of is said in its own `supported_by`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from insight import layers
from insight.landing import LandedTable, row_count
from insight.records import again, changed
from insight.records.concerns import Slice, slice_of
from insight.records.record_set import RejectedSet
from insight.records.sandbox import run, sandbox, tables_used
from insight.records.stated import ROW, said_of, systems, version_of_stated
from insight.records.support import refuse_unless_row
from insight.records.version import code
from insight.scratch import room, scratch
from insight.sources.source import Source
from insight.stage import version_of, writing
from orchestration.settings import Settings
from orchestration.sql import literal, quoted

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
CREATE TABLE affected (system VARCHAR, source_table VARCHAR, source_key VARCHAR);
"""
_SUPPORTING: Final = f"""
INSERT INTO supporting
SELECT DISTINCT ?, source_table, source_key, split_part({COMPLETES}, ':', 1),
    substr({COMPLETES}, strpos({COMPLETES}, ':') + 1)
FROM named {{those}} WHERE {COMPLETES} IS NOT NULL
"""
# No key: the one that such a row states is none, or that of a row which is used.
_SET_ASIDE: Final = """
SELECT record_id, ? AS system, ? AS source_table, NULL AS source_key, ? AS shape, reason, detail, row
"""
_AGAIN: Final = """
CREATE TABLE again AS
SELECT concat_ws(':', system, source_table, source_key) AS record_id FROM affected
UNION
SELECT record_id FROM ((FROM aside_before EXCEPT ALL FROM aside) UNION ALL (FROM aside EXCEPT ALL FROM aside_before));
INSERT INTO quarantine SELECT * FROM aside SEMI JOIN again USING (record_id);
INSERT INTO quarantine
SELECT * FROM {before} SEMI JOIN again USING (record_id)
WHERE source_key IS NOT NULL AND (system, source_table, source_key) NOT IN (SELECT * FROM affected);
"""
_ROW: Final = ("system", "source_table", "source_key")
_KEYS: Final = {"quarantine": ("record_id",), "supporting": _ROW}


def build(
    sources: Sequence[Source],
    landed: Sequence[LandedTable],
    settings: Settings,
    *,
    before: RejectedSet | None = None,
) -> RejectedSet:
    """The refused and the supporting rows of all sources, written where they are not there yet.

    What changed since `before` is made again and the rest stands there, as in `conform.build`.

    Raises:
        SourceError: A `.sql` does not run or returns what it must not.
    """
    versions = sorted(f"{one.system} {one.table} {one.data_version}" for one in landed)
    named = [version_of_stated(name, sources, landed) for name in ("supporting", "reject")]
    version = version_of(code(), *named, *versions)
    folder = layers.place(settings.stages / "records" / "rejected", version, before.path if before else None)
    result = RejectedSet(folder.name, folder)
    if result.path.exists():
        return result
    inputs = {"code": code(), "said": said_of("supporting", sources) + said_of("reject", sources)}
    inputs |= {f"landed/{one.system}/{one.table}": str(one.path) for one in landed}
    inputs |= {f"refused/{one.system}/{one.table}": str(one.rejected) for one in landed}
    slices = _slices(sources, landed, before, inputs)
    if before is not None and slices is not None:
        with suppress(again.WorkInFull), writing(result.path) as draft, scratch() as connection:
            _part(connection, sources, landed, before, slices, draft)
            changed.describe_on(draft, before.path, _KEYS, {**inputs, again.BEYOND: ""})
    if not result.path.exists():
        with writing(result.path) as draft, room(row_count(landed)) as connection:
            beyond = _whole(connection, sources, landed, draft)
            changed.describe_on(draft, None, _KEYS, {**inputs, again.BEYOND: ", ".join(sorted(beyond))})
    return result


def _slices(
    sources: Sequence[Source], landed: Sequence[LandedTable], before: RejectedSet | None, inputs: Mapping[str, str]
) -> dict[str, Slice] | None:
    """System to the part of it that is looked at again; None where everything is."""
    layer = layers.read_layer(before.path) if before else None
    if layer is None or layer.inputs.get(again.BEYOND) or not again.alike(layer.inputs, inputs):
        return None
    found: dict[str, Slice] = {}
    for source in sources:
        paths = [source.sql[name] for name in ("supporting", "reject") if name in source.sql]
        used = frozenset(table for path in paths for table in tables_used(source, path))
        for system, tables in systems(source, landed).items():
            now = {one.table: one.path for one in tables}
            part = slice_of(source, now, again.landed_before(system, layer.inputs), used, both=paths)
            if part is None:
                return None
            found[system] = part
    return found


def _whole(
    connection: duckdb.DuckDBPyConnection, sources: Sequence[Source], landed: Sequence[LandedTable], draft: Path
) -> frozenset[str]:
    """Write all; the tables that a `.sql` names rows of without reading them."""
    connection.execute(_TABLES)
    for one in landed:
        connection.execute(
            f"INSERT INTO quarantine {_SET_ASIDE} FROM read_parquet(?)", [one.system, one.table, ANY, str(one.rejected)]
        )
    beyond = _state(connection, sources, landed, None)
    for table, keys in _KEYS.items():
        layers.put(connection, draft, table, f"SELECT * FROM {table}", None, None, whole=True, keys=keys)
    return beyond


def _part(  # noqa: PLR0913, PLR0917  one place calls it
    connection: duckdb.DuckDBPyConnection,
    sources: Sequence[Source],
    landed: Sequence[LandedTable],
    before: RejectedSet,
    slices: Mapping[str, Slice],
    draft: Path,
) -> None:
    """Write what changed.

    Raises:
        WorkInFull: A part will not do.
    """
    connection.execute(_TABLES)
    layer = layers.read_layer(before.path)
    refused = layer.inputs if layer else {}
    connection.execute("CREATE TABLE aside AS FROM quarantine")
    connection.execute("CREATE TABLE aside_before AS FROM quarantine")
    for one in landed:
        was = refused[f"refused/{one.system}/{one.table}"]
        if was != str(one.rejected) and not Path(was).exists():
            raise again.WorkInFull
        for table, path in (("aside", str(one.rejected)), ("aside_before", was)):
            said = [one.system, one.table, ANY, path]
            connection.execute(f"INSERT INTO {table} {_SET_ASIDE} FROM read_parquet(?)", said)
    for system, part in slices.items():
        connection.register("theirs", part.affected)
        connection.execute("INSERT INTO affected SELECT ?, source_table, source_key FROM theirs", [system])
        connection.unregister("theirs")
    if _state(connection, sources, landed, slices):
        raise again.WorkInFull
    connection.execute(_AGAIN.format(before=layers.rows(before.quarantine)))
    changed.put_changed(connection, draft, "quarantine", before.quarantine, _KEYS["quarantine"])
    changed.put_changed(connection, draft, "supporting", before.supporting, _ROW, "affected")


def _state(
    connection: duckdb.DuckDBPyConnection,
    sources: Sequence[Source],
    landed: Sequence[LandedTable],
    slices: Mapping[str, Slice] | None,
) -> frozenset[str]:
    """Add to `supporting` and `quarantine` what the `.sql` say."""
    beyond: frozenset[str] = frozenset()
    for source in sources:
        for system, tables in systems(source, landed).items():
            part = slices[system] if slices is not None else None
            if part is not None and not part.affected.num_rows:
                continue
            supporting, reject = source.sql.get("supporting"), source.sql.get("reject")
            paths = [path for path in (supporting, reject) if path]
            with sandbox(source, tables, paths, part.rows if part else None) as locked:
                those = _those(system) if part else ""
                if supporting:
                    said = run(locked, supporting, (*ROW, COMPLETES), ())
                    beyond |= _supporting(connection, said, source, system, those)
                if reject:
                    said = run(locked, reject, (*ROW, "reason", "detail"), ())
                    beyond |= _refused(connection, said, source, tables, those)
    return beyond


def _supporting(
    connection: duckdb.DuckDBPyConnection, said: pa.Table, source: Source, system: str, those: str
) -> frozenset[str]:
    """Add what `supporting.sql` said; the tables of rows that it named and did not read."""
    path = source.sql["supporting"]
    connection.register("named", said)
    named = connection.execute(f"SELECT min({COMPLETES}) FROM named GROUP BY split_part({COMPLETES}, ':', 1)")
    for (item,) in named.fetchall():
        if item is not None:
            refuse_unless_row(item, COMPLETES, source, path)
    connection.execute(_SUPPORTING.format(those=those), [system])
    beyond = _named(connection) - tables_used(source, path)
    connection.unregister("named")
    return beyond


def _refused(
    connection: duckdb.DuckDBPyConnection, said: pa.Table, source: Source, tables: list[LandedTable], those: str
) -> frozenset[str]:
    """Add what `reject.sql` said; the tables of rows that it named and did not read."""
    connection.register("said", said)
    connection.execute(f"CREATE OR REPLACE TABLE named AS FROM said {those}")
    connection.unregister("said")
    named = _named(connection)
    for one in tables:
        if one.table not in named:
            continue
        packed = ", ".join(f"{quoted(name)} := {quoted(name)}" for name in source.read_columns(one.table))
        rows = f"{layers.rows(one.path)} SEMI JOIN (FROM named WHERE source_table = $table) ON source_key = _key"
        connection.execute(
            "INSERT INTO quarantine SELECT concat_ws(':', $system, $table, _key), $system, $table, _key, $any, "
            "  coalesce(reason, 'refused'), coalesce(detail, ''), _row FROM named JOIN "
            f"(SELECT _key, to_json(struct_pack({packed}))::VARCHAR AS _row FROM {rows}) "
            "ON _key = source_key AND source_table = $table",
            {"system": one.system, "table": one.table, "any": ANY},
        )
    connection.execute("DROP TABLE named")
    return named - tables_used(source, source.sql["reject"])


def _those(system: str) -> str:
    """SQL of only the rows that are affected."""
    affected = f"(SELECT source_table, source_key FROM affected WHERE system = {literal(system)})"
    return f"SEMI JOIN {affected} USING (source_table, source_key)"


def _named(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    return frozenset(row[0] for row in connection.execute("SELECT DISTINCT source_table FROM named").fetchall())
