"""What limits are counted by, and what policy was asked when it decided."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


MINTED = """
    SELECT permit.permit_id, permit.action, permit.agent, permit.payload, permit.issued_at, permit.expires_at,
        permit.consumed_at, proposal.action_type, proposal.batch_id, batch.business_date, outbox.state,
        evidence.entities, EXISTS (
            SELECT 1 FROM decision WHERE decision.action = permit.action AND decision.decided_at >= permit.issued_at
            AND decision.verdict <> 'allow'
        ) AS refused
    FROM permit
    JOIN proposal ON proposal.action = permit.action
    JOIN batch ON batch.batch_id = proposal.batch_id
    LEFT JOIN outbox ON outbox.permit_id = permit.permit_id
    LEFT JOIN evidence ON evidence.action = permit.action
    ORDER BY permit.permit_id
"""
"""Permits that were minted before they were counted here, with what became of them."""


def upgrade() -> None:
    """Make the three tables and the columns for what policy was asked, and count the permits that there are."""
    op.add_column("decision", sa.Column("request_digest", sa.String(length=64), server_default="", nullable=False))
    op.add_column("evidence", sa.Column("policy_request", sa.JSON(), nullable=True))
    op.create_table(
        "policy_set",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("agent", sa.String(length=64), nullable=False),
        sa.Column("schema", sa.Text(), nullable=False),
        sa.Column("policies", sa.JSON(), nullable=False),
        sa.Column("first_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "permit_use",
        sa.Column("permit_id", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("agent", sa.String(length=64), nullable=False),
        sa.Column("action_type", sa.String(length=64), nullable=False),
        sa.Column("batch_id", sa.String(length=64), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(["permit_id"], ["permit.permit_id"]),
        sa.PrimaryKeyConstraint("permit_id"),
    )
    op.create_index("ix_permit_use_action", "permit_use", ["action"], unique=False)
    op.create_index(
        "permit_uses_of_a_day",
        "permit_use",
        ["agent", "business_date", "batch_id", "state", "expires_at", "currency", "amount"],
        unique=False,
    )
    op.create_index("permit_uses_of_an_agent", "permit_use", ["agent", "at"], unique=False)
    op.create_index("permit_uses_of_an_action_type", "permit_use", ["action_type", "at"], unique=False)
    op.create_table(
        "permit_subject",
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("permit_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["permit_id"], ["permit_use.permit_id"]),
        sa.PrimaryKeyConstraint("subject", "business_date", "permit_id"),
    )
    op.create_index("ix_permit_subject_permit_id", "permit_subject", ["permit_id"], unique=False)
    _count(op.get_bind())


def _count(connection: sa.Connection) -> None:
    """Count what was minted so far, so that the limits of today hold on the day of the upgrade too."""
    date, time = sa.Date(), sa.DateTime(timezone=True)
    use = sa.table(
        "permit_use",
        *(sa.column(name) for name in ("permit_id", "action", "agent", "action_type", "batch_id", "state")),
        sa.column("business_date", date),
        sa.column("at", time),
        sa.column("expires_at", time),
    )
    subject = sa.table("permit_subject", sa.column("subject"), sa.column("business_date", date), sa.column("permit_id"))
    times: dict[str, Any] = {
        "issued_at": time,
        "expires_at": time,
        "consumed_at": time,
        "business_date": date,
        "entities": sa.JSON(),
    }
    for row in connection.execute(sa.text(MINTED).columns(**times)).mappings().all():
        used = row["state"] is not None
        state = "void" if row["state"] == "failed" or (row["refused"] and not used) else "used" if used else "open"
        same = {
            name: row[name] for name in ("permit_id", "action", "agent", "action_type", "batch_id", "business_date")
        }
        at, until = _utc(row["consumed_at"] if used else row["issued_at"]), _utc(row["expires_at"])
        connection.execute(sa.insert(use).values(**same, at=at, expires_at=until, state=state))
        each = {"business_date": row["business_date"], "permit_id": row["permit_id"]}
        connection.execute(sa.insert(subject), [{"subject": one, **each} for one in sorted(set(_subjects(row)))])


def _utc(at: datetime) -> datetime:
    """SQLite forgets the zone, which is UTC."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _subjects(row: Any) -> Iterator[str]:  # noqa: ANN401  a row of the query
    """What the effect was on, as `gate/limits/touch.py` has it."""
    permit = json.loads(base64.b64decode(row["payload"]))
    kept = (row["entities"] or {}).get("crosswalk", ())
    for kind, values in (
        ("entity", permit["entities"]),
        ("record", [record["record_id"] for record in kept]),
        ("contact", map(_contact, permit["contact_points"])),
    ):
        for value in values:
            yield hashlib.blake2b(f"{kind}:{value}".encode(), digest_size=16).hexdigest()


def _contact(value: str) -> str:
    local, at, domain = value.strip().casefold().rpartition("@")
    return f"{local.partition('+')[0] or local}{at}{domain}"
