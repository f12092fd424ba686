from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import psycopg
import pytest
from sqlalchemy import make_url

from orchestration.settings import PROJECT, Settings
from orchestration.store.engine import open_store
from tests.integration.gate.world import World
from tests.serving import new_database


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


@pytest.fixture(scope="session")
def published_in_postgres(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The same with its store in Postgres, and what that database is called; tests work on copies of both.

    The coordinator's role may there do what `deploy/sql/store.sql` grants it.
    """
    home, url = tmp_path_factory.mktemp("published") / "home", new_database(postgres_url, "published")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PRECEDE_STORE_URL", url)
        store = open_store(Settings(home=home))
        World(home, store).publish()
        store.close()
    with psycopg.connect(url, autocommit=True) as database:
        for role in ("precede_coordinator", "precede_insight"):
            if not database.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchall():
                database.execute(f"CREATE ROLE {role} LOGIN".encode())
        database.execute((PROJECT / "deploy" / "sql" / "store.sql").read_bytes())
    return home, str(make_url(url).database)


@pytest.fixture(params=["sqlite", "postgres"])
def either_world(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The same with its store in SQLite, and once more in Postgres, as the role that the coordinator has there."""
    if request.param == "postgres":
        published, database = request.getfixturevalue("published_in_postgres")
        url = new_database(request.getfixturevalue("postgres_url"), request.node.nodeid, copied=database)
        monkeypatch.setenv("PRECEDE_STORE_URL", url.replace("//postgres:", "//precede_coordinator:"))
    else:
        published = request.getfixturevalue("published")
        monkeypatch.delenv("PRECEDE_STORE_URL", raising=False)
    home = Path(copytree(published, tmp_path / "home"))
    store = open_store(Settings(home=home))
    yield World(home, store, published=1)
    store.close()
