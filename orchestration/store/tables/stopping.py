"""Who may not act for now."""

from __future__ import annotations

from sqlalchemy import Column, String, Table, Text

from orchestration.store.tables.base import UtcDateTime, metadata

# one registered agent's state; no row means it runs
agent_state = Table(
    "agent_state",
    metadata,
    Column("agent", String(64), primary_key=True),
    Column("stopped_at", UtcDateTime),
    Column("reason", Text, nullable=False, server_default=""),
)
