"""What must be reached, by what is judged: figures below these fail `make truth` and the short form in the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.truth.metrics import Score
    from tests.truth.trust import Trust

NORTHGATE: Final = {
    "organisation": {"pair_precision": 0.99, "b3_f1": 0.95},
    "person": {"pair_precision": 0.98, "b3_f1": 0.93},
}
"""Record type to the figures that have a floor, whatever the size, the dirt and the seed."""

LISTS: Final = {
    "senzing-truthset": {"pair_precision": 0.9, "pair_f1": 0.6},
    "early-childhood-sites": {"pair_precision": 0.85, "pair_f1": 0.75},
}
"""Set to the figures that have a floor."""


def floors(name: str, judged: str) -> dict[str, float]:
    """The floors of a set and of what is judged in it."""
    return dict(NORTHGATE[judged] if name.startswith("Northgate") else LISTS.get(name, {}))


def shortfalls(name: str, judged: str, score: Score, trust: Trust | None) -> list[str]:
    """One sentence for each figure that lies below its floor."""
    figures = score.as_dict()
    if trust is not None:
        figures |= {"wrong_merge": trust.wrong_merges.value, "coverage": trust.covered.value}
    return [
        f"{name}, {judged}: {figure} is {figures[figure]:.4f}; the floor is {floor}"
        for figure, floor in floors(name, judged).items()
        if figures[figure] < floor
    ]
