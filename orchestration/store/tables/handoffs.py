"""How agents came to their answers: each step's validated output on its way to the next, without the output itself."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, String, Table

from orchestration.store.tables.base import UtcDateTime, metadata

# one step's work on one row of a batch, as the agent's side logged it; rows are never changed
handoff = Table(
    "handoff",
    metadata,
    Column("batch_id", String(64), ForeignKey("batch.batch_id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),  # 1, 2, 3 … in the order of the log
    Column("row_id", String(64), nullable=False, index=True),
    Column("step", String(64), nullable=False),
    Column("attempts", Integer, nullable=False),  # 1: it went at once
    Column("state", String(16), nullable=False),  # passed | declined | failed
    Column("output_digest", String(64), nullable=False),  # SHA-256 of the canonical output; empty: nothing passed on
    Column("taken_at", UtcDateTime, nullable=False),
)
