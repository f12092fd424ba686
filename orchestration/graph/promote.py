"""Making a candidate the current graph, in one transaction of the store, and the name under which analysts find it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb
from sqlalchemy import Connection, delete, insert, select, update

from orchestration.contracts import SnapshotId
from orchestration.errors import PublicationRefused
from orchestration.graph.checks import CheckResult
from orchestration.graph.current import current_snapshot, watermarks
from orchestration.graph.digests import file_digest
from orchestration.graph.inputs import Candidate, Landed
from orchestration.graph.publish import graph_path
from orchestration.graph.reader import EntityGraph
from orchestration.ledger.entries import snapshot_published
from orchestration.settings import Settings
from orchestration.store.engine import Store
from orchestration.store.tables import pointer, snapshot, watermark

READ_ONLY: Final = 0o440
"""Nobody writes to a published graph; its owner and the group that may know what it holds read it."""


@dataclass(frozen=True, slots=True)
class _Publication:
    """A candidate on its way to being the current graph; `path` is relative to `PRECEDE_HOME`."""

    snapshot_id: SnapshotId
    path: Path
    file_digest: str
    built_at: datetime
    checks: Sequence[CheckResult]
    run_id: str
    at: datetime


def promote(  # noqa: PLR0913  one argument for each thing that a publication rests on
    store: Store,
    settings: Settings,
    candidate: Candidate,
    checks: Sequence[CheckResult],
    landed: Iterable[Landed],
    *,
    run_id: str,
    now: datetime | None = None,
) -> bool:
    """Make the candidate the current graph if every blocking check passed, and move the watermarks.

    Where it is the current graph already, only the watermarks move: what was read is what the graph holds. Whoever
    reads the graph before keeps reading it. Doing this again after a crash at any point finishes it.

    Args:
        store: Where the pointer is.
        settings: Where graphs are kept.
        candidate: What `build_candidate` returned.
        checks: The results of all blocking checks; there must be some.
        landed: Every source table as it was read for it.
        run_id: The Dagster run that publishes it.
        now: When this happens.

    Returns:
        Whether the pointer moved.

    Raises:
        PublicationRefused: A check failed, or none was made, or another graph was published meanwhile, or a file is not
            the one that was published; the current graph stays what it is.
        StoreError: The store cannot be written.
    """
    _refuse_unless_passed(candidate, checks)
    path = graph_path(settings, candidate.snapshot_id)
    fresh = candidate.path != path
    if fresh:
        _seal(candidate.path, checks)
    with ThreadPoolExecutor() as at_once:
        taken = at_once.submit(file_digest, candidate.path)
        at_once.submit(_refuse_changed, store, settings, None if fresh else candidate.snapshot_id).result()
        digest = taken.result()
    if fresh:
        candidate.path.chmod(READ_ONLY)
        os.replace(candidate.path, path)  # noqa: PTH105  the atomic call, named as such
    with EntityGraph(path) as graph:
        built_at = graph.snapshot.built_at
    publication = _Publication(
        snapshot_id=candidate.snapshot_id,
        path=path.relative_to(settings.home),
        file_digest=digest,
        built_at=built_at,
        checks=checks,
        run_id=run_id,
        at=now or datetime.now(UTC),
    )
    read = list(landed)
    with store.begin() as connection:
        current = current_snapshot(connection)
        moves = current != candidate.snapshot_id
        if moves:
            _refuse_unless_next(candidate, current, settings)
        if moves or _published_digest(connection, candidate.snapshot_id) != publication.file_digest:
            _move(connection, publication)
            _forget_other_tables(connection, read)
        _advance(connection, read)
    link_current(path, settings.graph_link)
    return moves


def link_current(path: Path, name: Path) -> None:
    """Give the current graph its second name: a hard link, or a copy where the file system has none."""
    if name.exists() and name.samefile(path):
        return
    draft = name.with_name(f".{name.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    try:
        draft.hardlink_to(path)
    except OSError:
        shutil.copy2(path, draft)
    os.replace(draft, name)  # noqa: PTH105  the atomic call, named as such


def _refuse_unless_passed(candidate: Candidate, checks: Sequence[CheckResult]) -> None:
    if not checks:
        raise PublicationRefused(
            f"{candidate.snapshot_id} was not published: no blocking check was made; needed all of them to pass; "
            "run the whole job."
        )
    failed = [check for check in checks if not check.passed]
    if failed:
        found = "; ".join(f"{check.name}: found {check.found}, needed {check.needed}" for check in failed)
        raise PublicationRefused(
            f"{candidate.snapshot_id} was not published, and the last good graph stays current: {found}. "
            "Put the source right and run again."
        )


def _refuse_unless_next(candidate: Candidate, current: SnapshotId | None, settings: Settings) -> None:
    """A graph goes on from the current one, or from none where the current one's file is lost."""
    lost = current is not None and not graph_path(settings, current).is_file()
    if candidate.previous == current or (candidate.previous is None and lost):
        return
    raise PublicationRefused(
        f"{candidate.snapshot_id} was not published: it goes on from {candidate.previous or 'no graph'}, and the "
        f"current one is {current or 'none'} by now; needed the next of the current one; run again."
    )


