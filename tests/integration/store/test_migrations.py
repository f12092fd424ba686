from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, inspect

from orchestration.settings import Settings
from orchestration.store import migrate
from orchestration.store.engine import open_store
from orchestration.store.tables import metadata


def test_the_revisions_make_exactly_the_declared_tables(either: Settings) -> None:
    with open_store(either).read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert set(inspect(connection).get_table_names()) == {*metadata.tables, "alembic_version"}


def test_the_newest_revision_is_the_one_that_opening_expects() -> None:
    folder = Path(migrate.__file__).parent / "migrations"
    assert ScriptDirectory(str(folder)).get_heads() == [migrate.HEAD]


def test_defaults_keys_and_partial_indexes_are_those_declared(either: Settings) -> None:
    with open_store(either).read() as connection:
        found = inspect(connection)
        for name, table in metadata.tables.items():
            made = {column["name"]: column["default"] or "" for column in found.get_columns(name)}
            defaults = {column for column, value in made.items() if value and "nextval" not in value}
            assert defaults == {column.name for column in table.columns if column.server_default is not None}
            assert found.get_pk_constraint(name)["constrained_columns"] == [c.name for c in table.primary_key]
            declared = {(tuple(k.column_keys), k.referred_table.name) for k in table.foreign_key_constraints}
            referring = {(tuple(k["constrained_columns"]), k["referred_table"]) for k in found.get_foreign_keys(name)}
            assert referring == declared
            assert not [c for c in table.constraints if isinstance(c, CheckConstraint)]
        index = next(i for i in found.get_indexes("outbox") if i["name"] == "one_effect_a_key")
        assert any("failed" in str(where) for where in index["dialect_options"].values())
