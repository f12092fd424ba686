"""Who may not act for now, and what people are told of it."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from orchestration.store.tables.base import UtcDateTime, json_column, metadata

# one time that somebody stopped something; a row is never removed, and counts until it is lifted
stop = Table(
    "stop",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),  # 1, 2, 3 … in the order they were said
    Column("scope", String(16), nullable=False),  # agent | action_type | all
    Column("name", String(64), nullable=False),  # whose or what's; empty of all
    Column("reason", Text, nullable=False),
    Column("operator", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    # ids of what it halted: {credentials, permits, effects, sending, batches}; none of a stop from before it was kept
    json_column("halted"),
    json_column("proof"),  # {at, proven, milliseconds, cancelled, still}: what was seen after it, once it was looked
    Column("lifted_at", UtcDateTime),
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
