"""The hash chain, what it commits to without saying it, and copies of its signed heads."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, String, Table, Text

from orchestration.store.tables.base import UtcDateTime, json_column, metadata

# one link of the hash chain, without personal data
ledger_entry = Table(
    "ledger_entry",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),  # 1, 2, 3 … without a gap
    Column("kind", String(32), nullable=False),  # snapshot | batch | decision | intent | outcome | batch_closed | …
    Column("action", String(64), index=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("body", Text, nullable=False),  # RFC 8785 canonical JSON; what `hash` covers together with `previous`
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Index("ix_ledger_entry_kind", "kind", "seq"),
)


# what an entry's commitment covers, kept beside the chain rather than in it
ledger_payload = Table(
    "ledger_payload",
    metadata,
    Column("seq", BigInteger, ForeignKey("ledger_entry.seq"), primary_key=True, autoincrement=False),
    Column("salt", String(64), nullable=False),
    Column("payload", Text, nullable=False),  # RFC 8785 canonical JSON
)


# what the coordinator knows of one checkpoint; the file in PRECEDE_CHECKPOINTS counts, not this row
checkpoint = Table(
    "checkpoint",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # 1, 2, 3 …
    Column("last", BigInteger, nullable=False),  # it covers the entries 1 to this one
    Column("at", UtcDateTime, nullable=False),
    Column("content", Text, nullable=False),  # the file as it was written
    json_column("subtrees", nullable=False),  # of the tree of that size, in hexadecimal: the next one goes on from here
)
