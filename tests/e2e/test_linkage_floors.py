"""The short form of `make truth`: a small Northgate that no figure was chosen on, through the job that users run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.truth.__main__ import report
from tests.truth.floors import shortfalls
from tests.truth.northgate import northgate

RECORDS, SEED = 2000, 23


@pytest.mark.parametrize("way", ["A", "B"])
def test_the_published_graph_reaches_its_floors_and_beats_plain_splink(way: str, tmp_path: Path) -> None:
    made = report(northgate(RECORDS, way, SEED), tmp_path)

    assert shortfalls(made) == []
    assert made.allows is not None
    assert made.allows.unsafe.of > 0
    assert made.allows.unsafe.count == 0
    assert made.allows.lost.value < 0.25
