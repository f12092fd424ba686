"""The merges that a source made itself: which of its keys stands for which now.

A key may be merged more than once; each is followed to where the chain ends. Merges that go round in a circle say
nothing and are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Final

import duckdb
import pyarrow as pa

from insight import layers
from insight.landing import LandedTable
from insight.records import again, changed
from insight.records.record_set import AliasSet, RecordSet
from insight.records.sandbox import run, sandbox
from insight.records.stated import systems, version_of_stated
from insight.records.version import code
from insight.scratch import scratch
from insight.sources.source import Source
from insight.stage import version_of, writing
from orchestration.errors import SourceError
from orchestration.graph.model import RECORD_TYPES, Shape, record_id
from orchestration.settings import Settings
from orchestration.sql import literal

_COLUMNS: Final = ("record_type", "source_table", "from_key", "to_key")
_ALIAS: Final = """
WITH organisations AS (
    SELECT system, source_table, source_key FROM {record}
    UNION SELECT system, source_table, source_key FROM {quarantine}
)
SELECT
    merge.record_type, merge.system, merge.source_table, merge.from_key,
    from_record || if(record_type = 'person' AND gone.system IS NOT NULL, '#person', '') AS from_record,
    to_record || if(record_type = 'person' AND kept.system IS NOT NULL, '#person', '') AS to_record
FROM merge
LEFT JOIN organisations AS gone
    ON gone.system = merge.system AND gone.source_table = merge.source_table AND gone.source_key = merge.from_key
LEFT JOIN organisations AS kept
    ON kept.system = merge.system AND kept.source_table = merge.source_table AND kept.source_key = merge.to_key
"""
_KEYS: Final = ("from_record",)
SCHEMA: Final = pa.schema(
    [(name, pa.string()) for name in ("record_type", "system", "source_table", "from_key", "from_record", "to_record")]
)


@dataclass(frozen=True, slots=True)
class Merge:
    """One key that a source gave up, and the one that it ended in."""

    record_type: str
    system: str
    source_table: str
    from_key: str
    to_key: str


def build(
    sources: Sequence[Source],
    landed: Sequence[LandedTable],
    organisation: RecordSet,
    settings: Settings,
    *,
    before: AliasSet | None = None,
) -> AliasSet:
    """The merges of all sources, written where they are not there yet.

    Args:
        sources: All sources.
        landed: What was landed of them.
        organisation: Records of organisations: a row that yields one yields its person under another id.
        settings: Where stages are kept.
        before: What this step made last, to write what differs from it.

    Raises:
        SourceError: An `alias.sql` does not run or returns what it must not.
    """
    version = version_of(code(), version_of_stated("alias", sources, landed), organisation.version)
    folder = layers.place(settings.stages / "records" / "alias", version, before.path if before else None)
    result = AliasSet(folder.name, folder)
    if result.path.exists():
        return result
    below = before.path if before and layers.read_layer(before.path) else None
    with writing(result.path) as draft, scratch() as connection:
        # Organisations, whose keys are followed through them too, were made of the same rows.
        kept = organisation.path / f"{again.MERGES}.parquet"
        connection.execute(f"CREATE VIEW merge AS FROM read_parquet({literal(kept)})")
        connection.execute(
            "CREATE TABLE alias AS "
            + _ALIAS.format(record=layers.rows(organisation.record), quarantine=layers.rows(organisation.quarantine))
        )
        if below is None:
            layers.put(connection, draft, "alias", "SELECT * FROM alias", None, None, whole=True, keys=_KEYS)
        else:
            was = below / "alias.parquet"
            listed = ", ".join(_KEYS)
            connection.execute(
                f"CREATE TABLE again AS SELECT {listed} FROM alias UNION SELECT {listed} FROM {layers.rows(was)}"
            )
            changed.put_changed(connection, draft, "alias", was, _KEYS)
        changed.describe_on(draft, below, {"alias": _KEYS}, {"code": code(), "organisation": str(organisation.path)})
    return result


def merges(sources: Sequence[Source], landed: Sequence[LandedTable]) -> pa.Table:
    """One merge each, with the record ids as they are of a row that yields one record.

    Raises:
        SourceError: An `alias.sql` does not run or returns what it must not.
    """
    rows = [
        {
            **dict(zip(("record_type", "system", "source_table", "from_key", "to_key"), astuple(one), strict=True)),
            "from_record": record_id(one.system, one.source_table, one.from_key),
            "to_record": record_id(one.system, one.source_table, one.to_key),
        }
        for one in _all(sources, landed)
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA.append(pa.field("to_key", pa.string())))


def version_of_merges(
    shape: Shape, sources: Sequence[Source], landed: Sequence[LandedTable], aliases: AliasSet | None
) -> str:
    """The version of the merges that a shape's keys are followed through; empty where it has no such key."""
    if not any(field.refers_to for field in shape.fields):
        return ""
    return aliases.version if aliases else version_of_stated("alias", sources, landed)


def load_merges(
    connection: duckdb.DuckDBPyConnection,
    shape: Shape,
    sources: Sequence[Source],
    landed: Sequence[LandedTable],
    aliases: AliasSet | None,
) -> None:
    """Make the table `merge` of the merges that a shape's keys are followed through."""
    if aliases is not None:
        connection.execute(f"CREATE TABLE merge AS SELECT * FROM {layers.rows(aliases.alias)}")
        return
    needed = any(field.refers_to for field in shape.fields)
    connection.register("merges", merges(sources if needed else (), landed))
    connection.execute("CREATE TABLE merge AS SELECT * FROM merges")
    connection.unregister("merges")


def _all(sources: Sequence[Source], landed: Sequence[LandedTable]) -> list[Merge]:
    found: list[Merge] = []
    for source in sources:
        if (path := source.sql.get("alias")) is None:
            continue
        for system, tables in systems(source, landed).items():
            with sandbox(source, tables, [path]) as connection:
                stated = run(connection, path, _COLUMNS, ()).select(_COLUMNS).to_pylist()
            for row in stated:
                if row["record_type"] not in RECORD_TYPES:
                    raise SourceError(
                        f"{path}: record_type", repr(row["record_type"]), f"one of {', '.join(RECORD_TYPES)}"
                    )
            found += followed(system, [tuple(row[name] for name in _COLUMNS) for row in stated])
    return found


def followed(system: str, stated: Sequence[tuple[str, str, str | None, str | None]]) -> list[Merge]:
    """The merges of one system, each followed to the end of its chain.

    Args:
        system: The system.
        stated: Record type, table, the key that was given up and the one it was merged into.
    """
    into: dict[tuple[str, str, str], str] = {}
    for record_type, table, gone, kept in sorted(stated, key=lambda row: tuple(part or "" for part in row)):
        if gone and kept and gone != kept:
            into[record_type, table, gone] = kept
    found = []
    for record_type, table, gone in into:
        end, seen = gone, {gone}
        while (following := into.get((record_type, table, end))) is not None:
            end = following
            if end in seen:
                break
            seen.add(end)
        else:
            found.append(Merge(record_type, system, table, gone, end))
    return sorted(found, key=astuple)
