"""The audit tables, as they are published from a store in either database."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import Any

import dagster as dg
import duckdb
import pytest
from sqlalchemy import insert

from orchestration.erasure.erase import erase
from orchestration.erasure.files import remove_earlier_graphs
from orchestration.report.assets import AUDIT, audit
from orchestration.report.gather import TABLES
from orchestration.report.jobs import publishing
from orchestration.report.publish import KEPT, behind, publish
from orchestration.store import tables
from tests.integration.gate.world import World

MAILBOX, RATIONALE = b"1@debtor.example", b"It is overdue."


def decided(world: World) -> list[str]:
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        gate.perform(actions[0], world.now)
    return actions


def asked(world: World, query: str) -> list[tuple[Any, ...]]:
    with closing(duckdb.connect(str(world.settings.audit_link), read_only=True)) as connection:
        return connection.execute(query).fetchall()


def test_every_action_decision_effect_and_step_is_a_row(either_world: World) -> None:
    world = either_world
    world.debtors[1].opted_out = True
    world.publish()
    actions = decided(world)
    batch_id = world.rows("batch")[0]["batch_id"]
    step = {"batch_id": batch_id, "step": "look", "state": "passed", "output_digest": "d" * 64, "taken_at": world.now}
    with world.store.begin() as connection:
        rows = [{**step, "number": n, "row_id": f"{batch_id}-{n:04d}", "attempts": n} for n in (1, 2)]
        connection.execute(insert(tables.handoff), rows)
    made = publish(world.store, world.settings, now=world.now)
    assert made is not None
    assert made.rows == {name: made.rows[name] for name in TABLES}
    assert (made.rows["action"], made.rows["outcome"], made.rows["handoff"]) == (3, 1, 2)
    assert asked(world, "SELECT action, verdict, outcome, undone FROM action ORDER BY entity_id") == [
        (actions[0], "allow", "pending", False),
        (actions[1], "deny", None, False),
        (actions[2], "allow", None, False),
    ]
    assert asked(world, "SELECT reasons, last FROM decision WHERE verdict = 'deny'") == [(["opted_out"], True)]
    assert asked(world, "SELECT action, step, attempts FROM handoff ORDER BY number") == [
        (actions[0], "look", 1),
        (actions[1], "look", 2),
    ]
    assert asked(world, "SELECT DISTINCT proposed_at = made_at FROM action, basis") == [(True,)]


def test_a_file_is_made_where_there_is_anything_new_and_never_changed(world: World) -> None:
    first = publish(world.store, world.settings, now=world.now)
    assert first is not None
    assert publish(world.store, world.settings, now=world.now + timedelta(days=1)) is None
    assert not behind(world.store, world.settings, world.now)
    with closing(duckdb.connect(str(world.settings.audit_link), read_only=True)) as reader:
        decided(world)
        assert behind(world.store, world.settings, world.now)
        second = publish(world.store, world.settings, now=world.now)
        assert second is not None
        assert reader.execute("SELECT count(*) FROM action").fetchall() == [(0,)]
    assert asked(world, "SELECT count(*) FROM action") == [(3,)]
    assert second.path.stat().st_mode & 0o222 == 0
    assert world.settings.audit_link.samefile(second.path)
    for _ in range(KEPT):
        world.publish()
        publish(world.store, world.settings, now=world.now)
    assert len(list(world.settings.audit.iterdir())) == KEPT


def test_what_holds_personal_data_is_in_no_table(world: World) -> None:
    decided(world)
    made = publish(world.store, world.settings, now=world.now)
    assert made is not None
    written = made.path.read_bytes()
    store = b"".join(path.read_bytes() for path in world.settings.home.glob("store.db*"))
    assert not [one for one in (MAILBOX, RATIONALE, b"Ada 1") if one in written]
    assert MAILBOX in store
    columns = {name for (name,) in asked(world, "SELECT column_name FROM duckdb_columns() WHERE NOT internal")}
    assert not columns & {"arguments", "rationale", "note", "tool_arguments", "values"}


def test_the_asset_says_what_it_made_and_the_schedule_asks_where_it_would(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRECEDE_HOME", str(world.settings.home))
    decided(world)
    assert isinstance(publishing(dg.build_schedule_context()), dg.RunRequest)
    [event] = dg.materialize([audit]).asset_materializations_for_node("audit")
    assert event.metadata["rows_decision"].value == 3
    assert event.metadata["dagster/row_count"].value == 3
    assert isinstance(publishing(dg.build_schedule_context()), dg.SkipReason)
    assert dg.materialize([audit]).asset_materializations_for_node("audit") == []


def test_a_run_that_acts_does_not_fail_with_the_tables_and_one_that_makes_them_does(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRECEDE_HOME", str(world.settings.home))
    decided(world)
    world.settings.audit.write_text("in the way", encoding="utf-8")
    act = dg.define_asset_job("act", selection=dg.AssetSelection.assets(AUDIT))
    acting = dg.Definitions(assets=[audit], jobs=[act]).resolve_job_def("act").execute_in_process(raise_on_error=False)
    assert acting.success
    assert acting.asset_materializations_for_node("audit") == []
    assert isinstance(publishing(dg.build_schedule_context()), dg.RunRequest)
    assert not dg.materialize([audit], raise_on_error=False).success
    world.settings.audit.unlink()
    assert dg.materialize([audit]).asset_materializations_for_node("audit") != []


def test_the_tables_are_made_anew_after_an_erasure_and_those_of_before_it_go(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRECEDE_HOME", str(world.settings.home))
    actions = decided(world)
    world.edit("batch", {}, state="closed")
    for _ in range(2):
        world.publish()
        dg.materialize([audit])
    before = set(world.settings.audit.iterdir())
    erase(world.store, world.settings, "per_2", operator="ada", reason="They asked for it.", now=world.now)
    remove_earlier_graphs(world.store, world.settings, world.now)
    assert not world.settings.audit_link.exists()
    assert isinstance(publishing(dg.build_schedule_context()), dg.RunRequest)
    assert dg.materialize([audit]).asset_materializations_for_node("audit") != []
    [left] = world.settings.audit.iterdir()
    assert left not in before
    assert world.settings.audit_link.samefile(left)
    found = asked(world, "SELECT action, verdict, outcome FROM action WHERE entity_id = 'org_2'")
    assert found == [(actions[1], "allow", None)]  # that it was decided can still be asked
    assert asked(world, "SELECT count(*) FROM basis JOIN decision USING (snapshot_id)") == [(0,)]
