"""`python -m bench.gate`: how fast decisions, effects, traces and verification are at a company's size."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.gate import shown
from bench.gate.aims import aims
from bench.gate.company import company
from bench.gate.measure import measure
from orchestration.errors import PrecedeError

app = typer.Typer(add_completion=False)


@app.command()
def main(  # noqa: PLR0913  an option each
    *,
    entities: Annotated[int, typer.Option(min=100, help="Entities that the graph has, at least.")] = 100_000,
    policies: Annotated[int, typer.Option(min=20, help="Policies that each decision is made by.")] = 100,
    actions: Annotated[int, typer.Option(min=10, help="Actions to make, at least.")] = 100_000,
    folder: Annotated[
        Path | None,
        typer.Option(resolve_path=True, help="Where to work; the company that was made there before is used again."),
    ] = None,
    postgres: Annotated[
        str | None, typer.Option(help="URL of an empty Postgres database to make a tenth of the actions in too.")
    ] = None,
    as_object: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Measure the gate and the ledger."""
    console = Console(stderr=True)
    try:
        with tempfile.TemporaryDirectory(prefix="precede-bench-") as made:
            place = folder or Path(made)
            with console.status(f"Reconciling {entities:,} entities"):
                whose = company(place, entities, policies, actions)
            with console.status(f"Making {actions:,} actions"):
                measured = measure(whose, place, actions, postgres)
    except PrecedeError as error:
        console.print(str(error), style="red")
        raise typer.Exit(1) from error
    if as_object:
        sys.stdout.write(json.dumps(shown.as_dict(measured), indent=2) + "\n")
    else:
        shown.print_tables(Console(width=max(Console().width, shown.WIDTH)), measured)
    raise typer.Exit(any(aim.holds is False for aim in aims(measured)))


if __name__ == "__main__":
    app()
