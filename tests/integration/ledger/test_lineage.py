from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import text, update

from orchestration.contracts import Pin
from orchestration.ledger import entries, entries_effects, lineage
from orchestration.ledger.chain import append
from orchestration.ledger.lineage import check_pin, effects_metadata, instance_at, pin
from orchestration.ledger.verify import verify
from orchestration.store import tables
from orchestration.store.engine import Store
from tests.integration.ledger import recording, story
from tests.integration.ledger.story import BATCH, DONE, NOW

GRAPH, EFFECTS = "entity_graph", "effects/finance"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "dagster"
    folder.mkdir()
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return folder


@pytest.fixture
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    with instance_at(home) as found:
        assert found is not None
        yield found


def materialise(
    instance: dg.DagsterInstance, asset_key: str, version: str, metadata: dict[str, Any] | None = None
) -> str:
    """Let a run materialise an asset; the run's id."""

    @dg.asset(key=dg.AssetKey.from_user_string(asset_key))
    def anything() -> dg.MaterializeResult[Any]:
        return dg.MaterializeResult(data_version=dg.DataVersion(version), metadata=metadata or {})

    return dg.materialize([anything], instance=instance).run_id


def report(instance: dg.DagsterInstance, asset_key: str, version: str) -> None:
    """Report a materialisation as anyone who reaches the web server can."""
    key = dg.AssetKey.from_user_string(asset_key)
    instance.report_runless_asset_event(dg.AssetMaterialization(key, tags={"dagster/data_version": version}))


def close(store: Store, instance: dg.DagsterInstance) -> Pin:
    """Materialise `effects/finance` for the story's batch and record it, as the coordinator does."""
    with store.read() as connection:
        covered = entries.range_of(connection, [BATCH])
    assert covered is not None
    run = materialise(instance, EFFECTS, covered.root, effects_metadata([BATCH], covered))
    found = pin(instance, EFFECTS, covered.root, run)
    assert found is not None
    with store.begin() as connection:
        connection.execute(
            update(tables.batch)
            .where(tables.batch.c.batch_id == BATCH)
            .values(state="closed", effects_pin=found.model_dump())
        )
        entries.batch_closed(connection, [BATCH], found, covered, at=NOW)
    return found


@pytest.fixture
def bound(store: Store, instance: dg.DagsterInstance) -> Store:
    """A whole story whose pins are of real materialisations, and whose batch is closed."""
    materialise(instance, GRAPH, "snap_1")
    story.tell(store, pin(instance, GRAPH, "snap_1"))
    close(store, instance)
    return store


def problems(store: Store, instance: dg.DagsterInstance) -> list[str]:
    return list(verify(store, instance).problems)


def event_log(home: Path) -> sqlite3.Connection:
    return sqlite3.connect(home / "history" / "runs" / "index.db")


def test_a_closed_batch_verifies_in_both_directions(bound: Store, instance: dg.DagsterInstance) -> None:
    found = verify(bound, instance)
    assert (found.ok, found.lineage, found.problems) == (True, True, ())


def test_a_batch_that_is_not_closed_yet_is_pending_and_not_broken(store: Store, instance: dg.DagsterInstance) -> None:
    materialise(instance, GRAPH, "snap_1")
    story.tell(store, pin(instance, GRAPH, "snap_1"))
    with store.read() as connection:
        covered = entries.range_of(connection, [BATCH])
    assert covered is not None
    materialise(instance, EFFECTS, covered.root, effects_metadata([BATCH], covered))  # and the process died here
    assert problems(store, instance) == []


def test_a_pin_names_the_newest_materialisation_by_a_run(instance: dg.DagsterInstance) -> None:
    first = materialise(instance, GRAPH, "snap_1")
    second = materialise(instance, GRAPH, "snap_1")
    materialise(instance, GRAPH, "snap_2")
    report(instance, GRAPH, "snap_1")
    found = pin(instance, GRAPH, "snap_1")
    assert found is not None
    assert (found.run_id, found.data_version) == (second, "snap_1")
    earlier = pin(instance, GRAPH, "snap_1", first)
    assert earlier is not None
    assert (earlier.run_id, earlier.storage_id < found.storage_id) == (first, True)
    assert check_pin(instance, found) is None


