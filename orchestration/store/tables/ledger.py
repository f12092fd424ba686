"""The hash chain, and what it commits to without saying it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, String, Table, Text

from orchestration.store.tables.base import UtcDateTime, metadata

# one link of the hash chain, without personal data
ledger_entry = Table(
    "ledger_entry",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),  # 1, 2, 3 … without a gap
    Column("kind", String(32), nullable=False),  # snapshot | batch | decision | intent | outcome | batch_closed | …
    Column("action", String(64), index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("body", Text, nullable=False),  # RFC 8785 canonical JSON; what `hash` covers together with `previous`
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
)


# what an entry's commitment covers, kept beside the chain rather than in it
ledger_payload = Table(
    "ledger_payload",
    metadata,
    Column("seq", BigInteger, ForeignKey("ledger_entry.seq"), primary_key=True, autoincrement=False),
    Column("salt", String(64), nullable=False),
    Column("payload", Text, nullable=False),  # RFC 8785 canonical JSON
)
