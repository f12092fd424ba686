"""What limits are counted by: one row for each permit, and what its effect is on.

Both say again what permits, evidence and the outbox say, in a form that is counted without reading them: `verify`
compares. Nothing here names a person: what an effect is on stands as a digest.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, ForeignKey, Index, String, Table

from orchestration.store.tables.base import UtcDateTime, metadata

# one permit as limits count it: an effect that happened, may still, or will not
permit_use = Table(
    "permit_use",
    metadata,
    Column("permit_id", String(64), ForeignKey("permit.permit_id"), primary_key=True),
    Column("action", String(64), nullable=False, index=True),
    Column("agent", String(64), nullable=False),
    Column("action_type", String(64), nullable=False),
    Column("batch_id", String(64), nullable=False),
    Column("business_date", Date, nullable=False),
    Column("at", UtcDateTime, nullable=False),  # when it was minted; when it was used, once it was
    Column("expires_at", UtcDateTime, nullable=False),
    Column("amount", BigInteger),  # hundredths of the currency's unit; none where the action type names no amount
    Column("currency", String(3)),
    Column("state", String(8), nullable=False),  # open | used | void (refused since, or known not to have happened)
    Index("permit_uses_of_a_day", "agent", "business_date", "batch_id", "state", "expires_at", "currency", "amount"),
    Index("permit_uses_of_an_agent", "agent", "at"),
    Index("permit_uses_of_an_action_type", "action_type", "at"),
)


# one thing that a permit's effect is on
permit_subject = Table(
    "permit_subject",
    metadata,
    Column("subject", String(32), primary_key=True),  # digest of an entity, a record that it had, or a contact point
    Column("business_date", Date, primary_key=True),
    Column("permit_id", String(64), ForeignKey("permit_use.permit_id"), primary_key=True, index=True),
)