def test_a_version_that_only_an_outsider_reported_has_no_pin(instance: dg.DagsterInstance) -> None:
    materialise(instance, GRAPH, "snap_1")
    report(instance, GRAPH, "snap_2")
    assert pin(instance, GRAPH, "snap_2") is None
    assert pin(instance, GRAPH, "snap_1", "another run") is None
    assert pin(instance, "no/such/asset", "snap_1") is None


def test_a_pin_is_found_behind_many_newer_materialisations(instance: dg.DagsterInstance, monkeypatch: Any) -> None:
    monkeypatch.setattr(lineage, "_PAGE", 2)
    run = materialise(instance, GRAPH, "snap_1")
    for version in range(5):
        report(instance, GRAPH, f"other_{version}")
    found = pin(instance, GRAPH, "snap_1")
    assert found is not None
    assert found.run_id == run


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"storage_id": 999}, "is not in Dagster's event log: it was wiped, or its run was deleted"),
        ({"run_id": "run-9"}, "and was of run run-9: its storage id was used again"),
        ({"data_version": "snap_9"}, "has data version snap_1, and had snap_9: it was edited"),
        ({"asset_key": EFFECTS}, "is not in Dagster's event log"),
    ],
)
def test_a_pin_that_does_not_fit_says_how(instance: dg.DagsterInstance, change: dict[str, Any], sentence: str) -> None:
    materialise(instance, GRAPH, "snap_1")
    found = pin(instance, GRAPH, "snap_1")
    assert found is not None
    assert sentence in (check_pin(instance, found.model_copy(update=change)) or "")


def test_a_pin_of_an_event_reported_from_outside_is_refused(instance: dg.DagsterInstance) -> None:
    report(instance, GRAPH, "snap_1")
    forged = Pin(asset_key=GRAPH, storage_id=1, run_id="", data_version="snap_1")
    assert "was reported from outside: no run produced it" in (check_pin(instance, forged) or "")


def test_an_effect_reported_from_outside_is_told(bound: Store, instance: dg.DagsterInstance) -> None:
    report(instance, EFFECTS, "anything")
    assert len(found := problems(bound, instance)) == 1
    assert "of effects/finance was reported from outside: no run produced it." in found[0]


def test_a_deleted_run_is_told(bound: Store, instance: dg.DagsterInstance) -> None:
    with bound.read() as connection:
        run = connection.execute(tables.batch.select()).mappings().one()["effects_pin"]["run_id"]
    instance.delete_run(run)
    assert "of effects/finance is not in Dagster's event log" in problems(bound, instance)[0]


def test_a_wiped_asset_is_told(bound: Store, instance: dg.DagsterInstance) -> None:
    instance.wipe_assets([dg.AssetKey([GRAPH])])
    assert "of entity_graph is not in Dagster's event log" in problems(bound, instance)[0]


@pytest.mark.parametrize("pins", ["[7]", "7", "no JSON", "[1e999]"])
def test_pins_kept_with_evidence_that_name_nothing_are_told(
    bound: Store, instance: dg.DagsterInstance, pins: str
) -> None:
    with bound.begin() as connection:
        connection.execute(text("UPDATE evidence SET materialisations = :pins"), {"pins": pins})
    found = problems(bound, instance)
    assert [each for each in found if "as a pin, which names no materialisation." in each]
    assert [each for each in found if "The store's row was edited: the evidence of action" in each]


