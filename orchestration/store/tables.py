"""The coordinator's tables: what each row is stands beside it. Migrations make them; nothing here opens a database.

JSON columns hold what a contract dumps. Times are UTC. Personal data stands in `evidence`, `trigger_row`, `proposal`,
`judgement`, `settlement` and `ledger_payload`, so that it can be erased one day; `ledger_entry` holds commitments to it
alone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """A timezone-aware UTC time in every database; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  SQLAlchemy's signature
        """Store UTC."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  SQLAlchemy's signature
        """Return UTC, also where the database forgot the zone."""
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData()


def _json(name: str, *, nullable: bool = True) -> Column[Any]:
    return Column(name, JSON(none_as_null=True), nullable=nullable)


# one built graph
snapshot = Table(
    "snapshot",
    metadata,
    Column("snapshot_id", String(64), primary_key=True),
    Column("path", Text, nullable=False),  # relative to PRECEDE_HOME
    Column("file_digest", String(64), nullable=False),  # SHA-256 of that file as it was published
    Column("run_id", String(64), nullable=False),
    Column("built_at", UtcDateTime, nullable=False),
    Column("published_at", UtcDateTime),
    Column("expired_at", UtcDateTime),
    _json("checks", nullable=False),  # blocking check -> "passed"
    _json("pin"),  # contracts.Pin of the `entity_graph` materialisation, once it was found and verified
)

# one row: which snapshot is current. Moved in the transaction that publishes
pointer = Table(
    "pointer",
    metadata,
    Column("id", Integer, primary_key=True),  # always 1
    Column("snapshot_id", String(64), ForeignKey("snapshot.snapshot_id"), nullable=False),
    Column("moved_at", UtcDateTime, nullable=False),
)

# one source table's last successful read; advances also when nothing changed
watermark = Table(
    "watermark",
    metadata,
    Column("system", String(64), primary_key=True),
    Column("source_table", String(128), primary_key=True),
    Column("read_at", UtcDateTime, nullable=False),
    Column("row_count", BigInteger, nullable=False),  # of the last published snapshot, for the shrink check
    Column("data_version", String(64), nullable=False),
)

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
    _json("pin"),  # contracts.Pin of the snapshot materialisation it rests on
    _json("effects_pin"),  # contracts.Pin of its own `effects/<agent>` materialisation, once closed
    Column("row_count", Integer, nullable=False),
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
    _json("values", nullable=False),
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
    _json("arguments", nullable=False),
    Column("rationale", Text, nullable=False),
    Column("proposed_at", UtcDateTime, nullable=False),
    Column("digest", String(64), nullable=False),
)

# one answer of the gate; the last one of an action counts
decision = Table(
    "decision",
    metadata,
    Column("decision_id", Integer, primary_key=True, autoincrement=True),
    Column("action", String(64), ForeignKey("proposal.action"), nullable=False, index=True),
    Column("verdict", String(8), nullable=False),
    _json("reasons", nullable=False),
    _json("policies", nullable=False),
    Column("policy_digest", String(64), nullable=False),
    Column("read_set_digest", String(64), nullable=False),
    Column("snapshot_id", String(64)),
    Column("decided_at", UtcDateTime, nullable=False),
    Column("transient", Boolean, nullable=False),  # every objection may pass by itself: the row may wake again
)

# what a decision rested on, kept after its snapshot has expired
evidence = Table(
    "evidence",
    metadata,
    Column("action", String(64), ForeignKey("proposal.action"), primary_key=True),
    _json("read_set", nullable=False),
    _json("entities", nullable=False),  # entity rows, golden records, crosswalk rows
    _json("source_rows", nullable=False),  # [{record_id, system, source_table, source_key, row_hash, row, supports}]
    _json("materialisations", nullable=False),  # [contracts.Pin] of the snapshot and of what it was built from
    Column("kept_at", UtcDateTime, nullable=False),
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
    _json("tool_arguments", nullable=False),
    Column("state", String(16), nullable=False),  # pending | sending | done | failed | unknown
    Column("attempts", Integer, nullable=False),
    Column("reference", Text, nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default=""),
    Column("intended_at", UtcDateTime, nullable=False),
    Column("settled_at", UtcDateTime),
    Column("confirmed_record", Text),  # the row in which a published graph first showed the effect
    Index(
        "one_effect_a_key",
        "effect_key",
        unique=True,
        sqlite_where=text("state <> 'failed'"),
        postgresql_where=text("state <> 'failed'"),
    ),
)

# one registered agent's state; no row means it runs
agent_state = Table(
    "agent_state",
    metadata,
    Column("agent", String(64), primary_key=True),
    Column("stopped_at", UtcDateTime),
    Column("reason", Text, nullable=False, server_default=""),
)

# one thing a person said of a pair of records; rows are never changed, and the last one of a pair counts
judgement = Table(
    "judgement",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),  # 1, 2, 3 … in the order they were given
    Column("judgement_id", String(64), nullable=False, unique=True),
    Column("entity_type", String(64), nullable=False),
    Column("record_a", Text, nullable=False),  # record_a < record_b
    Column("record_b", Text, nullable=False),
    Column("verdict", String(16), nullable=False),  # same | different | skip (nothing is said, nor what was before)
    Column("reviewer", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("at", UtcDateTime, nullable=False),
    Column("snapshot_id", String(64)),  # the graph that the reviewer was shown
    _json("shown", nullable=False),  # both records as they stood there, and how they compare
    Index("judgements_of_a_pair", "record_a", "record_b"),
)

# one thing a person said of a value that a record states; rows are never changed, the last one of a field counts
settlement = Table(
    "settlement",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),  # 1, 2, 3 … in the order they were given
    Column("judgement_id", String(64), nullable=False, unique=True),
    Column("entity_type", String(64), nullable=False),
    Column("record_id", Text, nullable=False),  # whose entity it is said of
    Column("field", String(64), nullable=False),
    Column("value", Text),  # the right one; none where what was said before is taken back
    Column("until", Date),  # the last day on which it counts; none for ever
    Column("reviewer", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("at", UtcDateTime, nullable=False),
    Column("snapshot_id", String(64)),
    _json("shown", nullable=False),  # what each record of the entity stated of the field
    Index("settlements_of_a_field", "record_id", "field"),
)

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
