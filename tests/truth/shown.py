"""What `make truth` prints, as tables and as one object."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table

from tests.truth.allows import Allows
from tests.truth.floors import floors

if TYPE_CHECKING:
    from rich.console import Console, JustifyMethod

    from tests.truth.allows import Case
    from tests.truth.interval import Share
    from tests.truth.run import Figures


WIDTH: Final = 132
"""Columns that the tables take."""


@dataclass(frozen=True)
class Report:
    """What became of one set.

    Attributes:
        name: The set.
        of: What it has in common with the sets whose asks are also taken together.
        figures: What is judged together, to who resolved it, to how well.
        allows: What it does to an action type, where agents act on the set.
    """

    name: str
    of: str
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
        "together": {name: found.as_dict() for name, found in pooled(reports).items()},
        "below": list(below),
        "ok": not below,
    }


def pooled(reports: Sequence[Report]) -> dict[str, Allows]:
    """The asks of all sets that begin alike, such as Northgate of one size with either dirt and any seed, together."""
    acting = [report for report in reports if report.allows is not None]
    alike: dict[str, list[Case]] = {}
    for report in acting:
        alike.setdefault(report.of, []).extend(report.allows.cases if report.allows else ())
    return {
        f"{name}, together": Allows(cases)
        for name, cases in alike.items()
        if sum(report.of == name for report in acting) > 1
    }


def print_tables(console: Console, reports: Sequence[Report]) -> None:
    """The table of figures, and that of asks where there are any."""
    console.print(_scores(reports))
    acting = {report.name: report.allows for report in reports if report.allows is not None}
    if acting:
        console.print(_asks(acting | pooled(reports)))


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


def _asks(acting: Mapping[str, Allows]) -> Table:
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
        side: JustifyMethod = "left" if column in {"set", "lost for"} else "right"
        table.add_column(column, no_wrap=column != "lost for", justify=side)
    for name, found in acting.items():
        reasons = ", ".join(f"{code} {count}" for code, count in list(found.lost_for.items())[:4])
        table.add_row(name, f"{len(found.cases):,}", _interval(found.unsafe), _interval(found.lost), reasons)
    return table


def _interval(share: Share) -> str:
    return f"{share.count:,} of {share.of:,} = {share.value:.2%} ({share.low:.2%} to {share.high:.2%})"
