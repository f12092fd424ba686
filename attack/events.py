"""Forged events, checks and pins in Dagster's event log; deleted runs, wiped assets, edited rows, reused ids."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import dagster as dg
from sqlalchemy import text, update

from attack.acting import came
from attack.ground import Ground
from attack.suite import Group
from orchestration.contracts import Pin
from orchestration.ledger.lineage import check_pin, instance_at, pin
from orchestration.ledger.verify import verify
from orchestration.store import tables
from orchestration.store.engine import Store
from tests.integration.ledger import story
from tests.integration.ledger.test_lineage import EFFECTS, GRAPH, close, materialise, report

GROUP: Final = Group("events")


@dataclass(frozen=True, slots=True)
class Log:
    """A whole story whose pins are of real materialisations, and whose batch is closed."""

    store: Store
    instance: dg.DagsterInstance
    home: Path

    def sql(self, statement: str) -> None:
        """Edit the event log behind Dagster's back."""
        with closing(sqlite3.connect(self.home / "history" / "runs" / "index.db")) as log, log:
            if not log.execute(statement).rowcount:
                raise AssertionError("no event was edited")

    def pinned(self) -> Pin:
        """The materialisation of the graph."""
        found = pin(self.instance, GRAPH, "snap_1")
        if found is None:
            raise AssertionError("the graph has no pin")
        return found


def _log(ground: Ground) -> Log:
    logging.disable(logging.ERROR)  # every step of every run would be told
    ground.stack.callback(logging.disable, logging.NOTSET)
    home = ground.folder / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    instance = ground.stack.enter_context(instance_at(home))
    if instance is None:
        raise AssertionError("there is no instance")
    log = Log(ground.store(ground.folder / "told"), instance, home)
    materialise(instance, GRAPH, "snap_1")
    story.tell(log.store, pin(instance, GRAPH, "snap_1"))
    close(log.store, instance)
    if found := verify(log.store, instance).problems:
        raise AssertionError(f"the sound record is none: {found[0]}")
    return log


def _reused(log: Log) -> None:
    """Delete the graph's run, and let another run's event have its storage id."""
    was = log.pinned()
    log.instance.delete_run(was.run_id)
    run = materialise(log.instance, GRAPH, "snap_1")
    which = f"run_id = '{run}' AND dagster_event_type = 'ASSET_MATERIALIZATION'"
    log.sql(f"UPDATE event_logs SET id = {was.storage_id} WHERE {which}")


def _pins_edited(log: Log) -> None:
    with log.store.begin() as connection:
        connection.execute(update(tables.snapshot).values(pin={**log.pinned().model_dump(), "storage_id": 999}))


def _cut(log: Log) -> None:
    with log.store.begin() as connection:
        for table in ("ledger_payload", "ledger_entry"):
            connection.execute(text(f"DELETE FROM {table} WHERE seq > 5"))


def _delete_effects_run(log: Log) -> None:
    with log.store.read() as connection:
        run = connection.execute(tables.batch.select()).mappings().one()["effects_pin"]["run_id"]
    log.instance.delete_run(run)


TAMPERED: Mapping[str, tuple[str, Callable[[Log], object]]] = {
    "effect-reported": ("report an effect from outside", lambda log: report(log.instance, EFFECTS, "anything")),
    "effect-of-no-batch": (
        "materialise an effect of which the ledger knows nothing",
        lambda log: materialise(log.instance, EFFECTS, "v", {"ledger_first": 1}),
    ),
    "run-deleted": (
        "delete the run that published the graph",
        lambda log: log.instance.delete_run(log.pinned().run_id),
    ),
    "effects-run-deleted": ("delete the run that had the effects", _delete_effects_run),
    "graph-wiped": ("wipe the graph's materialisations", lambda log: log.instance.wipe_assets([dg.AssetKey([GRAPH])])),
    "effects-wiped": (
        "wipe the effects' materialisations",
        lambda log: log.instance.wipe_assets([dg.AssetKey.from_user_string(EFFECTS)]),
    ),
    "row-edited": (
        "edit an event's row",
        lambda log: log.sql(
            "UPDATE event_logs SET event = replace(event, 'snap_1', 'snap_9') WHERE asset_key LIKE '%graph%'"
        ),
    ),
    "row-deleted": (
        "delete an event's row",
        lambda log: log.sql("DELETE FROM event_logs WHERE asset_key LIKE '%effects%'"),
    ),
    "storage-id-reused": ("delete a run, and have its storage id used again", _reused),
    "pins-edited": ("edit the pin of a snapshot in the store", _pins_edited),
    "ledger-cut": ("cut the ledger off, below what the event log says there was", _cut),
}


def _tampered(tamper: Callable[[Log], object]) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        log = _log(ground)
        tamper(log)
        return "unnoticed" if verify(log.store, log.instance).ok else "noticed"

    return run


for _name, (_told, _tamper) in TAMPERED.items():
    GROUP.add(_name, _told, "noticed", _tampered(_tamper))


@GROUP.attack("graph-reported", expected="nothing")
def graph_reported(ground: Ground) -> str:
    """report a materialisation of another graph from outside: it is none that anybody could be woken by"""
    log = _log(ground)
    report(log.instance, GRAPH, "snap_evil")
    return "nothing" if pin(log.instance, GRAPH, "snap_evil") is None else "pinned"


@GROUP.attack("pin-forged", expected="refused")
def pin_forged(ground: Ground) -> str:
    """pin an event that was reported from outside, with its true storage id"""
    log = _log(ground)
    report(log.instance, GRAPH, "snap_evil")
    [found] = log.instance.fetch_materializations(dg.AssetKey([GRAPH]), limit=1).records
    forged = Pin(asset_key=GRAPH, storage_id=found.storage_id, run_id="", data_version="snap_evil")
    return "refused" if check_pin(log.instance, forged) else "believed"


@GROUP.attack("check-reported", expected="denied: failed_check")
def check_reported(ground: Ground) -> str:
    """report from outside that a check passed which failed: the gate asks the store for it"""
    log = _log(ground)
    log.instance.report_runless_asset_event(
        dg.AssetCheckEvaluation(check_name="accounted", passed=True, metadata={}, asset_key=dg.AssetKey([GRAPH]))
    )
    world = ground.world()
    world.edit("snapshot", {"snapshot_id": "snap_1"}, checks={"accounted": "failed"})
    return came(world, world.propose(world.wake(), world.debtors[0]))


@GROUP.attack("act-on-a-wiped-graph", expected="denied: no_pin")
def act_on_a_wiped_graph(ground: Ground) -> str:
    """act on a graph whose real materialisation was wiped, as the event log itself answers"""
    log = _log(ground)
    was = log.pinned()
    log.instance.wipe_assets([dg.AssetKey([GRAPH])])
    world = ground.world()
    world.edit("snapshot", {"snapshot_id": "snap_1"}, pin=was.model_dump())
    action = world.propose(world.wake(), world.debtors[0])
    return came(world, action, holds=lambda one: check_pin(log.instance, one) is None)
