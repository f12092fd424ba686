"""`python -m bench`: how long reconciling takes and what it holds, beside plain Splink over the same records.

One run: Northgate of a tenth of the size, then of the whole size with plain Splink over its records, then some changed
rows. Dagster's start is told apart from everything else.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench import shown
from bench.aims import Bench, aims
from bench.reconcile import Size, measure
from orchestration.errors import PrecedeError

app = typer.Typer(add_completion=False)
RECORDS = 1_000_000
CHANGES = 1_000
SMALLER = 10
"""The other size is this many times smaller."""


@app.command()
def main(
    *,
    records: Annotated[int, typer.Option(min=1000, help="About how many records Northgate has.")] = RECORDS,
    changes: Annotated[int, typer.Option(min=10, help="Rows to change after the first graph.")] = CHANGES,
    folder: Annotated[
        Path | None,
        typer.Option(
            resolve_path=True, help="Where to work and leave what was made; Northgate's databases there are used again."
        ),
    ] = None,
    as_object: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Measure reconciling at a size and at a tenth of it."""
    console = Console(stderr=True)
    try:
        with tempfile.TemporaryDirectory(prefix="precede-bench-") as made:
            place = folder or Path(made)
            small = _measured(console, records // SMALLER, place / "small", changes=0)
            size = _measured(console, records, place / "size", changes=changes)
    except PrecedeError as error:
        console.print(str(error), style="red")
        raise typer.Exit(1) from error
    bench = Bench(small, size)
    if as_object:
        sys.stdout.write(json.dumps(shown.as_dict(bench), indent=2) + "\n")
    else:
        shown.print_tables(Console(width=max(Console().width, shown.WIDTH)), bench)
    raise typer.Exit(not all(aim.reached for aim in aims(bench)))


def _measured(console: Console, records: int, folder: Path, *, changes: int) -> Size:
    with console.status(f"Reconciling {records:,} records"):
        return measure(records, folder, changes=changes, plain=changes > 0)


if __name__ == "__main__":
    app()
