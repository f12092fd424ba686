"""What Alembic runs: the revisions, on the connection and in the transaction that the store gives it."""

from __future__ import annotations

from alembic import context

from orchestration.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # SQLite too rolls tables back, now that its driver begins no transaction of its own
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
