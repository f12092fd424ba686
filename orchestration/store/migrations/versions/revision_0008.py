"""Stops and the proof that they held; what people are told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the queue of notifications and the stops, and take over who is stopped."""
    op.create_table(
        "notification",
        sa.Column("notification_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("notification_id"),
    )
    op.create_index("unsent_notifications", "notification", ["sent_at", "next_at"], unique=False)
    op.create_table(
        "stop",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("halted", sa.JSON(), nullable=True),
        sa.Column("proof", sa.JSON(), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("number"),
    )
    op.add_column("permit", sa.Column("halted_by", sa.Integer(), nullable=True))
    op.add_column("batch", sa.Column("halted_by", sa.Integer(), nullable=True))
    op.execute(
        "INSERT INTO stop (number, scope, name, reason, operator, at) "
        "SELECT row_number() OVER (ORDER BY stopped_at, agent), 'agent', agent, reason, '', stopped_at "
        "FROM agent_state WHERE stopped_at IS NOT NULL"
    )
    op.drop_table("agent_state")
