from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, inspect, update

from orchestration.gate import gate, record
from orchestration.gate.limits import keep
from orchestration.ledger.verify import verify
from orchestration.settings import Settings
from orchestration.store import migrate, tables
from orchestration.store.engine import open_store
from orchestration.store.migrations.versions import revision_0005
from orchestration.store.tables import metadata
from tests.integration.gate.world import World
from tests.revisions import at_once


def test_the_revisions_make_exactly_the_declared_tables(either: Settings) -> None:
    with open_store(either).read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert set(inspect(connection).get_table_names()) == {*metadata.tables, "alembic_version"}


def test_stores_of_other_tests_are_what_the_revisions_make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PRECEDE_STORE_URL", raising=False)
    revised = _dumped(tmp_path / "revised")
    monkeypatch.setattr(migrate, "to_head", at_once)
    assert _dumped(tmp_path / "first") == _dumped(tmp_path / "another") == revised
    assert len(revised) > 60


def _dumped(home: Path) -> list[str]:
    open_store(Settings(home=home)).close()
    with closing(sqlite3.connect(home / "store.db")) as connection:
        return list(connection.iterdump())


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


def test_permits_minted_before_they_were_counted_count_after_the_upgrade(either: Settings) -> None:
    store = open_store(either)
    world = World(either.home, store)
    world.publish()
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        gate.perform(actions[0], world.now)
        world.debtors[1].disputed = True
        world.publish()
        gate.perform(actions[1], world.now)  # refused
    counted = [world.rows(name) for name in ("permit_use", "permit_subject")]
    with store.begin() as connection:
        for table in (tables.permit_subject, tables.permit_use):
            connection.execute(table.delete())
        revision_0005._count(connection)
    again = [world.rows(name) for name in ("permit_use", "permit_subject")]
    assert sorted(use["state"] for use in again[0]) == ["open", "used", "void"]
    for use in counted[0]:  # what an action came to was not kept then
        use |= {"amount": None, "currency": None}
    assert again == counted


def test_a_permit_of_an_older_decision_is_counted_though_no_entry_tells_of_it(settings: Settings) -> None:
    store = open_store(settings)
    world = World(settings.home, store)
    world.publish()
    monkey, minted = pytest.MonkeyPatch(), keep.minted
    with monkey.context() as then:  # as it was recorded before facts were kept and permits counted
        then.setattr(keep, "minted", lambda *given: minted(*given) and {})
        then.setattr(record, "_asked", lambda _: None)
        then.setattr(gate, "keep_policies", lambda *_: None)
        batch_id, _ = world.propose_all()
        with world.gate() as opened:
            opened.decide(batch_id, world.now)
    with store.begin() as connection:
        connection.execute(update(tables.evidence).values(policy_request=None))
    found = verify(store, None).problems
    assert len(world.rows("permit_use")) == 3
    assert [problem for problem in found if "evidence" not in problem] == []
