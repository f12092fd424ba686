"""One measurement of reconciling: a home from its databases to a graph, plain Splink over the same records, a change.

Everything runs in processes of its own, one after the other: what one of them holds is not the next one's.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from bench.changes import change
from bench.watch import Watched, watch
from examples.northgate.build import build, in_home
from examples.northgate.plan import Plan
from orchestration.settings import Settings
from orchestration.work.environment import location_environment, prepare_home

LINKS: Final = "links__"
ENTITIES: Final = "entities__"
RELATIONSHIP: Final = "entities__relationship"
_RECORDS: Final = "SELECT (SELECT count(*) FROM organisation_record) + (SELECT count(*) FROM person_record)"


@dataclass(frozen=True)
class Reconciled:
    """One run of the job `reconcile`.

    Attributes:
        job: What its process did.
        linkage: Seconds from records in to clusters with ids out: all of `links/<type>`, and `entities/<type>` up to
            the ids.
    """

    job: Watched
    linkage: float


@dataclass(frozen=True)
class Size:
    """What was measured at one size.

    Attributes:
        records: Organisations and people.
        full: The first run, from the databases.
        plain: Plain Splink with a saved model; none where it was not asked.
        changed: Table to rows changed before the second run.
        change: The second run.
        disk: Bytes that the home holds, by part, after the first run.
        grown: Bytes that the second run added, by part.
        graph: Bytes of the last graph.
        graphs_kept: How many graphs a home keeps, however often they are published.
    """

    records: int
    full: Reconciled
    plain: Watched | None
    changed: dict[str, int]
    change: Reconciled | None
    disk: dict[str, int]
    grown: dict[str, int]
    graph: int
    graphs_kept: int


def measure(size: int, folder: Path, *, changes: int, plain: bool = True) -> Size:
    """Measure Northgate of a size, in a folder that is empty or holds its databases already.

    Args:
        size: About how many records.
        folder: Where everything is kept.
        changes: Rows to change after the first run; 0 for no second run.
        plain: Whether to run plain Splink over the same records.

    Raises:
        PrecedeError: A process failed.
    """
    settings = Settings(home=folder / "home")
    targets = in_home(settings.home)
    if not targets.out.exists():
        build(Plan(size), targets)
    prepare_home(settings)
    full = reconcile(settings, folder)
    with duckdb.connect(str(settings.graph_link), read_only=True) as graph:
        records = int(graph.execute(_RECORDS).fetchall()[0][0])
    splink = _plain(settings, folder) if plain else None
    disk = held(settings)
    kept = settings.keep_graphs + settings.keep_hours
    if not changes:
        return Size(records, full, splink, {}, None, disk, {}, _blocks(settings.graph_link), kept)
    changed = change(targets.out, changes)
    second = reconcile(settings, folder)
    after = held(settings)
    grown = {part: after[part] - disk[part] for part in disk}
    return Size(records, full, splink, changed, second, disk, grown, _blocks(settings.graph_link), kept)


def reconcile(settings: Settings, folder: Path) -> Reconciled:
    """Run the job in a process of its own."""
    clock = folder / "after-ids.jsonl"
    clock.unlink(missing_ok=True)
    job = watch(
        [sys.executable, "-m", "bench.job", str(clock), "run", "insight.definitions", "reconcile"],
        location_environment("insight", settings, os.environ),
        folder / "job.log",
    )
    after = [json.loads(line)["seconds"] for line in clock.read_text().splitlines()] if clock.is_file() else []
    entities = [step for step in job.steps if step.name.startswith(ENTITIES) and step.name != RELATIONSHIP]
    return Reconciled(job, job.seconds(LINKS) + sum(step.seconds for step in entities) - sum(after))


def held(settings: Settings) -> dict[str, int]:
    """Bytes on disk of each part of a home that reconciling writes."""
    parts = {"landing": settings.landing, "stages": settings.stages, "graphs": settings.snapshots}
    return {name: sum(_blocks(path) for path in part.rglob("*") if path.is_file()) for name, part in parts.items()}


def _blocks(path: Path) -> int:
    return path.stat().st_blocks * 512


def _plain(settings: Settings, folder: Path) -> Watched:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PRECEDE_")}
    for what in ("train", "run"):
        done = watch(
            [sys.executable, "-m", "bench.plain", what, str(settings.home), str(folder)],
            environment,
            folder / "plain.log",
        )
    return done
