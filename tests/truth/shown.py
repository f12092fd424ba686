"""What `make truth` prints, as tables and as one object."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table

from tests.truth.floors import floors

if TYPE_CHECKING:
    from rich.console import Console

    from tests.truth.allows import Allows
    from tests.truth.interval import Share
    from tests.truth.run import Figures


WIDTH: Final = 132
"""Columns that the tables take."""


@dataclass(frozen=True)
class Report:
    """What became of one set.

    Attributes:
        name: The set.
        figures: What is judged together, to who resolved it, to how well.
        allows: What it does to an action type, where agents act on the set.
    """

    name: str
    figures: Mapping[str, Mapping[str, Figures]]
    allows: Allows | None


def slug(name: str) -> str:
    """The name of a set as a folder's."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower())


def as_dict(reports: Sequence[Report], below: Sequence[str]) -> dict[str, Any]:
    """Everything, as one object."""
    return {
        "sets": {
            report.name: {
                "figures": {
                    judged: {
                        who: each.score.as_dict()
                        | {"seconds": each.seconds}
                        | (each.trust.as_dict() if each.trust else {})
                        for who, each in reached.items()
                    }
                    for judged, reached in report.figures.items()
                },
                "floors": {judged: floors(report.name, judged) for judged in report.figures},
                "allows": report.allows.as_dict() if report.allows else None,
            }
            for report in reports
        },
        "below": list(below),
        "ok": not below,
    }


def print_tables(console: Console, reports: Sequence[Report]) -> None:
    """The table of figures, and that of asks where there are any."""
    console.print(_scores(reports))
    acting = [report for report in reports if report.allows is not None]
    if acting:
        console.print(_asks(acting))


def _scores(reports: Sequence[Report]) -> Table:
    table = Table(
        title="Labelled sets",
        caption=(
            "P, R, F1 of pairs; B³: B-cubed F1; wrong: of entities with standing and several records, those with "
            "records of more than one true entity; whole: of true entities of several records, those that come out "
            "whole with standing; seconds: sources to published graph, or plain Splink trained, predicted and clustered"
        ),
        box=None,
        padding=(0, 1, 0, 0),
    )
    for column in ("set", "", "by"):
        table.add_column(column, no_wrap=True)
    for column in ("records", "P", "R", "F1", "B³", "wrong", "whole", "seconds"):
        table.add_column(column, no_wrap=True, justify="right")
    for report in reports:
        for judged, reached in report.figures.items():
            for who, each in reached.items():
                score, trust = each.score, each.trust
                table.add_row(
                    report.name,
                    judged,
                    who,
                    f"{score.records:,}",
                    *(
                        f"{figure:.4f}"
                        for figure in (score.pair_precision, score.pair_recall, score.pair_f1, score.b3_f1)
                    ),
                    f"{trust.wrong_merges.value:.2%}" if trust else "",
                    f"{trust.covered.value:.1%}" if trust else "",
                    f"{each.seconds:.0f}",
                )
    return table


def _asks(reports: Sequence[Report]) -> Table:
    table = Table(
        title="Reminders that the gate would allow",
        caption=(
            "unsafe: of the asks allowed on the linked graph, those refused on the true one or resting on records of "
            "someone else; lost: of the asks allowed on the true graph, those refused on the linked one; "
            "95 % intervals of Clopper and Pearson"
        ),
        box=None,
        padding=(0, 2, 0, 0),
    )
    for column in ("set", "asks", "unsafe", "lost", "lost for"):
        table.add_column(
            column, no_wrap=column != "lost for", justify="left" if column in {"set", "lost for"} else "right"
        )
    for report in reports:
        if report.allows is not None:
            reasons = ", ".join(f"{code} {count}" for code, count in list(report.allows.lost_for.items())[:4])
            table.add_row(
                report.name,
                f"{len(report.allows.cases):,}",
                _interval(report.allows.unsafe),
                _interval(report.allows.lost),
                reasons,
            )
    return table


def _interval(share: Share) -> str:
    return f"{share.count:,} of {share.of:,} = {share.value:.2%} ({share.low:.2%} to {share.high:.2%})"
