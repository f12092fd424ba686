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

import duckdb

from insight import layers
from insight.landing import LandedTable, row_count
from insight.records import again, changed, one_system, references
from insight.records.aliases import load_merges, version_of_merges
from insight.records.known import TARGET, known, targets_in
from insight.records.record_set import AliasSet, RecordSet
from insight.records.sandbox import tables_used
from insight.records.spread import spread
from insight.records.stated import said_of, state, systems, version_of_stated
from insight.records.version import code
from insight.scratch import room, scratch
from insight.sources.source import Source
from insight.stage import version_of, writing
from orchestration.erasure.suppression import NOBODY, Suppression
from orchestration.graph.model import SHAPES, Shape
from orchestration.settings import Settings


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
    suppression: Suppression = NOBODY,
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
        suppression: What is of people who were erased: no record is made of them.

    Raises:
        SourceError: A `.sql` does not run or returns what it must not.
    """
    needed = {name: earlier[name] for name in needed_before(shape, sources)}
    stated = version_of_stated(shape.name, sources, landed)
    merges = version_of_merges(shape, sources, landed, aliases)
    version = version_of(
        code(),
        stated,
        merges,
        *(f"{name} {one.version}" for name, one in needed.items()),
        str(sample),
        *([suppression.version] if suppression else []),
    )
    folder = layers.place(settings.stages / "records" / shape.name, version, before.path if before else None)
    result = RecordSet(shape.name, folder.name, folder)
    if result.path.exists():
        return result
    inputs = {
        "code": code(),
        "said": said_of(shape.name, sources),
        "alias": str(aliases.path) if aliases else "",
        **again.landed_inputs(shape.name, sources, landed),
        **{f"records/{name}": str(one.path) for name, one in needed.items()},
        **({"suppressed": suppression.version} if suppression else {}),
    }
    work = _Work(shape, sources, landed, needed, aliases, inputs, suppression)
    part = again.part_of(shape, sources, landed, before, inputs) if sample is None else None
    if part is not None:
        with suppress(again.WorkInFull), writing(result.path) as draft, scratch() as connection:
            _part(connection, work, part, draft)
    if not result.path.exists():
        with writing(result.path) as draft, room(row_count(landed)) as connection, spread():
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
    suppression: Suppression


def _whole(connection: duckdb.DuckDBPyConnection, work: _Work, draft: Path, sample: int | None) -> None:
    """Write all records."""
    beyond = _state(connection, work, sample, None)
    load_merges(connection, work.shape, work.sources, work.landed, work.aliases)
    targets = {name: targets_in(one.record) for name, one in work.needed.items()} | {
        work.shape.name: f"(SELECT {TARGET} FROM conformed)"
    }
    references.resolve(connection, work.shape, targets, noted=sample is None)
    for table in again.TABLES:
        layers.put(connection, draft, table, f"SELECT * FROM {table}", None, None, whole=True, keys=("record_id",))
    changed.put_prints(connection, draft, again.PRINTED, ("record_id",))
    _keep_merges(connection, work, draft)
    inputs = {**work.inputs, again.BEYOND: ", ".join(sorted(beyond))}
    layers.describe(draft, layers.Layer(dict.fromkeys(again.WRITTEN, ("record_id",)), inputs=inputs))


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
    one_system.start(connection, work.shape)
    beyond: frozenset[str] = frozenset()
    read = known if part else targets_in
    taken = [path for one in work.needed.values() for path in (one.record, one.quarantine)]
    for one in state(work.shape, work.sources, work.landed, sample, part.slices if part else None):
        tables = systems(one.source, work.landed)[one.system]
        one_system.add(connection, work.shape, one, {it.table: it for it in tables}, taken, read, work.suppression)
        beyond |= one.beyond
    return beyond


def _keep_merges(connection: duckdb.DuckDBPyConnection, work: _Work, draft: Path) -> None:
    """Keep the merges that the keys were followed through, where no earlier step did."""
    if work.aliases is None and references.named_by(work.shape):
        connection.sql("FROM merge ORDER BY ALL").write_parquet(
            str(draft / f"{again.MERGES}.parquet"), compression="zstd"
        )
