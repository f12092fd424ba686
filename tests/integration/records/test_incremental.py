"""What is made again after a change comes to what is made at once: the same rows, whatever happened in the sources."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from examples.northgate.build import Targets, build
from examples.northgate.plan import Plan
from insight.sources.loading import load_sources
from orchestration.settings import PROJECT
from tests.effort import EFFORT
from tests.integration.records.histories import (
    History,
    Home,
    differences,
    in_layers,
    landed_as_layers,
    landed_at_once,
    untold,
)

SEEDS = range(1, 1 + EFFORT)
STEPS = 3
SOURCES = load_sources(PROJECT / "insight" / "sources")


@pytest.fixture(scope="module")
def northgate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("northgate") / "northgate"
    build(Plan(records=600), Targets(folder))
    return folder


@pytest.mark.law
@pytest.mark.parametrize("seed", SEEDS)
def test_records_made_step_by_step_are_those_made_at_once(
    seed: int, northgate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for system in ("CRM", "ERP", "SUPPORT"):
        monkeypatch.delenv(f"PRECEDE_{system}_URL", raising=False)
    luck = random.Random(seed)  # noqa: S311  luck, no secret
    history = History(tmp_path / "northgate", SOURCES, luck)
    for file in northgate.glob("*.db"):
        history.folder.mkdir(exist_ok=True)
        (history.folder / file.name).write_bytes(file.read_bytes())
    ours = Home.at(tmp_path / "ours")
    landed = landed_as_layers(
        landed_at_once(SOURCES, Home.at(tmp_path / "read-0").settings, tmp_path), [], tmp_path / "landing"
    )
    ours.make(SOURCES, landed)
    layered = 0
    for step in range(1, STEPS + 1):
        history.step(luck.choice([1, 1, 2, 5, 12]))
        theirs = Home.at(tmp_path / f"theirs-{step}")
        at_once = landed_at_once(SOURCES, theirs.settings, tmp_path)
        landed, before = landed_as_layers(at_once, landed, tmp_path / "landing"), ours.tables()
        ours.make(SOURCES, landed)
        theirs.make(SOURCES, at_once)
        for name, path in theirs.tables().items():
            assert differences(ours.tables()[name], path) == [], (name, history.told)
            assert untold(ours.tables()[name], before[name]) == [], (name, history.told)
            assert ours.tables()[name].parent.name == path.parent.name, (name, history.told)
        layered += in_layers(iter(ours.tables().values()))
    assert layered > 0
