"""Stores of tests: what the revisions made of the first is written down, and the others are made by that at once."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, text

from orchestration.store import migrate

REVISED: Final = migrate.to_head
"""Every revision, one after the other; what is tested itself in `tests/integration/store`."""
_made: list[str] = []


def at_once(connection: Connection, where: str) -> None:
    """As `migrate.to_head`; an empty SQLite store gets the tables that the revisions made in this process before."""
    if connection.dialect.name != "sqlite" or migrate.version(connection) is not None:
        REVISED(connection, where)
    elif _made:
        for statement in _made:
            connection.exec_driver_sql(statement)
    else:
        REVISED(connection, where)
        _made.extend(_statements(connection))


def _statements(connection: Connection) -> list[str]:
    """What makes the same store: its tables and indexes, and the one row that the revisions leave."""
    made = connection.execute(
        text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid")
    )
    return [*made.scalars(), f"INSERT INTO alembic_version VALUES ('{migrate.HEAD}')"]
