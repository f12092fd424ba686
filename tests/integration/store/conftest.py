from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.settings import Settings
from orchestration.store import migrate
from tests.revisions import REVISED


@pytest.fixture(autouse=True)
def _every_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here stores are made as everybody's are."""
    monkeypatch.setattr(migrate, "to_head", REVISED)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An empty home whose store is a SQLite file."""
    monkeypatch.delenv("PRECEDE_STORE_URL", raising=False)
    return Settings(home=tmp_path / "home")


@pytest.fixture(params=["sqlite", "postgres"])
def either(request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The same, and once more on Postgres."""
    if request.param == "postgres":
        monkeypatch.setenv("PRECEDE_STORE_URL", request.getfixturevalue("postgres_database"))
    return settings
