"""Who wants an effect taken back and why, beside the row: it stays when the ledger's payload is erased."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the columns; who wanted what was taken back before stands in the payloads of the ledger, and stays there."""
    op.add_column("undo", sa.Column("operator", sa.Text(), nullable=False, server_default=""))
    op.add_column("undo", sa.Column("reason", sa.Text(), nullable=False, server_default=""))
