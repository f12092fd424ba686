"""What tests of every kind share: how Hypothesis runs, and a real Postgres, started once where a test asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import duckdb
import pytest
from hypothesis import settings

from orchestration.settings import Settings
from orchestration.store import migrate
from orchestration.store.engine import open_store
from tests.revisions import at_once
from tests.serving import new_database, postgres

settings.register_profile(
    "precede", deadline=None, database=None
)  # a shared machine has no deadlines; no folder is left
settings.load_profile("precede")


@pytest.fixture(scope="session", autouse=True)
def _a_thread_each() -> Iterator[None]:
    """DuckDB in tests has one thread: their tables are small, and other tests run on the other cores."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duckdb, "connect", partial(_connected, duckdb.connect))
        yield


@pytest.fixture(scope="session", autouse=True)
def _revised_once() -> Iterator[None]:
    """Most tests make a store of their own; to apply every revision to each would take longer than the test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrate, "to_head", at_once)
        yield


def _connected(connect: Callable[..., duckdb.DuckDBPyConnection], *given: Any, **named: Any) -> Any:
    named["config"] = {"threads": 1, **(named.get("config") or {})}
    return connect(*given, **named)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a Postgres server of this session, with an empty database."""
    with postgres() as url:
        yield url


@pytest.fixture
def postgres_database(postgres_url: str, request: pytest.FixtureRequest) -> str:
    """The URL of an empty database on that server, for one test alone."""
    return new_database(postgres_url, request.node.nodeid)


@pytest.fixture(scope="session")
def postgres_revised(postgres_url: str) -> str:
    """What a database with an empty store is called, which others are copies of."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PRECEDE_STORE_URL", new_database(postgres_url, "revised"))
        store = open_store(Settings())
    name = str(store.url.database)
    store.close()
    return name


@pytest.fixture
def postgres_store(postgres_url: str, postgres_revised: str, request: pytest.FixtureRequest) -> str:
    """The URL of a database with an empty store, for one test alone."""
    return new_database(postgres_url, request.node.nodeid, copied=postgres_revised)


__all__ = ["new_database"]
