"""Who may not act for now, and what people are told of it."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from orchestration.store.tables.base import UtcDateTime, json_column, metadata

# one registered agent's state; no row means it runs
agent_state = Table(
    "agent_state",
    metadata,
    Column("agent", String(64), primary_key=True),
    Column("stopped_at", UtcDateTime),
    Column("reason", Text, nullable=False, server_default=""),
)


# one thing that people are told by the hook, written in the transaction in which it came to be
notification = Table(
    "notification",
    metadata,
    Column("notification_id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(32), nullable=False),
    json_column("body", nullable=False),  # ids, codes and counts, and what an operator said
    Column("created_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_at", UtcDateTime, nullable=False),  # not to be tried before that
    Column("sent_at", UtcDateTime),
    Column("error", Text, nullable=False, server_default=""),  # why the last attempt failed
    Index("unsent_notifications", "sent_at", "next_at"),
)
