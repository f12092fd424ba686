"""Resolve Northgate twice: with the product's own job from sources to published graph, and with plain Splink."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, cast

import duckdb

from examples.northgate.build import build, in_home
from examples.northgate.plan import Plan
from orchestration.cli.processes import run_job
from orchestration.settings import Settings
from orchestration.work.environment import prepare_home
from tests.truth import plain_splink
from tests.truth.floors import FLOORS
from tests.truth.metrics import Score, score

_TRUTH = "SELECT concat_ws(':', system, source_table, source_key), entity FROM $file WHERE record_type = $type"
_RECORDS = """
CREATE OR REPLACE VIEW organisation AS FROM '{stages}/records/organisation/*/record.parquet';
CREATE OR REPLACE VIEW person AS
    SELECT person.* EXCLUDE (record_id, organisation_name),
        split_part(person.record_id, '#', 1) AS record_id,
        coalesce(person.organisation_name, employer.name) AS organisation_name
    FROM '{stages}/records/person/*/record.parquet' AS person
    LEFT JOIN organisation AS employer
        ON employer.system = person.system
            AND person.organisation_key IN (employer.source_key, employer.source_table || ':' || employer.source_key)
    QUALIFY row_number() OVER (PARTITION BY person.record_id ORDER BY employer.record_id) = 1;
"""


def resolve(folder: Path, way: str, records: int, seed: int) -> dict[str, dict[str, Score]]:
    """Record type to who resolved it to how well.

    Args:
        folder: An empty folder, where everything is kept.
        way: Which way of making dirt.
        records: Northgate's size.
        seed: Northgate's seed.
    """
    settings = Settings(home=folder / "home")
    targets = in_home(settings.home)
    build(Plan(records, seed, way=cast("Literal['A', 'B']", way)), targets)
    prepare_home(settings)
    run_job("insight", "reconcile", settings, lambda _event: None)
    truths = _truths(targets.truth_folder / "truth.parquet")
    return {
        record_type: {
            "precede": score(truth, _published(settings, record_type)),
            "plain Splink": score(truth, _plain(settings, record_type)),
        }
        for record_type, truth in truths.items()
    }


def _truths(path: Path) -> dict[str, dict[str, str]]:
    with duckdb.connect() as con:
        return {
            record_type: dict(con.execute(_TRUTH.replace("$file", f"'{path}'"), {"type": record_type}).fetchall())
            for record_type in FLOORS
        }


def _published(settings: Settings, record_type: str) -> dict[str, str]:
    with duckdb.connect(str(settings.graph_link), read_only=True) as graph:
        rows = graph.execute(
            "SELECT split_part(record_id, '#', 1), entity_id FROM crosswalk WHERE entity_type = $type",
            {"type": record_type},
        ).fetchall()
    return dict(rows)


def _plain(settings: Settings, record_type: str) -> dict[str, str]:
    with duckdb.connect() as con:
        con.execute(_RECORDS.format(stages=settings.stages))
        return plain_splink.clusters(con, record_type, plain_splink.settings(record_type))
