"""A real Postgres server for tests, attacks and whatever else needs one for a while."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg


@contextmanager
def postgres(at: Path | None = None) -> Iterator[str]:
    """The URL of a Postgres server of its own, with an empty database, for as long as the context lasts.

    Args:
        at: Where its data are to be; a folder that goes with it, where none is named. It is none of pytest's: another
            session that starts would take the server's own user's way into it.
    """
    with TemporaryDirectory(prefix="precede-postgres-") as made:
        folder = at or Path(made)
        before = os.environ.get("XDG_RUNTIME_DIR")
        os.environ["XDG_RUNTIME_DIR"] = str(folder)  # pgserver warns where there is none
        try:
            import pgserver  # noqa: PLC0415  reads the variable when imported

            server = pgserver.get_server(folder / "data", cleanup_mode="delete")
            try:
                yield server.get_uri()
            finally:
                server.cleanup()
        finally:
            if before is None:
                os.environ.pop("XDG_RUNTIME_DIR", None)
            else:
                os.environ["XDG_RUNTIME_DIR"] = before


def new_database(postgres_url: str, of: str, *, copied: str = "template1") -> str:
    """Make a database on a server; its URL.

    Args:
        postgres_url: The server's.
        of: What it is for; the same name makes it anew.
        copied: The name of the database that it is a copy of, which nobody may be using; an empty one by default.
    """
    name = f"test_{abs(hash(of)):x}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{copied}"')
    return postgres_url.replace("/postgres?", f"/{name}?")
