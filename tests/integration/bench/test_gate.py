"""What `make bench-gate` measures, on the world of the gate's own tests: only its shape means anything there."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from bench.gate.actions import Made, Part
from bench.gate.aims import aims
from bench.gate.company import Company
from bench.gate.measure import Kept, Measured
from bench.gate.shown import as_dict
from orchestration.contracts import Pin
from orchestration.settings import Settings

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
PIN = Pin(asset_key="entity_graph", storage_id=7, run_id="run", data_version="snap_1")


def measured(home: Path, seconds: float) -> Measured:
    """A thousand actions, of which each part took that long."""
    part = Part(1000, seconds, seconds)
    return Measured(
        company=Company(Settings(home=home), 100_000, 100, PIN, NOW),
        made=Made(NOW, part, part, part),
        kept=Kept(1000, 3000, 50, seconds / 10, seconds / 20, part, part),
        run_seconds=3.0,
    )


def test_an_aim_holds_or_not_by_its_side_and_what_is_for_information_neither(tmp_path: Path) -> None:
    fast, slow = (
        {aim.name: aim.holds for aim in aims(measured(tmp_path, seconds)) if aim.holds is not None}
        for seconds in (0.1, 60.0)
    )
    assert set(fast.values()) == {True}
    assert set(slow.values()) == {False}
    assert len(fast) == len(slow) == 4


def test_the_object_tells_rates_aims_and_how_often_a_run_each_would_take_as_long(tmp_path: Path) -> None:
    told = as_dict(measured(tmp_path, 1.0))
    assert told["made"]["decide"]["rate"] == 1000
    assert told["dagster_run"] == 3.0
    ratio = next(aim for aim in told["aims"] if aim["unit"] == "x")
    assert (ratio["found"], ratio["holds"]) == (1500, None)
    assert [aim["holds"] for aim in told["aims"][:4]] == [False, True, True, True]
