"""`python -m chaos`: kill the processes of the action path at random points, and count what was lost.

It ends with 1 where an effect was lost or doubled, a permit used twice, or the ledger has a gap.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from chaos import shown
from chaos.storm import DATABASES, storm

app = typer.Typer(add_completion=False)
KILLS = 500


@app.command()
def main(
    *,
    kills: Annotated[int, typer.Option(min=1, help="At least so many kills, over both databases.")] = KILLS,
    seed: Annotated[int, typer.Option(help="What chance begins with; printed, so that a storm can be had again.")] = 0,
    only: Annotated[list[str] | None, typer.Option(help="sqlite or postgres; both.")] = None,
    as_object: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Kill, lock, fill and drop; then count."""
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="chaos-", ignore_cleanup_errors=True) as made:
        came = storm(Path(made), kills, seed, tuple(only or DATABASES), console.print)
    if as_object:
        sys.stdout.write(json.dumps(shown.as_dict(came), indent=2) + "\n")
    else:
        shown.print_table(Console(width=max(Console().width, shown.WIDTH)), came)
    raise typer.Exit(0 if came.clean else 1)


if __name__ == "__main__":
    app()
