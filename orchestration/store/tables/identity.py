"""The credentials that agents were given: never a token, only what it said and what became of it."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, String, Table

from orchestration.store.tables.base import UtcDateTime, json_column, metadata

# one credential, minted for one batch
agent_credential = Table(
    "agent_credential",
    metadata,
    Column("credential_id", String(64), primary_key=True),  # the token's `jti`
    Column("agent", String(64), nullable=False),
    Column("batch_id", String(64), ForeignKey("batch.batch_id"), nullable=False, index=True),
    json_column("scopes", nullable=False),  # [propose:<action type>]
    Column("issued_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("ended", String(16)),  # answered | expired (seen once, whatever the clock says later) | replaced
    Column("revoked_at", UtcDateTime),  # also of one that was answered: what came with it is believed no more
    Index("live_credentials", "ended_at", "expires_at"),
)
