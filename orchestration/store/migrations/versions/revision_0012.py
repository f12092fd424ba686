"""Entries by their time: how late it was at the latest is asked at every moment of effect."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    op.create_index("ix_ledger_entry_at", "ledger_entry", ["at"], unique=False)
