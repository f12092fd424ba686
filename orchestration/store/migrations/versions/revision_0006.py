"""Approvals, the queue they wait in, and what a rejected proposal may become."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the three tables, and let a batch follow a rejection and a proposal follow an edit."""
    op.add_column("batch", sa.Column("revises", sa.String(length=64), server_default="", nullable=False))
    op.drop_index("one_batch_a_wake", "batch")
    op.create_index("one_batch_a_wake", "batch", ["snapshot_id", "agent", "business_date", "revises"], unique=True)
    op.add_column("trigger_row", sa.Column("note", sa.Text(), server_default="", nullable=False))
    op.add_column("trigger_row", sa.Column("revision", sa.Integer(), server_default="0", nullable=False))
    op.add_column("proposal", sa.Column("edited_from", sa.String(length=64), nullable=True))
    op.add_column("proposal", sa.Column("edited_by", sa.Text(), nullable=True))
    op.create_table(
        "held",
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("agent", sa.String(length=64), nullable=False),
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("tool_call", sa.JSON(), nullable=False),
        sa.Column("proposal_digest", sa.String(length=64), nullable=False),
        sa.Column("read_set_digest", sa.String(length=64), nullable=False),
        sa.Column("policy_digest", sa.String(length=64), nullable=False),
        sa.Column("call_digest", sa.String(length=64), nullable=False),
        sa.Column("records", sa.JSON(), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_snapshot", sa.String(length=64), nullable=True),
        sa.Column("postponed", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["action"], ["proposal.action"]),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.decision_id"]),
        sa.PrimaryKeyConstraint("action"),
    )
    op.create_index("what_is_held", "held", ["state", "agent"], unique=False)
    op.create_table(
        "showing",
        sa.Column("showing_id", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("shown", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["action"], ["proposal.action"]),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.decision_id"]),
        sa.PrimaryKeyConstraint("showing_id"),
    )
    op.create_index("ix_showing_action", "showing", ["action"], unique=False)
    op.create_table(
        "approval",
        sa.Column("approval_id", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("showing_id", sa.String(length=64), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("edited_into", sa.String(length=64), nullable=True),
        sa.Column("proposal_digest", sa.String(length=64), nullable=False),
        sa.Column("read_set_digest", sa.String(length=64), nullable=False),
        sa.Column("policy_digest", sa.String(length=64), nullable=False),
        sa.Column("call_digest", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("consumed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("permit_id", sa.String(length=64), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_code", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["action"], ["proposal.action"]),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.decision_id"]),
        sa.ForeignKeyConstraint(["edited_into"], ["proposal.action"]),
        sa.ForeignKeyConstraint(["showing_id"], ["showing.showing_id"]),
        sa.PrimaryKeyConstraint("approval_id"),
    )
    op.create_index("ix_approval_action", "approval", ["action"], unique=False)
