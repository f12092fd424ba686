"""Stopping an agent and letting it go on: from the next transaction on, nothing of it is decided or performed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from orchestration.identity.credentials import revoke
from orchestration.ledger import entries
from orchestration.store.engine import Store
from orchestration.store.tables import agent_state


def stop(store: Store, agent: str, reason: str, *, operator: str, now: datetime) -> None:
    """Stop an agent and revoke its credentials.

    Permits that it holds are void as long as it is stopped; effects in the outbox are delivered.

    Args:
        store: The coordinator's store.
        agent: The agent's name.
        reason: Why; every denial that comes of it says so.
        operator: Who stops it.
        now: When.
    """
    with store.begin() as connection:
        connection.execute(delete(agent_state).where(agent_state.c.agent == agent))
        connection.execute(insert(agent_state).values(agent=agent, stopped_at=now, reason=reason))
        entries.agent_stopped(connection, agent, reason, operator, at=now)
        revoke(connection, agent, now)


def start(store: Store, agent: str, reason: str, *, operator: str, now: datetime) -> None:
    """Let an agent go on, and record why and who says so."""
    with store.begin() as connection:
        connection.execute(delete(agent_state).where(agent_state.c.agent == agent))
        entries.agent_started(connection, agent, reason, operator, at=now)


def stopped(connection: Connection) -> dict[str, str]:
    """Every agent that is stopped, and why."""
    rows = connection.execute(select(agent_state).where(agent_state.c.stopped_at.is_not(None)))
    return {row.agent: row.reason for row in rows}
