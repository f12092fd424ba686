"""What tests of every kind share: how Hypothesis runs, and a real Postgres, started once where a test asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from hypothesis import settings

settings.register_profile(
    "precede", deadline=None, database=None
)  # a shared machine has no deadlines; no folder is left
settings.load_profile("precede")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a Postgres server of this session, with an empty database.

    Its folder is none of pytest's: another session that starts would take the server's own user's way into it.
    """
    with pytest.MonkeyPatch.context() as environment, TemporaryDirectory(prefix="precede-postgres-") as folder:
        environment.setenv("XDG_RUNTIME_DIR", folder)  # pgserver warns where there is none
        import pgserver  # noqa: PLC0415  reads the variable when imported

        server = pgserver.get_server(Path(folder, "data"), cleanup_mode="delete")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@pytest.fixture
def postgres_database(postgres_url: str, request: pytest.FixtureRequest) -> str:
    """The URL of an empty database on that server, for one test alone."""
    return new_database(postgres_url, request.node.nodeid)


def new_database(postgres_url: str, of: str) -> str:
    """Make an empty database on a server; its URL.

    Args:
        postgres_url: The server's.
        of: What it is for; the same name makes it anew.
    """
    name = f"test_{abs(hash(of)):x}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
    return postgres_url.replace("/postgres?", f"/{name}?")
