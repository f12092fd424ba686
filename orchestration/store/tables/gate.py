"""The gate: what it answered, what that rested on, the policies it asked, and the permits it minted."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Table, Text

from orchestration.store.tables.base import UtcDateTime, json_column, metadata

# one answer of the gate; the last one of an action counts
decision = Table(
    "decision",
    metadata,
    Column("decision_id", Integer, primary_key=True, autoincrement=True),
    Column("action", String(64), ForeignKey("proposal.action"), nullable=False, index=True),
    Column("verdict", String(8), nullable=False),
    json_column("reasons", nullable=False),
    json_column("policies", nullable=False),
    Column("policy_digest", String(64), nullable=False),
    Column("read_set_digest", String(64), nullable=False),
    Column("snapshot_id", String(64)),
    Column("decided_at", UtcDateTime, nullable=False),
    Column("transient", Boolean, nullable=False),  # every objection may pass by itself: the row may wake again
    Column("request_digest", String(64), nullable=False, server_default=""),  # of what policy was asked; empty: nothing
)


# the policies that decisions were made by, as Cedar had them; a row is never changed
policy_set = Table(
    "policy_set",
    metadata,
    Column("digest", String(64), primary_key=True),  # SHA-256 of the canonical JSON of schema and policies
    Column("agent", String(64), nullable=False),  # whose they were
    Column("schema", Text, nullable=False),  # in Cedar's own form
    json_column("policies", nullable=False),  # name -> policy in Cedar's JSON form, the core's among them
    Column("first_used_at", UtcDateTime, nullable=False),
)


# the materialisations of a snapshot and of what it was built from, which many decisions rest on; never changed
pin_set = Table(
    "pin_set",
    metadata,
    Column("digest", String(64), primary_key=True),  # SHA-256 of the canonical JSON of the pins
    json_column("pins", nullable=False),  # [contracts.Pin]
)


# what a decision rested on, kept after its snapshot has expired
evidence = Table(
    "evidence",
    metadata,
    Column("action", String(64), ForeignKey("proposal.action"), primary_key=True),
    json_column("read_set", nullable=False),
    json_column("entities", nullable=False),  # entity rows, golden records, crosswalk rows
    json_column(
        "source_rows", nullable=False
    ),  # [{record_id, system, source_table, source_key, row_hash, row, supports}]
    json_column("materialisations", nullable=False),  # digest of a `pin_set`; earlier: the list itself
    Column("kept_at", UtcDateTime, nullable=False, index=True),
    # {request, entities, objections}: what Cedar was asked, and what spoke against it beside policy; none: not asked
    json_column("policy_request"),
)


# one signed permit
permit = Table(
    "permit",
    metadata,
    Column("permit_id", String(64), primary_key=True),
    Column("action", String(64), ForeignKey("proposal.action"), nullable=False, index=True),
    Column("agent", String(64), nullable=False),
    Column("payload", Text, nullable=False),
    Column("signature", Text, nullable=False),
    Column("read_set_digest", String(64), nullable=False),
    Column("issued_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("consumed_at", UtcDateTime),
    Column("halted_by", Integer),  # number of the stop that it was not used before, or whose effect it found on its way
)
