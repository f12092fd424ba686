from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.settings import Settings
from orchestration.store.engine import open_store
from tests.integration.gate.world import World


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Three debtors, published."""
    monkeypatch.delenv("PRECEDE_STORE_URL", raising=False)
    settings = Settings(home=tmp_path / "home")
    store = open_store(settings)
    world = World(settings.home, store)
    world.publish()
    yield world
    store.close()
