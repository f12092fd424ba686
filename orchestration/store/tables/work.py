"""The work: who was woken, what was wished, and the effects on their way to a tool."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, ForeignKey, Index, Integer, String, Table, Text, text

from orchestration.store.tables.base import UtcDateTime, json_column, metadata

# one wake of an agent
batch = Table(
    "batch",
    metadata,
    Column("batch_id", String(64), primary_key=True),
    Column("agent", String(64), nullable=False),
    Column("snapshot_id", String(64), nullable=False),
    Column("business_date", Date, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("state", String(16), nullable=False),  # waiting | answered | decided | closed
    json_column("pin"),  # contracts.Pin of the snapshot materialisation it rests on
    json_column("effects_pin"),  # contracts.Pin of its own `effects/<agent>` materialisation, once closed
    Column("row_count", Integer, nullable=False),
    Column("halted_by", Integer),  # number of the stop that keeps it from going on; none once that is lifted
    Index("one_batch_a_wake", "snapshot_id", "agent", "business_date", unique=True),
)


# one row a trigger returned, and whether it woke the agent
trigger_row = Table(
    "trigger_row",
    metadata,
    Column("row_id", String(64), primary_key=True),
    Column("batch_id", String(64), ForeignKey("batch.batch_id"), nullable=False, index=True),
    Column("entity_id", String(64), nullable=False),
    Column("digest", String(64), nullable=False, index=True),  # of agent, values, and versions of what they name
    json_column("values", nullable=False),
    Column("answer", String(16)),  # proposed | declined | failed (a person must look) | refused (malformed)
    Column("reason", Text, nullable=False, server_default=""),  # why nothing was proposed
)


# one thing an agent wishes
proposal = Table(
    "proposal",
    metadata,
    Column("action", String(64), primary_key=True),  # the action's id
    Column("batch_id", String(64), ForeignKey("batch.batch_id"), nullable=False, index=True),
    Column("row_id", String(64), nullable=False),
    Column("agent", String(64), nullable=False, index=True),
    Column("action_type", String(64), nullable=False),
    Column("entity_id", String(64), nullable=False, index=True),
    json_column("arguments", nullable=False),
    Column("rationale", Text, nullable=False),
    Column("proposed_at", UtcDateTime, nullable=False),
    Column("digest", String(64), nullable=False),
)


# one effect on its way to a tool; its key is unique for ever, unless it is known not to have happened
outbox = Table(
    "outbox",
    metadata,
    Column("action", String(64), ForeignKey("proposal.action"), primary_key=True),
    Column("permit_id", String(64), ForeignKey("permit.permit_id"), nullable=False),
    Column("effect_key", String(200), nullable=False),
    Column("tool_server", String(64), nullable=False),
    Column("tool", String(64), nullable=False),
    json_column("tool_arguments", nullable=False),
    Column("state", String(16), nullable=False),  # pending | sending | done | failed | unknown
    Column("attempts", Integer, nullable=False),
    Column("reference", Text, nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default=""),
    Column("intended_at", UtcDateTime, nullable=False),
    Column("settled_at", UtcDateTime),
    Column("confirmed_record", Text),  # the row in which a published graph first showed the effect
    Column("confirmed_at", UtcDateTime),
    Column("missing_at", UtcDateTime),  # when it was reported that no graph shows it, though its system was read since
    Column("by_person", Boolean, nullable=False, server_default=text("false")),  # no tool will say what became of it
    Index(
        "one_effect_a_key",
        "effect_key",
        unique=True,
        sqlite_where=text("state <> 'failed'"),
        postgresql_where=text("state <> 'failed'"),
    ),
)
