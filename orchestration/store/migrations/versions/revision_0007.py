"""Effects after they happened: undoing, what they rested on, tainted ones, incidents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make their tables, and the columns of the outbox that say what is known of an effect later."""
    op.add_column("outbox", sa.Column("confirmed_at", _TIME, nullable=True))
    op.add_column("outbox", sa.Column("missing_at", _TIME, nullable=True))
    op.add_column("outbox", sa.Column("by_person", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    _undo()
    _rested_on()
    _found()


def _undo() -> None:
    op.create_table(
        "undo",
        sa.Column("undo_id", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("permit_id", sa.String(length=64), nullable=False),
        sa.Column("permit", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("intent_seq", sa.Integer(), nullable=False),
        sa.Column("outcome_seq", sa.Integer(), nullable=False),
        sa.Column("effect_key", sa.String(length=200), nullable=False),
        sa.Column("tool_server", sa.String(length=64), nullable=False),
        sa.Column("tool", sa.String(length=64), nullable=False),
        sa.Column("tool_arguments", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reference", sa.Text(), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("intended_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("settled_at", _TIME, nullable=True),
        sa.Column("by_person", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("confirmed_record", sa.Text(), nullable=True),
        sa.Column("confirmed_at", _TIME, nullable=True),
        sa.Column("missing_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["action"], ["proposal.action"]),
        sa.PrimaryKeyConstraint("undo_id"),
    )
    op.create_index("ix_undo_action", "undo", ["action"], unique=False)
    stands = sa.text("state <> 'failed'")
    op.create_index("one_undo_an_action", "undo", ["action"], unique=True, sqlite_where=stands, postgresql_where=stands)


def _rested_on() -> None:
    op.create_table(
        "effect_record",
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("entity_id", sa.String(length=64), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["action"], ["proposal.action"]),
        sa.PrimaryKeyConstraint("action", "entity_id", "record_id"),
    )
    op.create_index("ix_effect_record_record_id", "effect_record", ["record_id"], unique=False)
    op.create_table(
        "effect_value",
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("entity_id", sa.String(length=64), nullable=False),
        sa.Column("field", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["action"], ["proposal.action"]),
        sa.PrimaryKeyConstraint("action", "entity_id", "field"),
    )


def _found() -> None:
    op.create_table(
        "tainted_effect",
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("entity_id", sa.String(length=64), nullable=False),
        sa.Column("how", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("snapshot_id", sa.String(length=64), nullable=False),
        sa.Column("found_at", _TIME, nullable=False),
        sa.Column("cleared_snapshot", sa.String(length=64), nullable=True),
        sa.Column("cleared_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["action"], ["proposal.action"]),
        sa.PrimaryKeyConstraint("action", "entity_id", "how"),
    )
    op.create_table(
        "incident",
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("how", sa.String(length=16), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("effect_key", sa.Text(), server_default="", nullable=False),
        sa.Column("snapshot_id", sa.String(length=64), nullable=False),
        sa.Column("found_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("record_id", "how"),
    )
    op.create_table(
        "effect_watch",
        sa.Column("snapshot_id", sa.String(length=64), nullable=False),
        sa.Column("watched_at", _TIME, nullable=False),
        sa.Column("effects", sa.Integer(), nullable=False),
        sa.Column("tainted", sa.Integer(), nullable=False),
        sa.Column("confirmed", sa.Integer(), nullable=False),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("incidents", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("snapshot_id"),
    )
