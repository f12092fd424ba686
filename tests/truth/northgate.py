"""Northgate at any size, with either way of making dirt: three systems of organisations, people and their invoices."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, cast

import duckdb

from examples.northgate.build import build, in_home
from examples.northgate.plan import AS_OF, SEED, Plan
from orchestration.graph.model import RECORD_TYPES
from orchestration.sql import literal
from tests.truth.labelled import Labelled, Prepared
from tests.truth.plain_settings import organisations, people_at_work

_TRUTH: Final = """
    SELECT concat_ws(':', system, source_table, source_key), entity FROM read_parquet({file}) WHERE record_type = $type
"""


def northgate(records: int, way: str, seed: int) -> Labelled:
    """Northgate of a size, a way of making dirt and a seed. The shipped models stand, whatever the size."""

    def prepare(folder: Path) -> Prepared:
        targets = in_home(folder / "home")
        build(Plan(records, seed, way=cast("Literal['A', 'B']", way)), targets)
        return Prepared(truths(targets.truth_folder))

    return Labelled(
        f"Northgate {records:,} {way}" if seed == SEED else f"Northgate {records:,} {way} seed {seed}",
        f"Northgate {records:,}",
        prepare,
        {"organisation": {"organisation": organisations}, "person": {"person": people_at_work}},
        tuned=False,
        acts=AS_OF,
    )


def truths(folder: Path) -> dict[str, dict[str, str]]:
    """Record type to record to true entity, as it was kept beside the databases."""
    file = literal(folder / "truth.parquet")
    with duckdb.connect() as con:
        return {
            record_type: dict(con.execute(_TRUTH.format(file=file), {"type": record_type}).fetchall())
            for record_type in RECORD_TYPES
        }
