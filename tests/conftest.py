"""What tests of every kind share: how Hypothesis runs, and a real Postgres, started once where a test asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.serving import new_database, postgres

settings.register_profile(
    "precede", deadline=None, database=None
)  # a shared machine has no deadlines; no folder is left
settings.load_profile("precede")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a Postgres server of this session, with an empty database."""
    with postgres() as url:
        yield url


@pytest.fixture
def postgres_database(postgres_url: str, request: pytest.FixtureRequest) -> str:
    """The URL of an empty database on that server, for one test alone."""
    return new_database(postgres_url, request.node.nodeid)


__all__ = ["new_database"]
