"""The intervals that `precede tune --judgements` prints hold the truth as often as they promise.

A Northgate is linked once; a hundred samples, drawn by fixed seeds, are judged by its truth each. `make intervals` asks
the same of larger ones.
"""

from __future__ import annotations

from pathlib import Path

from tests.truth.coverage import held

RUNS = 100


def test_of_a_hundred_intervals_from_300_judgements_at_least_93_hold_the_truth(tmp_path: Path) -> None:
    for one in held(tmp_path, "B", records=2000, seed=3, runs=RUNS):
        assert one.enough, one
        assert 0 < one.precision_width < 0.1, one  # an interval of everything would hold too
        assert 0 < one.recall_width < 0.2, one
