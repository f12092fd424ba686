"""Writing a graph: from folders of Parquet to one DuckDB file that any client reads and nobody changes.

A candidate is a whole graph that nobody reads yet; `checks` looks at it and `promote` makes it the current one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import astuple
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

import duckdb

from orchestration.contracts import SnapshotId
from orchestration.graph.ddl import STORAGE_VERSION, create_schema
from orchestration.graph.fill import fill
from orchestration.graph.inputs import Candidate, CandidateInputs, snapshot_id
from orchestration.graph.reader import EntityGraph
from orchestration.graph.rows import Snapshot, SnapshotSource
from orchestration.settings import Settings
from orchestration.sql import literal

_COUNTS: Final = attrgetter("records", "facts", "supporting", "quarantined", "unaccounted")
"""What became of a table's rows, in the order of the columns of `snapshot_source`."""


def build_candidate(inputs: CandidateInputs, settings: Settings, *, now: datetime | None = None) -> Candidate:
    """The graph of these inputs, written where it was not written before.

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
        _write(unfinished, inputs, made, before, now or datetime.now(UTC))
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


def _said_by(path: Path) -> Snapshot:
    with EntityGraph(path) as graph:
        return graph.snapshot


def _id(snapshot: str | None) -> SnapshotId | None:
    return None if snapshot is None else SnapshotId(snapshot)


def _write(path: Path, inputs: CandidateInputs, snapshot: SnapshotId, previous: str | None, built_at: datetime) -> None:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_progress_bar = false")
        if inputs.previous:
            connection.execute(f"ATTACH {literal(inputs.previous)} AS before (READ_ONLY)")
        connection.execute(f"ATTACH {literal(path)} AS graph (STORAGE_VERSION '{STORAGE_VERSION}')")
        connection.execute("USE graph")
        create_schema(connection)
        _describe(connection, inputs, snapshot, previous, built_at)
        fill(connection, inputs, snapshot, has_previous=previous is not None)
        connection.execute("CHECKPOINT graph")


def _describe(
    connection: duckdb.DuckDBPyConnection,
    inputs: CandidateInputs,
    snapshot: SnapshotId,
    previous: str | None,
    built_at: datetime,
) -> None:
    """What the graph says of itself: the three `snapshot` tables."""
    versions = json.dumps(dict(inputs.model_versions), sort_keys=True)
    itself = (snapshot, built_at, inputs.run_id, inputs.code_version, versions, previous, inputs.digest, "{}")
    _insert(connection, "snapshot", [itself])
    became = {(one.system, one.source_table): one for one in inputs.accounts}
    sources = [
        SnapshotSource(
            *(one.system, one.table, one.row_count, one.data_version, one.read_at),
            *_COUNTS(account) if (account := became.get((one.system, one.table))) else (),
        )
        for one in inputs.landed
    ]
    _insert(connection, "snapshot_source", [astuple(source) for source in sources])
    _insert(connection, "snapshot_input", [astuple(pin) for pin in inputs.pins])


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
