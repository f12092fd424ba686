from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.settings import Settings
from orchestration.store.engine import Store, open_store
from tests.conftest import new_database
from tests.integration.ledger import story


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store in a SQLite file."""
    monkeypatch.delenv("PRECEDE_STORE_URL", raising=False)
    return open_store(Settings(home=tmp_path / "home"))


@pytest.fixture(params=["sqlite", "postgres"])
def either(request: pytest.FixtureRequest, store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The same, and once more on Postgres."""
    if request.param == "sqlite":
        return store
    monkeypatch.setenv("PRECEDE_STORE_URL", request.getfixturevalue("postgres_store"))
    return open_store(Settings())


@pytest.fixture
def told(either: Store) -> Store:
    """A store with a whole story in it, recorded as it happened."""
    story.tell(either)
    return either


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def settled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The same story, told once for a whole module of tests that undo what they edit."""
    home = tmp_path_factory.mktemp("story")
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("PRECEDE_STORE_URL", raising=False)
        if request.param == "postgres":
            server, revised = (request.getfixturevalue(f"postgres_{name}") for name in ("url", "revised"))
            url = new_database(server, str(home), copied=revised)
            environment.setenv("PRECEDE_STORE_URL", url)
        store = open_store(Settings(home=home))
    story.tell(store)
    return store


@pytest.fixture(scope="module")
def settled_file(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The same in a SQLite file, which takes any value in any column and any key while a transaction lasts."""
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("PRECEDE_STORE_URL", raising=False)
        store = open_store(Settings(home=tmp_path_factory.mktemp("file")))
    story.tell(store)
    return store
