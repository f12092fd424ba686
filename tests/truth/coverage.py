"""`make intervals`: do the intervals of `precede tune --judgements` hold? Counted on Northgate.

One linkage of Northgate, many samples of 300 pairs, each judged by the truth: of how many samples the 95 % interval
holds the true precision and the true recall of that linkage. Exits with 1 where it is fewer than 93 of 100.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Annotated, Final, Literal, cast

import duckdb
import typer

from examples.northgate.build import build, in_home
from examples.northgate.plan import Plan
from insight.layers import rows
from insight.linkage.model import load_model
from insight.linkage.tuning.records import read_records, resolve
from insight.linkage.tuning.sample import SIZE, draw, estimated
from orchestration.settings import Settings

NEEDED: Final = 0.93
app = typer.Typer(add_completion=False)


@dataclass(frozen=True)
class Held:
    """Of `runs` samples, how many intervals held the truth, what it was, and how wide they were on average."""

    record_type: str
    runs: int
    precision: int
    recall: int
    true_precision: float
    true_recall: float
    precision_width: float
    recall_width: float

    @property
    def enough(self) -> bool:
        """Whether as many hold as are promised."""
        return min(self.precision, self.recall) >= NEEDED * self.runs


def held(home: Path, way: str, records: int, seed: int, runs: int) -> list[Held]:
    """How many intervals of `runs` samples hold the truth, for each record type.

    Args:
        home: An empty folder.
        way: Which way of making dirt.
        records: Northgate's size.
        seed: Northgate's seed.
        runs: How many samples.
    """
    settings = Settings(home=home / "home")
    targets = in_home(settings.home)
    build(Plan(records, seed, way=cast("Literal['A', 'B']", way)), targets)
    made = read_records(settings)
    models = {name: load_model(name) for name in ("organisation", "person")}
    resolved = resolve(made, models, settings, None)
    employer = resolved.entities["organisation"].table("crosswalk")
    found = []
    for name, model in models.items():
        crosswalk = resolved.entities[name].table("crosswalk")
        truth, clusters = _truth(targets.truth_folder / "truth.parquet", name), _clusters(crosswalk)
        known = {record: truth[record.split("#")[0]] for record in clusters if record.split("#")[0] in truth}
        right = _together(known, {record: clusters[record] for record in known})
        precision, recall = right[0] / max(right[1], 1), right[0] / max(right[2], 1)
        counts, widths = [0, 0], [0.0, 0.0]
        linked = replace(model, thresholds=replace(model.thresholds, accept=resolved.links[name].accept))
        for_people = employer if name == "person" else None
        for sample in draw(made.shapes[name], made.aliases, linked, crosswalk, for_people, SIZE, range(runs)):
            verdicts = {(a, b): known[a] == known[b] for a, b in sample.pairs if a in known and b in known}
            quality = estimated(sample, verdicts)
            for place, (one, true) in enumerate(((quality.precision, precision), (quality.recall, recall))):
                counts[place] += one.low <= true <= one.high
                widths[place] += (one.high - one.low) / runs
        found.append(Held(name, runs, counts[0], counts[1], precision, recall, widths[0], widths[1]))
    return found


def _truth(path: Path, record_type: str) -> dict[str, str]:
    with duckdb.connect() as con:
        record = "concat_ws(':', system, source_table, source_key)"
        query = f"SELECT {record}, entity FROM read_parquet(?) WHERE record_type = ?"
        return dict(con.execute(query, [str(path), record_type]).fetchall())


def _clusters(crosswalk: Path) -> dict[str, str]:
    with duckdb.connect() as con:
        return dict(con.execute(f"SELECT record_id, entity_id FROM {rows(crosswalk)}").fetchall())


def _together(truth: Mapping[str, str], clusters: Mapping[str, str]) -> tuple[int, int, int]:
    """Pairs that are rightly in one entity, pairs that are in one, and pairs that should be."""
    by_cluster: dict[str, list[str]] = {}
    by_truth: dict[str, list[str]] = {}
    for record, cluster in clusters.items():
        by_cluster.setdefault(cluster, []).append(record)
        by_truth.setdefault(truth[record], []).append(record)
    made = [pair for members in by_cluster.values() for pair in combinations(members, 2)]
    right = sum(truth[one] == truth[other] for one, other in made)
    return right, len(made), sum(len(members) * (len(members) - 1) // 2 for members in by_truth.values())


@app.command()
def main(
    *,
    records: Annotated[int, typer.Option(min=100, help="Northgate's size.")] = 6000,
    seed: Annotated[int, typer.Option(min=0, help="Northgate's seed.")] = 5,
    runs: Annotated[int, typer.Option(min=1, help="How many samples.")] = 100,
    dirt: Annotated[str, typer.Option(help="Which ways of making dirt.")] = "AB",
) -> None:
    """Count how many intervals hold the truth."""
    short = False
    for way in dirt:
        with tempfile.TemporaryDirectory(prefix="precede-coverage-") as home:
            for one in held(Path(home), way, records, seed, runs):
                sys.stdout.write(
                    f"dirt {way}, {one.record_type}: of {one.runs} intervals {one.precision} hold the precision"
                    f" ({one.true_precision:.4f}; {one.precision_width:.4f} wide on average),"
                    f" {one.recall} the recall ({one.true_recall:.4f}; {one.recall_width:.4f} wide)\n"
                )
                short |= not one.enough
    raise typer.Exit(short)


if __name__ == "__main__":
    app()
