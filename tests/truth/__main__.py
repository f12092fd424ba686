"""`python -m tests.truth`: how well the published graph resolves Northgate, beside plain Splink in the same run.

Exits with 1 where a figure lies below its floor (`floors.py`).
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from examples.northgate.plan import RECORDS, SEED
from orchestration.errors import PrecedeError
from tests.truth.floors import FLOORS, shortfalls
from tests.truth.metrics import Score
from tests.truth.resolve import resolve

app = typer.Typer(add_completion=False)


@app.command()
def main(
    *,
    records: Annotated[int, typer.Option(min=100, help="About how many organisation and person rows.")] = RECORDS,
    seed: Annotated[int, typer.Option(min=0, help="Northgate's seed.")] = SEED,
    dirt: Annotated[str, typer.Option(help="Which ways of making dirt.")] = "AB",
    as_object: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Build Northgate, publish its graph with the real job, and compare both with the truth."""
    console = Console(stderr=True)
    scores: dict[str, dict[str, dict[str, Score]]] = {}
    for way in dirt:
        begun = monotonic()
        try:
            with (
                console.status(f"Resolving Northgate with dirt {way}"),
                tempfile.TemporaryDirectory(prefix="precede-truth-") as home,
            ):
                scores[way] = resolve(Path(home), way, records, seed)
        except PrecedeError as error:
            console.print(str(error), style="red")
            raise typer.Exit(1) from error
        console.print(f"Northgate with dirt {way}: {monotonic() - begun:.0f} s")
    below = [
        sentence
        for way, types in scores.items()
        for record_type, reached in types.items()
        for sentence in shortfalls(way, record_type, reached["precede"])
    ]
    if as_object:
        sys.stdout.write(json.dumps(_as_object(scores, below), indent=2) + "\n")
    else:
        for way, types in scores.items():
            Console().print(_table(way, types))
        for sentence in below:
            console.print(sentence, style="red")
    raise typer.Exit(bool(below))


def _as_object(scores: dict[str, dict[str, dict[str, Score]]], below: list[str]) -> dict[str, object]:
    figures = {
        way: {
            record_type: {who: score.as_dict() for who, score in reached.items()}
            for record_type, reached in types.items()
        }
        for way, types in scores.items()
    }
    return {"scores": figures, "floors": FLOORS, "below": below, "ok": not below}


def _table(way: str, types: dict[str, dict[str, Score]]) -> Table:
    table = Table(
        title=f"Northgate, dirt {way}", caption="P, R, F1: pairwise; B³: B-cubed", box=None, padding=(0, 1, 0, 0)
    )
    for column in ("records", "", "by"):
        table.add_column(column, no_wrap=True, justify="right" if column == "records" else "left")
    for column in ("P", "R", "F1", "B³ P", "B³ R", "B³ F1"):
        table.add_column(column, no_wrap=True, justify="right")
    for record_type, reached in types.items():
        for who, score in reached.items():
            figures = (
                score.pair_precision, score.pair_recall, score.pair_f1,
                score.b3_precision, score.b3_recall, score.b3_f1,
            )  # fmt: skip
            table.add_row(f"{score.records:,}", record_type, who, *(f"{figure:.4f}" for figure in figures))
    return table


if __name__ == "__main__":
    app()
