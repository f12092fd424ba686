"""The short form of `make truth`: a small Northgate that no figure was chosen on, through the job that users run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.truth.floors import shortfalls
from tests.truth.resolve import resolve

RECORDS, SEED = 2000, 23


@pytest.mark.parametrize("way", ["A", "B"])
def test_the_published_graph_reaches_its_floors_and_beats_plain_splink(way: str, tmp_path: Path) -> None:
    scores = resolve(tmp_path, way, RECORDS, SEED)

    assert [
        sentence for kind, reached in scores.items() for sentence in shortfalls(way, kind, reached["precede"])
    ] == []
    assert all(reached["precede"].b3_f1 > reached["plain Splink"].b3_f1 for reached in scores.values())
