"""Writing a graph: from folders of Parquet to one DuckDB file that any client reads and nobody changes.

A candidate is a whole graph that nobody reads yet; `checks` looks at it and `promote` makes it the current one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import duckdb

from orchestration.contracts import SnapshotId
from orchestration.graph.change import apply, changes, fits
from orchestration.graph.copying import copy_file
from orchestration.graph.ddl import STORAGE_VERSION, create_schema
from orchestration.graph.feeds import parts
from orchestration.graph.fill import fill
from orchestration.graph.inputs import ACCOUNTED, Candidate, CandidateInputs, own_code, snapshot_id
from orchestration.graph.reader import EntityGraph
from orchestration.graph.rows import Snapshot, SnapshotSource
from orchestration.settings import Settings
from orchestration.sql import literal

DEAD: Final = 0.3
"""The share of a file that may be gaps; beyond it the next graph is written anew."""
SLACK: Final = 4 << 20
"""Bytes that a file may grow by in any case: a small graph is mostly half-filled blocks."""


_LINKED: Final = ("judgement", "rule", "threshold")


@dataclass(frozen=True, slots=True)
class _Place:
    """Which graph is written: its id, that of the one before, when, and the folder that paths are told from."""

    snapshot: SnapshotId
    previous: str | None
    built_at: datetime
    home: Path


def build_candidate(inputs: CandidateInputs, settings: Settings, *, now: datetime | None = None) -> Candidate:
    """The graph of these inputs, written where it was not written before.

    It is a copy of the previous graph's file with the changes, where the folders say what changed, and else written row
    by row; which of the two makes no difference to what it says.

    The same inputs as those of the previous graph are that graph, and nothing is done. A candidate that an earlier run
    left whole is found again.

    Args:
        inputs: The folders that it is made of.
        settings: Where graphs are kept.
        now: When it is built.

    Returns:
        The candidate: `graph/<snapshot>.candidate.duckdb`, or the graph it turned out to be.
    """
    digest = inputs.digest
    previous = _said_by(inputs.previous) if inputs.previous else None
    if previous and inputs.previous and previous.inputs_digest == digest:
        return Candidate(previous.snapshot_id, inputs.previous, _id(previous.previous_snapshot), built=False)
    before = previous.snapshot_id if previous else None
    made = snapshot_id(digest, before)
    published, candidate = graph_path(settings, made), candidate_path(settings, made)
    for path in (published, candidate):
        if path.is_file():
            return Candidate(made, path, before, built=False)
    settings.snapshots.mkdir(parents=True, exist_ok=True)
    unfinished = settings.snapshots / f"{made}.{os.getpid()}.tmp"
    unfinished.unlink(missing_ok=True)
    try:
        _write(unfinished, inputs, _Place(made, before, now or datetime.now(UTC), settings.home))
        os.replace(unfinished, candidate)  # noqa: PTH105  the atomic call, named as such
    finally:
        unfinished.unlink(missing_ok=True)
        unfinished.with_name(f"{unfinished.name}.wal").unlink(missing_ok=True)
    return Candidate(made, candidate, before, built=True)


def graph_path(settings: Settings, snapshot: SnapshotId) -> Path:
    """The file of a published graph."""
    return settings.snapshots / f"{snapshot}.duckdb"


def candidate_path(settings: Settings, snapshot: SnapshotId) -> Path:
    """The file of a graph that was not published yet."""
    return settings.snapshots / f"{snapshot}.candidate.duckdb"


def within(path: Path, home: Path) -> str:
    """A path as told from the home folder, so that the folder may be moved; another one as it is."""
    return str(path.relative_to(home)) if path.is_relative_to(home) else str(path)


def _said_by(path: Path) -> Snapshot:
    with EntityGraph(path) as graph:
        return graph.snapshot


def _id(snapshot: str | None) -> SnapshotId | None:
    return None if snapshot is None else SnapshotId(snapshot)


def _write(path: Path, inputs: CandidateInputs, place: _Place) -> None:
    """Write the graph: a copy of the previous one with the changes where that can be, and else every row."""
    if inputs.previous and not inputs.whole and _changed(path, inputs, place):
        return
    with _opened() as connection:
        if inputs.previous:
            connection.execute(f"ATTACH {literal(inputs.previous)} AS before (READ_ONLY)")
        connection.execute(f"ATTACH {literal(path)} AS graph (STORAGE_VERSION '{STORAGE_VERSION}')")
        connection.execute("USE graph")
        create_schema(connection)
        _describe(connection, inputs, place)
        fill(connection, inputs, place.snapshot, has_previous=inputs.previous is not None)
        connection.execute("CHECKPOINT graph")
        rows = sum(one.row_count for one in inputs.landed)
        _insert(connection, "snapshot_file", [(own_code(), 0, path.stat().st_size, rows)])
        connection.execute("CHECKPOINT graph")


def _changed(path: Path, inputs: CandidateInputs, place: _Place) -> bool:
    """Write the graph as a copy of the previous one with the changes; nothing where that cannot be or does not pay."""
    assert inputs.previous is not None  # noqa: S101  asked before
    with _opened() as connection:
        connection.execute(f"ATTACH {literal(inputs.previous)} AS graph (READ_ONLY)")
        connection.execute("USE graph")
        before = _parts(connection, inputs, place.home)
        made = changes(connection, inputs, before) if before is not None else None
    if made is None:
        return False
    copy_file(inputs.previous, path)
    with _opened() as connection:
        connection.execute(f"ATTACH {literal(path)} AS graph")
        connection.execute("USE graph")
        connection.execute("BEGIN")
        _describe(connection, inputs, place)
        apply(connection, inputs, made, place.snapshot)
        connection.execute("UPDATE snapshot_file SET steps = steps + 1")
        connection.execute("COMMIT")
        connection.execute("CHECKPOINT graph")
    return True


def _parts(connection: duckdb.DuckDBPyConnection, inputs: CandidateInputs, home: Path) -> dict[str, Path] | None:
    """What the graph that is attached was made of; None where the next one is better written anew.

    That is where other code wrote it, where it has other source tables, and where its file has grown beyond what its
    rows need: what was deleted of a file leaves gaps.
    """
    assert inputs.previous is not None  # noqa: S101  asked before
    tables = {row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    if not {"snapshot_file", "snapshot_part"} <= tables:
        return None
    [(code, whole_bytes, whole_rows)] = connection.execute(
        "SELECT code, whole_bytes, whole_rows FROM snapshot_file"
    ).fetchall()
    rows = sum(one.row_count for one in inputs.landed)
    expected = whole_bytes * max(rows, 1) / max(whole_rows, 1)
    grown = inputs.previous.stat().st_size > max(expected / (1 - DEAD), expected + SLACK)
    if code != own_code() or grown or not fits(connection, inputs):
        return None
    return {part: home / path for part, path in connection.execute("FROM snapshot_part").fetchall()}


@contextmanager
def _opened() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_progress_bar = false")
        yield connection


def _describe(connection: duckdb.DuckDBPyConnection, inputs: CandidateInputs, place: _Place) -> None:
    """What the graph says of itself and of how it was linked, in place of what the one before said."""
    for table in ("snapshot", "snapshot_source", "snapshot_input", "snapshot_part", "snapshot_change", *_LINKED):
        connection.execute(f"DELETE FROM {table}")
    _insert(connection, "judgement", inputs.judged)
    _insert(connection, "rule", inputs.rules)
    _insert(connection, "threshold", inputs.thresholds)
    versions = json.dumps(dict(inputs.model_versions), sort_keys=True)
    said = (inputs.run_id, inputs.code_version, versions, place.previous, inputs.digest, "{}")
    _insert(connection, "snapshot", [(place.snapshot, place.built_at, *said)])
    became = {(one.system, one.source_table): one for one in inputs.accounts}
    sources = [
        SnapshotSource(
            *(one.system, one.table, one.row_count, one.data_version, one.read_at),
            *ACCOUNTED(account) if (account := became.get((one.system, one.table))) else (),
        )
        for one in inputs.landed
    ]
    _insert(connection, "snapshot_source", [astuple(source) for source in sources])
    _insert(connection, "snapshot_input", [astuple(pin) for pin in inputs.pins])
    _insert(connection, "snapshot_part", [(part, within(path, place.home)) for part, path in parts(inputs).items()])


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
