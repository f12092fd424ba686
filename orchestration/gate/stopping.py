"""Stopping an agent and letting it go on: from the next transaction on, nothing of it is decided or performed."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import delete, insert

from orchestration.ledger.chain import append
from orchestration.store.engine import Store
from orchestration.store.tables import agent_state

STOPPED: Final = "agent_stopped"
STARTED: Final = "agent_started"


def stop(store: Store, agent: str, reason: str, *, now: datetime) -> None:
    """Stop an agent. Permits that it holds are void as long as it is stopped; effects in the outbox are delivered."""
    with store.begin() as connection:
        connection.execute(delete(agent_state).where(agent_state.c.agent == agent))
        connection.execute(insert(agent_state).values(agent=agent, stopped_at=now, reason=reason))
        append(connection, STOPPED, {"agent": agent}, at=now, payload={"reason": reason})


def start(store: Store, agent: str, *, now: datetime) -> None:
    """Let an agent go on."""
    with store.begin() as connection:
        connection.execute(delete(agent_state).where(agent_state.c.agent == agent))
        append(connection, STARTED, {"agent": agent}, at=now)
