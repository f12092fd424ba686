"""What of a shape's records is made again since the version before, and what stays as it is there.

Made again are the records of rows that changed and of those that these concern (`concerns`). Looked up again is what a
record's keys name, where such a record appeared, vanished or was merged. The rest is in the version before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from insight import layers
from insight.landing import LandedTable
from insight.records import changed, references
from insight.records.concerns import Slice, slice_of
from insight.records.known import TARGET, apart, known, moved_between
from insight.records.record_set import RecordSet
from insight.records.sandbox import tables_used
from insight.records.stated import systems
from insight.sources.source import Source
from orchestration.graph.ddl import reference
from orchestration.graph.model import SHAPES, Shape
from orchestration.sql import quoted

MERGES: Final = "merge"
"""The table beside organisations that keeps the merges which their keys were followed through."""
BEYOND: Final = "beyond"
"""The input that names tables of which a `.sql` names rows without reading them; then nothing is known of changes."""

TABLES: Final = ("record", "quarantine", "note", "support")
PRINTED: Final = "record"
"""The table whose rows have prints."""
WRITTEN: Final = (*TABLES, changed.prints_of(PRINTED))
_ROW: Final = "system, source_table, source_key"


class WorkInFull(Exception):  # noqa: N818  no error: it says what is to be done instead
    """It came out on the way that a part will not do."""


@dataclass(frozen=True, slots=True)
class Part:
    """What is made again of a shape.

    Attributes:
        before: The version before.
        inputs: What that was made from.
        slices: System to the rows to make again, and what that takes.
    """

    before: RecordSet
    inputs: Mapping[str, str]
    slices: Mapping[str, Slice]


def landed_inputs(name: str, sources: Sequence[Source], landed: Sequence[LandedTable]) -> dict[str, str]:
    """The landed tables of every source that has a `.sql` of this name: all that its shapes read, and their paths."""
    return {
        f"landed/{one.system}/{one.table}": str(one.path)
        for source in sources
        if name in source.sql
        for one in landed
        if one.source == source.system and one.table in _read_by_shapes(source)
    }


def landed_before(system: str, inputs: Mapping[str, str]) -> dict[str, Path]:
    """Table to the landed rows of a system that a version was made from."""
    start = f"landed/{system}/"
    return {name.removeprefix(start): Path(path) for name, path in inputs.items() if name.startswith(start)}


def part_of(
    shape: Shape,
    sources: Sequence[Source],
    landed: Sequence[LandedTable],
    before: RecordSet | None,
    inputs: Mapping[str, str],
) -> Part | None:
    """What to make again of a shape; None where all is.

    Args:
        shape: The record type or fact.
        sources: All sources.
        landed: What was landed of them.
        before: The version before.
        inputs: What this version is made from; what is called `landed/…` and `records/…` may differ from before.
    """
    layer = layers.read_layer(before.path) if before else None
    if before is None or layer is None or layer.inputs.get(BEYOND) or not alike(layer.inputs, inputs):
        return None
    made = [Path(path) for name, path in layer.inputs.items() if path and name.startswith(("records/", "alias"))]
    if not all(path.exists() for path in made):
        return None
    slices: dict[str, Slice] = {}
    for source in sources:
        if (path := source.sql.get(shape.name)) is None:
            continue
        for system, tables in systems(source, landed).items():
            now = {one.table: one.path for one in tables}
            was = landed_before(system, layer.inputs)
            # Of all shapes together, since they can share it; of this one where that is too much.
            found = slice_of(source, now, was, _read_by_shapes(source) & now.keys())
            found = found or slice_of(source, now, was, tables_used(source, path))
            if found is None:
                return None
            slices[system] = found
    return Part(before, layer.inputs, slices)


def load(connection: duckdb.DuckDBPyConnection, part: Part) -> None:
    """Make `affected`, the rows of which the records are made again: `system, source_table, source_key`."""
    connection.execute("CREATE TABLE affected (system VARCHAR, source_table VARCHAR, source_key VARCHAR)")
    for system, one in part.slices.items():
        connection.register("theirs", one.affected)
        connection.execute("INSERT INTO affected SELECT ?, source_table, source_key FROM theirs", [system])
        connection.unregister("theirs")


def look_up(
    connection: duckdb.DuckDBPyConnection, shape: Shape, part: Part, earlier: Mapping[str, RecordSet]
) -> dict[str, str]:
    """Add to `conformed` and `note` the records that stay but for what their keys name.

    Args:
        connection: Where `conformed`, `note`, `affected` and `merge` are.
        shape: The record type or fact.
        part: What is made again.
        earlier: The records that its ids and keys depend on.

    Returns:
        For each shape that keys name, a query for what they may name now.

    Raises:
        WorkInFull: A row that did not change gives its record another id than before.
    """
    _refuse_renamed(connection, part, earlier)
    records = layers.rows(part.before.record)
    itself = f"SELECT {TARGET} FROM {records}"
    connection.execute("CREATE TABLE moved_key (refers_to VARCHAR, system VARCHAR, key VARCHAR)")
    _merges_before(connection, part)
    targets: dict[str, str] = {}
    for kind in dict.fromkeys(str(field.refers_to) for field in references.named_by(shape)):
        if kind == shape.name:
            now = f"SELECT {TARGET} FROM conformed"
            targets[kind] = f"{now} UNION ALL {itself} ANTI JOIN affected USING ({_ROW})"
            was = f"{itself} SEMI JOIN affected USING ({_ROW})"
            connection.execute(f"CREATE OR REPLACE TABLE moved AS {apart(was, now)}")
            references.moved(connection, kind)
            continue
        made = earlier[kind].record
        targets[kind] = f"SELECT {TARGET} FROM {known(made)}"
        connection.register("apart", moved_between(Path(part.inputs[f"records/{kind}"]) / made.name, made))
        connection.execute("CREATE OR REPLACE TABLE moved AS FROM apart")
        connection.unregister("apart")
        references.moved(connection, kind)
    connection.execute("CREATE TABLE stays (record_id VARCHAR)")
    if connection.execute("SELECT 1 FROM moved_key LIMIT 1").fetchall():
        connection.execute(
            f"INSERT INTO stays SELECT record_id FROM ({references.naming(shape, records)}) "
            f"ANTI JOIN (SELECT record_id FROM {records} SEMI JOIN affected USING ({_ROW})) AS again USING (record_id)"
        )
        keys = [field.name for field in references.named_by(shape)]
        left = ", ".join(quoted(reference(name)) for name in keys)
        connection.execute(
            f"INSERT INTO conformed BY NAME SELECT * EXCLUDE ({left}) FROM {records} SEMI JOIN stays USING (record_id)"
        )
        connection.execute(
            f"INSERT INTO note BY NAME SELECT * FROM {layers.rows(part.before.note)} SEMI JOIN stays USING (record_id) "
            "WHERE NOT list_contains($keys, field)",
            {"keys": keys},
        )
        for table, path in (("support", part.before.support), ("quarantine", part.before.quarantine)):
            connection.execute(
                f"INSERT INTO {table} BY NAME SELECT * FROM {layers.rows(path)} SEMI JOIN stays USING (record_id)"
            )
    return targets


def put(
    connection: duckdb.DuckDBPyConnection, shape: Shape, part: Part, draft: Path, inputs: Mapping[str, str]
) -> None:
    """Write the tables as a layer on the version before, or as a whole where it is time for that."""
    connection.execute(
        "CREATE TABLE again AS SELECT DISTINCT record_id FROM ("
        "  SELECT unnest([record_id, record_id || '#' || $shape]) AS record_id"
        "  FROM (SELECT concat_ws(':', system, source_table, source_key) AS record_id FROM affected)"
        "  UNION ALL FROM stays)",
        {"shape": shape.name},
    )
    for table in TABLES:
        was = part.before.path / f"{table}.parquet"
        changed.put_changed(connection, draft, table, was, ("record_id",), printed=table == PRINTED)
    changed.describe_on(draft, part.before.path, dict.fromkeys(WRITTEN, ("record_id",)), inputs)


def alike(was: Mapping[str, str], now: Mapping[str, str]) -> bool:
    """Whether two versions were made from the same things, though not from the same versions of them."""
    apart = ("landed/", "refused/", "records/", "alias", BEYOND)
    same = {name: value for name, value in now.items() if not name.startswith(apart)}
    return was.keys() - {BEYOND} == now.keys() - {BEYOND} and all(was[name] == value for name, value in same.items())


def _read_by_shapes(source: Source) -> frozenset[str]:
    paths = [path for name, path in source.sql.items() if name in SHAPES]
    return frozenset(table for path in paths for table in tables_used(source, path))


def _refuse_renamed(connection: duckdb.DuckDBPyConnection, part: Part, earlier: Mapping[str, RecordSet]) -> None:
    """Refuse a part where a row that did not change may give its record another id, since another took it or left it.

    Raises:
        WorkInFull: It may.
    """
    connection.execute(f"CREATE TABLE retaken ({_ROW.replace(',', ' VARCHAR,')} VARCHAR)")
    for name, made in earlier.items():
        old = Path(part.inputs[f"records/{name}"])
        for file in (made.record, made.quarantine) if old != made.path else ():
            connection.register("apart", moved_between(old / file.name, file))
            connection.execute(f"INSERT INTO retaken SELECT {_ROW} FROM apart ANTI JOIN affected USING ({_ROW})")
            connection.unregister("apart")
    theirs = " UNION ".join(
        f"SELECT {_ROW} FROM {layers.rows(path)}" for path in (part.before.record, part.before.quarantine)
    )
    if connection.execute("SELECT 1 FROM retaken LIMIT 1").fetchall() and (
        connection.execute(f"SELECT 1 FROM ({theirs}) SEMI JOIN retaken USING ({_ROW}) LIMIT 1").fetchall()
    ):
        raise WorkInFull


def _merges_before(connection: duckdb.DuckDBPyConnection, part: Part) -> None:
    alias = part.inputs.get("alias")
    own = part.before.path / f"{MERGES}.parquet"
    if alias:
        rows = layers.rows(Path(alias) / "alias.parquet")
        connection.execute(f"CREATE TABLE merge_before AS SELECT * FROM {rows}")
    elif own.exists():
        connection.execute("CREATE TABLE merge_before AS SELECT * FROM read_parquet(?)", [str(own)])
    else:
        connection.execute("CREATE TABLE merge_before AS FROM merge LIMIT 0")
