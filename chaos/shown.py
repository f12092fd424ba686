"""What came of a storm, as tables and as one object."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from chaos.counting import Count
from chaos.storm import Storm

WIDTH: Final = 120
COLUMNS: Final = {
    "expected": "expected",
    "effects": "in the ERP",
    "lost": "lost",
    "doubled": "doubled",
    "unasked": "unasked",
    "reused": "permits reused",
    "gaps": "ledger gaps",
    "untold": "untold",
}


def as_dict(came: Storm) -> dict[str, Any]:
    """The storm as one object."""
    return {
        "seed": came.seed,
        "kills": came.killed,
        "by_kind": {database: dict(each) for database, each in came.kills.items()},
        "meanwhile": {database: dict(each) for database, each in came.troubles.items()},
        "counts": {database: asdict(each) for database, each in came.counts.items()},
        "troubles": [
            {
                "trouble": one.name,
                "happened": one.happened,
                "count": one.count and asdict(one.count),
                "clean": one.clean,
            }
            for one in came.single
        ],
        "problems": came.problems,
        "clean": came.clean,
        "seconds": round(came.seconds, 1),
    }


def print_table(console: Console, came: Storm) -> None:
    """Print it for a person."""
    kinds = Table("database", "kills", "of which", "meanwhile", box=None, pad_edge=False)
    for database, each in came.kills.items():
        meanwhile = ", ".join(f"{times} {what}" for what, times in sorted(came.troubles[database].items()))
        kinds.add_row(
            database, str(sum(each.values())), ", ".join(f"{n} {kind}" for kind, n in sorted(each.items())), meanwhile
        )
    console.print(kinds)
    console.print()
    counts = Table("", *COLUMNS.values(), "what was seen", box=None, pad_edge=False)
    for database, count in came.counts.items():
        counts.add_row(f"{database}, killed", *_cells(count), "")
    for one in came.single:
        cells = _cells(one.count) if one.count else ["-"] * len(COLUMNS)
        counts.add_row(one.name, *cells, one.happened, style="" if one.clean else "bold red")
    console.print(counts)
    for problem in came.problems:
        console.print(problem, style="bold red", markup=False)
    verdict = "Nothing was lost, doubled, used twice or left out." if came.clean else "SOMETHING WENT WRONG."
    console.print(f"\n{came.killed} kills in {came.seconds:.0f} s, seed {came.seed}. {verdict}")


def _cells(count: Count) -> list[str]:
    return [str(getattr(count, name)) for name in COLUMNS]
