"""Plain Splink over a home's conformed records, with the documented settings, in a process of its own.

`python -m bench.plain train HOME FOLDER` saves a model for each record type; `… run HOME FOLDER` registers the records,
predicts and clusters with them, and tells how long each took.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any, Final

import duckdb
from splink import DuckDBAPI, Linker

from orchestration.settings import Settings
from orchestration.sql import literal
from tests.truth import plain_splink
from tests.truth.plain_settings import organisations, people_at_work
from tests.truth.run import PEOPLE

TYPES: Final = {"organisation": ("graph.organisation_record", organisations), "person": ("person", people_at_work)}


def train(settings: Settings, folder: Path) -> None:
    """Save a trained model for each record type."""
    for name, (records, documented) in TYPES.items():
        with _records(settings) as con:
            tables = plain_splink.register(con, records, documented())
            linker = plain_splink.trained(DuckDBAPI(connection=con), tables, documented())
            linker.misc.save_model_to_json(str(folder / f"{name}.json"), overwrite=True)


def run(settings: Settings, folder: Path) -> None:
    """Register, predict and cluster, as with a model that was saved."""
    for name, (records, documented) in TYPES.items():
        chosen = documented()
        with _records(settings) as con:
            with _told(f"{name}: register"):
                tables = plain_splink.register(con, records, chosen)
                database = DuckDBAPI(connection=con)
                registered = [database.register(table, dataset_display_name=table) for table in tables]
                linker = Linker(registered, str(folder / f"{name}.json"), log_level="ERROR")
            with _told(f"{name}: predict"):
                predicted = linker.inference.predict(threshold_match_probability=plain_splink.PREDICTED)
            with _told(f"{name}: cluster"):
                linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, chosen.threshold)


@contextmanager
def _records(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        con.execute("SET enable_progress_bar = false")
        con.execute(f"ATTACH {literal(settings.graph_link)} AS graph (READ_ONLY)")
        con.execute(PEOPLE)
        yield con


@contextmanager
def _told(step: str) -> Iterator[None]:
    _tell(event="start", step=step)
    begun = monotonic()
    yield
    _tell(event="done", step=step, seconds=monotonic() - begun)


def _tell(**said: Any) -> None:  # noqa: ANN401  what JSON holds
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    what, home, folder = sys.argv[1:]
    {"train": train, "run": run}[what](Settings(home=Path(home)), Path(folder))
