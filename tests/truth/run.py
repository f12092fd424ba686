"""A labelled set run as a user would: its source folders, `precede tune` where the set is tuned, the job `reconcile`.

Beside it, in the same run, plain Splink over the same rows.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final

import duckdb

from orchestration.cli.processes import run_job
from orchestration.graph.model import RECORD_TYPES
from orchestration.settings import Settings
from orchestration.sql import literal
from orchestration.work.environment import prepare_home
from tests.truth import plain_splink
from tests.truth.labelled import RAW, Labelled, Prepared
from tests.truth.metrics import Score, score
from tests.truth.trust import Trust, trust
from tests.truth.tuning import tune

if TYPE_CHECKING:
    from collections.abc import Iterator

ONE_LIST: Final = "single_system"
"""What every entity lacks where there is one list alone; it is then left out of what standing asks."""
PEOPLE: Final = """
    CREATE OR REPLACE TEMP VIEW person AS
    SELECT person.* REPLACE (coalesce(person.organisation_name, employer.name) AS organisation_name)
    FROM graph.person_record AS person
    LEFT JOIN graph.organisation_record AS employer ON employer.record_id = person.organisation_record
"""
_ENTITIES: Final = """
    SELECT entity_id, standing_reasons, (SELECT count(DISTINCT system) FROM snapshot_source) AS lists FROM entity
"""


@dataclass(frozen=True)
class Figures:
    """How one clustering of a set did; what standing is worth is known of the published graph alone."""

    score: Score
    trust: Trust | None
    seconds: float


@dataclass(frozen=True)
class Ran:
    """A set that was run.

    Attributes:
        settings: Where its graph is.
        prepared: The set.
        figures: What is judged together, to who resolved it, to how well.
    """

    settings: Settings
    prepared: Prepared
    figures: Mapping[str, Mapping[str, Figures]]


def run(chosen: Labelled, folder: Path) -> Ran:
    """Run a set in an empty folder, where everything is kept.

    Raises:
        PrecedeError: The job failed.
    """
    prepared = chosen.prepare(folder)
    settings = Settings(home=folder / "home")
    if prepared.sources is not None:
        settings = replace(settings, sources=prepared.sources)
    with _environment(prepared.environment):
        prepare_home(settings)
        begun = monotonic()
        run_job("insight", "reconcile", settings, lambda _event: None)
        if chosen.tuned and tune(settings):
            begun = monotonic()
            run_job("insight", "reconcile", settings, lambda _event: None)
        seconds = monotonic() - begun
    clusters, trusted = published(settings)
    figures = {}
    for name, truth in prepared.truths.items():
        begun = monotonic()
        plain = _plain(settings, prepared, chosen.plain[name])
        taken = monotonic() - begun
        theirs = clusters if name not in RECORD_TYPES else {name: clusters[name]}
        together = {record: entity for each in theirs.values() for record, entity in each.items()}
        figures[name] = {
            "precede": Figures(score(truth, together), trust(truth, together, trusted), seconds),
            "plain Splink": Figures(score(truth, plain), None, taken),
        }
    return Ran(settings, prepared, figures)


def published(settings: Settings) -> tuple[dict[str, dict[str, str]], set[str]]:
    """Record type to source row to entity in the published graph, and the entities that have standing there."""
    with duckdb.connect(str(settings.graph_link), read_only=True) as graph:
        clusters = {
            record_type: dict(
                graph.execute(
                    "SELECT split_part(record_id, '#', 1), entity_id FROM crosswalk WHERE entity_type = $type",
                    {"type": record_type},
                ).fetchall()
            )
            for record_type in RECORD_TYPES
        }
        trusted = {
            entity
            for entity, reasons, lists in graph.execute(_ENTITIES).fetchall()
            if not [reason for reason in reasons if lists > 1 or reason != ONE_LIST]
        }
    return clusters, trusted


def _plain(
    settings: Settings, prepared: Prepared, chosen: Mapping[str, Callable[[], plain_splink.Settings]]
) -> dict[str, str]:
    """Source row to plain Splink's cluster."""
    found: dict[str, str] = {}
    with duckdb.connect() as con:
        con.execute(f"ATTACH {literal(settings.graph_link)} AS graph (READ_ONLY)")
        con.execute(PEOPLE)
        for name, documented in chosen.items():
            records = {
                RAW: f"({prepared.raw})",
                "organisation": "graph.organisation_record",
                "person": "person",
            }[name]
            if con.execute(f"SELECT count(*) FROM {records}").fetchall()[0][0]:
                clusters = plain_splink.clusters(con, records, documented())
                found |= {record.split("#")[0]: f"{name}:{cluster}" for record, cluster in clusters.items()}
    return found


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """The variables that source folders name, for as long as the set runs."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