def _refuse_changed(store: Store, settings: Settings, found: SnapshotId | None) -> None:
    """Build on no file that is not as it was published: neither the current one, nor one that was found again."""
    with store.read() as connection:
        published = {one: _published_digest(connection, one) for one in (current_snapshot(connection), found) if one}
    for snapshot_id, digest in published.items():
        path = graph_path(settings, snapshot_id)
        if digest is not None and path.is_file() and file_digest(path) != digest:
            raise PublicationRefused(
                f"Nothing was published: {path} is not the file that was published as {snapshot_id}; needed the one "
                "that was; put it back from a copy, or move it away and run again, so that the graph is built anew."
            )


def _published_digest(connection: Connection, snapshot_id: SnapshotId) -> str | None:
    """The digest of a snapshot's file; none where it was never published."""
    published = select(snapshot.c.file_digest).where(snapshot.c.snapshot_id == snapshot_id)
    return connection.execute(published).scalar_one_or_none()


def _seal(candidate: Path, checks: Sequence[CheckResult]) -> None:
    """Write into the candidate that its checks passed: the last that is ever written there."""
    with duckdb.connect(str(candidate)) as connection:
        connection.execute("UPDATE snapshot SET checks = ?", [json.dumps(_passed(checks))])
        connection.execute("CHECKPOINT")


def _move(connection: Connection, publication: _Publication) -> None:
    """Enter the graph among the snapshots, point to it, and say so in the ledger.

    One that was published before comes back as it was, where the history after it is lost; its file was written anew.
    """
    this = snapshot.c.snapshot_id == publication.snapshot_id
    again = update(snapshot).where(this).values(expired_at=None, file_digest=publication.file_digest)
    known = connection.execute(again).rowcount
    if not known:
        connection.execute(
            insert(snapshot).values(
                snapshot_id=publication.snapshot_id,
                path=publication.path.as_posix(),
                file_digest=publication.file_digest,
                run_id=publication.run_id,
                built_at=publication.built_at,
                published_at=publication.at,
                checks=_passed(publication.checks),
            )
        )
    connection.execute(delete(pointer))
    connection.execute(insert(pointer).values(id=1, snapshot_id=publication.snapshot_id, moved_at=publication.at))
    snapshot_published(connection, publication.snapshot_id, at=publication.at)


def _forget_other_tables(connection: Connection, landed: Iterable[Landed]) -> None:
    """Drop the watermarks of tables that the graph no longer reads."""
    for system, table in watermarks(connection).keys() - {(one.system, one.table) for one in landed}:
        connection.execute(delete(watermark).where(watermark.c.system == system, watermark.c.source_table == table))


def _advance(connection: Connection, landed: Iterable[Landed]) -> None:
    """Move each source table's watermark to its read; never backwards."""
    known = watermarks(connection)
    for one in landed:
        last = known.get((one.system, one.table))
        values = {"row_count": one.row_count, "data_version": one.data_version}
        if last is None:
            connection.execute(
                insert(watermark).values(system=one.system, source_table=one.table, read_at=one.read_at, **values)
            )
        elif one.read_at >= last.read_at:
            connection.execute(
                update(watermark)
                .where(watermark.c.system == one.system, watermark.c.source_table == one.table)
                .values(read_at=one.read_at, **values)
            )


def _passed(checks: Sequence[CheckResult]) -> dict[str, str]:
    return {check.name: "passed" for check in checks}
