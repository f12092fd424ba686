"""What limits are counted by, and what policy was asked when it decided."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the three tables, and the columns for what policy was asked."""
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
