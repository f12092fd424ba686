"""What the published graph must reach on Northgate, whichever way its dirt was made."""

from __future__ import annotations

from typing import Final

from tests.truth.metrics import Score

FLOORS: Final = {
    "organisation": {"pair_precision": 0.99, "b3_f1": 0.95},
    "person": {"pair_precision": 0.98, "b3_f1": 0.93},
}
"""Record type to the figures that have a floor."""


def shortfalls(way: str, record_type: str, reached: Score) -> list[str]:
    """One sentence for each figure of a record type that lies below its floor."""
    figures = reached.as_dict()
    return [
        f"dirt {way}, {record_type}: {figure} is {figures[figure]:.4f}; the floor is {floor}"
        for figure, floor in FLOORS[record_type].items()
        if figures[figure] < floor
    ]
