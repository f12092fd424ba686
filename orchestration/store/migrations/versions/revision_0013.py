"""The pins of a snapshot, kept once; evidence that holds them itself stays as it is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "pin_set",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("pins", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
