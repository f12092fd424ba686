"""`python -m tests.truth`: how well the published graph resolves every labelled set, beside plain Splink.

Exits with 1 where a figure lies below its floor (`floors.py`).
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from examples.northgate.plan import RECORDS, SEED
from orchestration.errors import PrecedeError
from tests.truth import shown
from tests.truth.allows import allows
from tests.truth.floors import shortfalls
from tests.truth.lists import lists
from tests.truth.northgate import northgate
from tests.truth.run import run
from tests.truth.shown import Report
from tests.truth.true_graph import true_graph

if TYPE_CHECKING:
    from tests.truth.labelled import Labelled

app = typer.Typer(add_completion=False)


@app.command()
def main(  # noqa: PLR0913  an option each
    *,
    sizes: Annotated[str, typer.Option(help="Sizes of Northgate, with commas between them; empty for none.")] = str(
        RECORDS
    ),
    dirt: Annotated[str, typer.Option(help="Northgate's ways of making dirt.")] = "AB",
    seeds: Annotated[str, typer.Option(help="Northgate's seeds, with commas between them.")] = str(SEED),
    sets: Annotated[str, typer.Option(help="Words in the names of the sets to run; all by default.")] = "",
    keep: Annotated[
        Path | None,
        typer.Option(resolve_path=True, help="Where to keep what was made; it is thrown away by default."),
    ] = None,
    as_object: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Run every labelled set through the real job, and compare the published graph and plain Splink with the truth."""
    console = Console(stderr=True)
    chosen = [
        northgate(int(size), way, int(seed)) for size in _split(sizes) for way in dirt for seed in _split(seeds)
    ] + lists()
    words = [word.lower() for word in _split(sets)]
    chosen = [one for one in chosen if not words or any(word in one.name.lower() for word in words)]
    reports = []
    for one in chosen:
        if sentence := one.missing():
            console.print(sentence, style="yellow")
            continue
        try:
            with console.status(f"Resolving {one.name}"), tempfile.TemporaryDirectory(prefix="precede-truth-") as made:
                reports.append(report(one, keep / shown.slug(one.name) if keep else Path(made)))
        except PrecedeError as error:
            console.print(f"{one.name}: {error}", style="red")
            raise typer.Exit(1) from error
    below = [sentence for each in reports for sentence in shortfalls(each)]
    if as_object:
        sys.stdout.write(json.dumps(shown.as_dict(reports, below), indent=2) + "\n")
    else:
        shown.print_tables(Console(width=max(Console().width, shown.WIDTH)), reports)
        for sentence in below:
            console.print(sentence, style="red")
    raise typer.Exit(bool(below))


def report(chosen: Labelled, folder: Path) -> Report:
    """Run a set in an empty folder, and put its asks to the graph and to the truth where agents act on it."""
    ran = run(chosen, folder)
    if chosen.acts is None:
        return Report(chosen.name, chosen.of, ran.figures, None)
    perfect = true_graph(ran.settings, ran.prepared.truths, folder / "true")
    found = allows(ran.settings, perfect, ran.prepared.truths, chosen.acts)
    return Report(chosen.name, chosen.of, ran.figures, found)


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.replace("_", "").split(",") if part.strip()]


if __name__ == "__main__":
    app()
