"""Entries by their time and by their kind: how late it was is asked at every moment of effect."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the indexes."""
    op.create_index("ix_ledger_entry_at", "ledger_entry", ["at"], unique=False)
    op.create_index("ix_ledger_entry_kind", "ledger_entry", ["kind", "seq"], unique=False)
