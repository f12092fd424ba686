"""`python -m attack`: make every attack there is, and print what was expected of each and what was seen.

It ends with 1 where one succeeded. An attack that cannot be made here, for want of a Postgres say, is told as skipped.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from attack.every import ATTACKS
from attack.ground import Grounds
from attack.suite import Attack, Result, run_all

app = typer.Typer(add_completion=False)
WIDTH = 150


@app.command()
def main(
    *,
    only: Annotated[
        list[str] | None, typer.Option(help="Names or patterns such as ledger/*; every one of them.")
    ] = None,
    quick: Annotated[bool, typer.Option(help="Only those that the tests make too.")] = False,
    as_object: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Make the attacks, and fail where one succeeds."""
    chosen = [attack for attack in ATTACKS if _chosen(attack, only or ["*"], quick=quick)]
    if not chosen:
        Console(stderr=True).print("No attack is called that; see `python -m attack --json` for all of them.")
        raise typer.Exit(2)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="precede-attack-") as made, Grounds(Path(made)) as grounds:
        results = list(_watched(run_all(chosen, grounds), len(chosen)))
    seconds = time.monotonic() - started
    if as_object:
        sys.stdout.write(json.dumps(as_dict(results, seconds), indent=2) + "\n")
    else:
        _print(results, seconds)
    raise typer.Exit(1 if any(result.held is False for result in results) else 0)


def as_dict(results: list[Result], seconds: float) -> dict[str, Any]:
    """The results as one object."""
    return {
        "attacks": [
            {
                "attack": result.attack.name,
                "told": result.attack.told,
                "expected": result.attack.expected,
                "seen": result.seen,
                "held": result.held,
                "seconds": round(result.seconds, 2),
            }
            for result in results
        ],
        **_counts(results),
        "seconds": round(seconds, 1),
    }


def _counts(results: list[Result]) -> dict[str, int]:
    return {
        "made": sum(result.held is not None for result in results),
        "succeeded": sum(result.held is False for result in results),
        "skipped": sum(result.held is None for result in results),
    }


def _chosen(attack: Attack, patterns: list[str], *, quick: bool) -> bool:
    return (attack.quick or not quick) and any(fnmatch(attack.name, pattern) for pattern in patterns)


def _watched(results: Any, count: int) -> Any:
    console = Console(stderr=True)
    with console.status("") as status:
        for number, result in enumerate(results, start=1):
            status.update(f"{number} of {count}: {escape(result.attack.name)}")
            yield result


def _print(results: list[Result], seconds: float) -> None:
    console = Console(width=max(Console().width, WIDTH))
    table = Table("attack", "what is tried", "expected", "seen", box=None, pad_edge=False)
    for result in results:
        colour = {True: "", False: "bold red", None: "yellow"}[result.held]
        seen = result.seen if result.held is not False else f"SUCCEEDED {result.seen}"
        told = (result.attack.name, result.attack.told, result.attack.expected, seen[:200])
        table.add_row(*(escape(each) for each in told), style=colour)
    console.print(table)
    counts = _counts(results)
    came = f"{counts['succeeded']} succeeded, {counts['skipped']} skipped"
    console.print(f"\n{counts['made']} attacks made in {seconds:.0f} s: {came}.")


if __name__ == "__main__":
    app()
