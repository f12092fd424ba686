"""What is asked of a candidate graph before it is published, and what is only noted of it.

Blocking checks look at the graph, in which also stands what became of every row, and at what was read for it. They are
made twice: shown as asset checks, and again by whoever publishes, so that there is no way past them. What they say of
one file, unchanged and in one process, is asked once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

from insight.landing import LandedTable
from insight.sources.source import Source
from orchestration.errors import NoGraph
from orchestration.graph.checks import CHECKS, SHOWN, CheckResult, Delivery, check_graph, enough_rows
from orchestration.graph.current import current_path, watermarks
from orchestration.graph.inputs import Candidate
from orchestration.graph.publish import graph_path
from orchestration.graph.reader import EntityGraph
from orchestration.graph.rows import SnapshotSource
from orchestration.settings import Settings
from orchestration.store.engine import Store

ACCOUNTED: Final = "every_row_accounted"
ENOUGH: Final = "enough_rows"
BLOCKING: Final = {
    **{check.name: f"There must be {check.needed}." for check in CHECKS},
    ENOUGH: "No source table may deliver far fewer rows than in the current graph, and no system of it may be gone.",
    ACCOUNTED: "Every row must have become a record or fact, be in quarantine, or complete another row.",
}
"""The blocking checks by name, and what each asks."""

DRIFT: Final = {
    "standing_share": "The share of entities that have standing.",
    "quarantine_share": "The share of records and facts that went to quarantine.",
    "conflicts": "Entities, by the hundred, on which systems disagree.",
}
"""Figures that are noted of each graph, and do not block."""
TOLERATED: Final = {"standing_share": 0.05, "quarantine_share": 0.02, "conflicts": 2.0}
"""By how much a figure may change from one graph to the next before it is marked."""
_FIGURES: Final = """
    SELECT
        (SELECT coalesce(avg((standing = 'reconciled')::INT), 0) FROM entity)::DOUBLE AS standing_share,
        (
            SELECT refused / greatest(refused + made, 1) FROM (
                SELECT (SELECT count(*) FROM quarantine) AS refused,
                    (SELECT count(*) FROM organisation_record) + (SELECT count(*) FROM person_record)
                        + (SELECT count(*) FROM fact) AS made
            )
        )::DOUBLE AS quarantine_share,
        (
            SELECT 100.0 * (SELECT count(DISTINCT entity_id) FROM conflict) / greatest((SELECT count(*) FROM entity), 1)
        )::DOUBLE AS conflicts
"""


@dataclass(frozen=True, slots=True)
class Built:
    """A candidate with all that its publication rests on.

    Attributes:
        candidate: The graph.
        landed: Every source table as it was read for it.
    """

    candidate: Candidate
    landed: list[LandedTable]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a candidate, and of the current graph where there is one."""

    name: str
    value: float
    before: float | None

    @property
    def is_usual(self) -> bool:
        """Whether it changed by no more than is tolerated."""
        return self.before is None or abs(self.value - self.before) <= TOLERATED[self.name]

    @property
    def told(self) -> str:
        """The change, in a few words."""
        return f"{self.value:.3f}" if self.before is None else f"{self.value:.3f}, was {self.before:.3f}"


def blocking_results(
    built: Built, sources: Sequence[Source], store: Store, accepted: Collection[str]
) -> list[CheckResult]:
    """The results of all blocking checks; none is skipped because another failed.

    Args:
        built: The candidate.
        sources: The declared sources.
        store: Where stands what the current graph read.
        accepted: Systems that may be gone since the current graph.
    """
    results, read = _asked(built.candidate.path, _identity(built.candidate.path))
    with store.read() as connection:
        last = expected({name: mark.row_count for name, mark in watermarks(connection).items()}, built.landed, accepted)
    return [*results, enough_rows(delivered(built.landed, sources, last), last), accounted(read)]


@lru_cache(maxsize=1)
def _asked(path: Path, _file: tuple[int, ...]) -> tuple[list[CheckResult], list[SnapshotSource]]:
    """What the checks say of a graph, and the sources that were read for it; asked once of the very same file."""
    with EntityGraph(path) as graph:
        return check_graph(graph), list(graph.snapshot.sources)


def _identity(path: Path) -> tuple[int, ...]:
    """What of a file is another where anyone wrote to it, replaced it or called it otherwise."""
    told = path.stat()
    return told.st_dev, told.st_ino, told.st_size, told.st_mtime_ns, told.st_ctime_ns


def expected(
    last: Mapping[tuple[str, str], int], landed: Sequence[LandedTable], accepted: Collection[str]
) -> dict[tuple[str, str], int]:
    """What the current graph read, but for systems that are accepted to be gone; one that is read is held to it."""
    gone = set(accepted) - {one.system for one in landed}
    return {(system, table): rows for (system, table), rows in last.items() if system not in gone}


def delivered(
    landed: Sequence[LandedTable], sources: Sequence[Source], last: Collection[tuple[str, str]]
) -> list[Delivery]:
    """What every table delivered; a list that a file no longer holds delivered nothing.

    Args:
        landed: What was landed.
        sources: The declared sources.
        last: System and table of what the current graph read.
    """
    declared = {source.system: source for source in sources}
    found = [_delivered(declared[one.source], one.system, one.table, one.row_count) for one in landed]
    here = {(one.system, one.table) for one in landed}
    for system, table in sorted(set(last) - here - {(name, table) for name in declared for _, table in last}):
        of = [source for source in sources if source.system_column is not None and table in source.tables]
        found += [_delivered(source, system, table, 0) for source in of[:1]]
    return found


def _delivered(source: Source, system: str, table: str, rows: int) -> Delivery:
    expected = source.expectations
    return Delivery(system, table, rows, expected.min_rows, expected.min_share_of_last)


def found_again(built: Built, settings: Settings) -> Built:
    """The same under the name that its graph has by now: a candidate that was published is called otherwise."""
    published = graph_path(settings, built.candidate.snapshot_id)
    return replace(built, candidate=replace(built.candidate, path=published)) if published.is_file() else built


def accounted(read: Sequence[SnapshotSource]) -> CheckResult:
    """Whether no row of any table is unaccounted for; a table that nobody asked about is."""
    lost = [
        f"{one.system}.{one.source_table}: {one.row_count if one.unaccounted is None else one.unaccounted:,} rows"
        for one in read
        if one.unaccounted != 0
    ]
    rows = sum(one.row_count for one in read)
    found = f"rows that became nothing: {'; '.join(lost)}" if lost else f"all {rows:,} rows accounted for"
    needed = "each row to become a record or fact, be in quarantine, or complete another"
    return CheckResult(ACCOUNTED, not lost, found, needed, tuple(lost[:SHOWN]))


def figures(built: Built, previous: Path | None) -> list[Figure]:
    """The figures of a candidate beside those of the current graph."""
    now = _figures(built.candidate.path)
    before = _figures(previous) if previous is not None else {}
    return [Figure(name, now[name], before.get(name)) for name in DRIFT]


def previous_graph(store: Store, settings: Settings) -> Path | None:
    """The current graph's file; none where nothing was published yet, or it is gone."""
    try:
        path = current_path(store, settings)
    except NoGraph:
        return None
    return path if path.is_file() else None


def _figures(path: Path) -> dict[str, float]:
    with EntityGraph(path) as graph:
        return graph.rows(_FIGURES)[0]
