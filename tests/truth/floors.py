"""What must be reached: figures beyond these bounds fail `make truth` and its short form in the tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from tests.truth.shown import Report

Found = TypeVar("Found")
Otherwise = TypeVar("Otherwise")

LEAST: Final[Mapping[str, Mapping[str, Mapping[str, float]]]] = {
    "Northgate": {
        "organisation": {"pair_precision": 0.99, "b3_f1": 0.95},
        "person": {"pair_precision": 0.98, "b3_f1": 0.93},
    },
    "senzing-truthset": {"all": {"pair_precision": 0.9, "pair_f1": 0.75}},
    "FEBRL 1": {"all": {"pair_precision": 0.999, "pair_f1": 0.99}},
    "FEBRL 2": {"all": {"pair_precision": 0.999, "pair_f1": 0.998}},
    "FEBRL 3": {"all": {"pair_precision": 0.999, "pair_f1": 0.95}},
    "FEBRL 4": {"all": {"pair_precision": 0.999, "pair_f1": 0.997}},
    "historical-people": {"all": {"pair_precision": 0.99, "pair_f1": 0.75}},
    "early-childhood-sites": {"all": {"pair_precision": 0.9, "pair_f1": 0.89}},
}
"""The first words of a set's name, to what is judged, to the least of a figure."""

MOST: Final[Mapping[str, Mapping[str, float]]] = {
    "Northgate": {"unsafe": 0.03, "lost": 0.2},
}
"""The first words of a set's name, to the most of a figure of its asks."""

BESIDE_PLAIN: Final[Mapping[str, float]] = {"Northgate": 0.0}
"""The first words of a set's name, to how far its B-cubed F1 must be above plain Splink's in the same run."""


def floors(name: str, judged: str) -> dict[str, float]:
    """The floors of a set and of what is judged in it."""
    return dict(_of(LEAST, name, {}).get(judged, {}))


def shortfalls(report: Report) -> list[str]:
    """One sentence for each figure of a set that lies beyond its bound."""
    found = []
    for judged, reached in report.figures.items():
        figures = reached["precede"].score.as_dict()
        found += [
            f"{report.name}, {judged}: {figure} is {figures[figure]:.4f}; the floor is {floor}"
            for figure, floor in floors(report.name, judged).items()
            if figures[figure] < floor
        ]
        margin = _of(BESIDE_PLAIN, report.name, None)
        plain = reached["plain Splink"].score.b3_f1
        if margin is not None and figures["b3_f1"] < plain + margin:
            found.append(
                f"{report.name}, {judged}: b3_f1 is {figures['b3_f1']:.4f}; plain Splink's is {plain:.4f} in the same "
                f"run, and {margin} more is the floor"
            )
    if report.allows is not None:
        shares = {"unsafe": report.allows.unsafe, "lost": report.allows.lost}
        found += [
            f"{report.name}: {shares[figure].value:.2%} of {shares[figure].of:,} allows {figure}, at most {most:.1%}"
            for figure, most in _of(MOST, report.name, {}).items()
            if shares[figure].value > most
        ]
    return found


def _of(bounds: Mapping[str, Found], name: str, otherwise: Otherwise) -> Found | Otherwise:
    return next((bound for words, bound in bounds.items() if name.startswith(words)), otherwise)