def test_an_edited_event_is_told(bound: Store, instance: dg.DagsterInstance, home: Path) -> None:
    with event_log(home) as log:
        log.execute("UPDATE event_logs SET event = replace(event, 'snap_1', 'snap_9') WHERE asset_key LIKE '%graph%'")
    log.close()
    assert "has data version snap_9, and had snap_1: it was edited" in problems(bound, instance)[0]


def test_an_effect_without_a_range_of_the_ledger_is_told(bound: Store, instance: dg.DagsterInstance) -> None:
    materialise(instance, EFFECTS, "v", {"ledger_first": 1})
    assert "names no range of the ledger" in problems(bound, instance)[0]


def test_an_effect_of_a_batch_that_never_was_is_told(bound: Store, instance: dg.DagsterInstance) -> None:
    with bound.read() as connection:
        covered = entries.range_of(connection, [BATCH])
    assert covered is not None
    materialise(instance, EFFECTS, "v", effects_metadata(["batch_9"], covered))
    assert "names batch batch_9, which the store does not hold" in problems(bound, instance)[0]


def test_a_ledger_cut_and_rewritten_whole_is_told_by_the_event_log(bound: Store, instance: dg.DagsterInstance) -> None:
    with bound.begin() as connection:  # everything that says a word of the denied action is taken out
        for table in ("ledger_payload", "ledger_entry"):
            connection.execute(text(f"DELETE FROM {table}"))
        for table in ("evidence", "decision", "proposal"):
            connection.execute(text(f"DELETE FROM {table} WHERE action = '{story.DENIED}'"))
        decision = connection.execute(text("SELECT decision_id FROM decision")).scalar_one()
        effects = Pin.model_validate(connection.execute(tables.batch.select()).mappings().one()["effects_pin"])
        entries.snapshot_published(connection, "snap_1", at=NOW)
        entries.batch_opened(connection, BATCH, at=NOW)
        recording.decided(connection, decision, at=NOW, permit_id=f"permit_{DONE}")
        recording.intended(connection, DONE, at=NOW)
        entries_effects.settled(connection, DONE, at=NOW)
        covered = entries.range_of(connection, [BATCH])
        assert covered is not None
        entries.batch_closed(connection, [BATCH], effects, covered, at=NOW)
    assert verify(bound, None).ok, "the forger was thorough: the store by itself holds no sign of it"
    assert "are not those which materialisation" in problems(bound, instance)[0]


def test_a_ledger_shorter_than_the_event_log_says_is_told(bound: Store, instance: dg.DagsterInstance) -> None:
    with bound.begin() as connection:
        for table in ("ledger_payload", "ledger_entry"):
            connection.execute(text(f"DELETE FROM {table} WHERE seq > 5"))
    assert any("are not all there: the ledger was cut or rewritten" in found for found in problems(bound, instance))


def test_a_pin_in_the_store_that_cannot_be_read_is_told(bound: Store, instance: dg.DagsterInstance) -> None:
    with bound.begin() as connection:
        connection.execute(update(tables.snapshot).values(pin={"asset_key": GRAPH}))
    assert any("as a pin, which names no materialisation" in found for found in problems(bound, instance))


def test_a_run_that_goes_on_while_it_is_verified_is_no_problem(
    bound: Store, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_events = lineage.effects

    def meanwhile(log: dg.DagsterInstance) -> Iterator[lineage.Effects]:
        with bound.begin() as connection:
            append(connection, "note", {}, at=NOW, action=DONE)
        with bound.read() as connection:
            covered = entries.range_of(connection, [BATCH])
        assert covered is not None
        materialise(log, EFFECTS, covered.root, effects_metadata([BATCH], covered))
        yield from read_events(log)

    monkeypatch.setattr(lineage, "effects", meanwhile)
    assert problems(bound, instance) == []


def test_looking_for_dagster_makes_no_instance_where_there_is_none(tmp_path: Path) -> None:
    with instance_at(tmp_path / "dagster") as found:
        assert found is None
    assert not (tmp_path / "dagster").exists()
