from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest

from orchestration.settings import Settings
from orchestration.store.engine import Store, open_store
from tests.integration.gate.world import World


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with three debtors, published; tests work on copies of it."""
    home = tmp_path_factory.mktemp("published") / "home"
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("PRECEDE_STORE_URL", raising=False)
        store = open_store(Settings(home=home))
        World(home, store).publish()
        store.close()
    return home


@pytest.fixture
def world(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Three debtors, published."""
    monkeypatch.delenv("PRECEDE_STORE_URL", raising=False)
    home = Path(copytree(published, tmp_path / "home"))
    store = open_store(Settings(home=home))
    yield World(home, store, published=1)
    store.close()


@pytest.fixture(scope="session")
def reminded(published: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The same home with a reminder sent to each of them, and the actions; tests work on copies of it."""
    home = Path(copytree(published, tmp_path_factory.mktemp("reminded") / "home"))
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("PRECEDE_STORE_URL", raising=False)
        store = open_store(Settings(home=home))
        actions = World(home, store, published=1).remind()
        store.close()
    return home, actions


@pytest.fixture
def reminding(reminded: tuple[Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Three debtors who were sent a reminder each."""
    monkeypatch.delenv("PRECEDE_STORE_URL", raising=False)
    home = Path(copytree(reminded[0], tmp_path / "home"))
    store = open_store(Settings(home=home))
    yield World(home, store, published=1)
    store.close()


@pytest.fixture(params=["sqlite", "postgres"])
def either_world(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The same with its store in SQLite, and once more in Postgres."""
    if request.param == "postgres":
        monkeypatch.setenv("PRECEDE_STORE_URL", request.getfixturevalue("postgres_database"))
    else:
        monkeypatch.delenv("PRECEDE_STORE_URL", raising=False)
    store: Store = open_store(Settings(home=tmp_path / "home"))
    world = World(tmp_path / "home", store)
    world.publish()
    yield world
    store.close()
