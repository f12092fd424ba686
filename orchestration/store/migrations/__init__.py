"""The history of the tables, as Alembic reads it; `orchestration.store.migrate` runs it."""
