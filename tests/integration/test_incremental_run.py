"""Real runs on one home: everything, then a few changed rows, then everything anew; and elsewhere the same at once.

What is linked rests on counts that were frozen when everything was read, so that elsewhere begins with the same counts.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import dagster as dg
import pytest

from examples.northgate.build import Targets, build
from examples.northgate.plan import Plan
from orchestration.cli.processes import Event, run_job
from orchestration.graph.checks import CHECKS, run_check
from orchestration.graph.current import current_path
from orchestration.graph.model import FACTS, RECORD_TYPES
from orchestration.graph.reader import EntityGraph
from orchestration.layers import read_layer
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from orchestration.work.environment import prepare_home

SYNCED: Final = "2026-11-02T06:30:00.000000"
"""When the connector loaded the changed rows, which is after all others."""
CHANGES: Final = {
    "crm": (
        ("company", "id", 4, "property_name = property_name || ' Group'"),
        ("company", "id", 2, "property_phone = '+44 20 7946 0018'"),
        ("contact", "id", 4, "property_jobtitle = 'Head of Accounts'"),
        ("contact", "id", 1, "_fivetran_deleted = 1"),
    ),
    "erp": (
        ("customer", "id", 3, "terms = CASE terms WHEN 4 THEN 1 ELSE 4 END"),
        ("vendor", "id", 1, "email = 'remittances@wexcombe.example'"),
    ),
    "support": (
        ("ticket", "id", 3, "subject = 'About: ' || subject"),
        ("user", "id", 2, "phone = '+44 20 7946 0911'"),
    ),
}
"""System to the table, its key, how many rows of it change, and how."""

DELETED: Final = {"company": "is_deleted", **dict.fromkeys(("contact", "customer", "vendor"), "_fivetran_deleted")}
"""Table to the column that marks a row as deleted."""


@dataclass(frozen=True)
class Ran:
    """A home in which a job ran, what it told, and the graph that is current there now."""

    settings: Settings
    told: list[Event]
    graph: Path


def run(job: str, settings: Settings) -> Ran:
    told: list[Event] = []
    run_job("insight", job, settings, told.append)
    with closing(open_store(settings)) as store:
        return Ran(settings, told, current_path(store, settings))


def change(home: Path) -> int:
    """Change rows as a connector does: it moves their stamp. How many were changed."""
    changed = 0
    for system, changes in CHANGES.items():
        with closing(sqlite3.connect(home / "northgate" / f"{system}.db")) as books, books:
            for table, key, number, what in changes:
                there = f"_fivetran_synced < ? AND NOT {DELETED.get(table, '0')}"
                mine = f'SELECT "{key}" FROM "{table}" WHERE {there} ORDER BY "{key}" LIMIT {number}'
                statement = f'UPDATE "{table}" SET {what}, _fivetran_synced = ? WHERE "{key}" IN ({mine})'
                changed += books.execute(statement, [SYNCED, SYNCED]).rowcount
    return changed


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, Ran, Ran, Ran]:
    """The first run, the one after the changes, one elsewhere of everything, and the rebuild of the first home."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("PRECEDE_STORE_URL", "DAGSTER_HOME", "PRECEDE_EXCHANGE", "PRECEDE_SOURCES"):
            environment.delenv(name, raising=False)
        here, there = (Settings(home=tmp_path_factory.mktemp(name)) for name in ("here", "there"))
        prepare_home(here)
        prepare_home(there)
        build(Plan(records=2000), Targets(here.home / "northgate"))
        first = run("reconcile", here)
        assert change(here.home) == 20
        shutil.copytree(here.home / "northgate", there.home / "northgate")
        counted = Path("stages", "handed", "links")  # which say where the frozen counts are
        shutil.copytree(here.home / counted, there.home / counted)
        return first, run("reconcile", here), run("reconcile", there), run("rebuild", here)


def asked(path: Path, sql: str) -> list[dict[str, Any]]:
    with EntityGraph(path) as graph:
        return graph.rows(sql)


def test_a_run_after_a_few_changes_makes_every_stage_a_layer_and_the_graph_a_changed_copy(
    homes: tuple[Ran, Ran, Ran, Ran],
) -> None:
    first, changed, *_ = homes
    assert changed.graph != first.graph
    assert asked(changed.graph, "SELECT steps FROM snapshot_file") == [{"steps": 1}]
    number = asked(changed.graph, "SELECT count(*) AS number FROM snapshot_change WHERE part = 'source'")
    assert number == [{"number": 20}]
    was, now = (
        {row["part"]: changed.settings.home / row["path"] for row in asked(one.graph, "FROM snapshot_part")}
        for one in (first, changed)
    )
    moved = {part: path for part, path in now.items() if path != was[part]}
    assert {"landing/crm/company", "landing/erp/customer", "landing/support/ticket"} <= moved.keys()
    assert {"records/ticket/record", "entities/relationship"} <= moved.keys()
    for name in RECORD_TYPES:
        assert {f"records/{name}/record", f"links/{name}/link", f"entities/{name}/golden"} <= moved.keys()
    layers = {part: read_layer(path.parent) for part, path in moved.items()}
    assert {part: layer.height if layer else None for part, layer in layers.items()} == dict.fromkeys(moved, 1)


def test_its_checks_pass_those_of_the_changes_and_those_of_everything(homes: tuple[Ran, Ran, Ran, Ran]) -> None:
    for ran in homes:
        checks = [event for event in ran.told if event.kind == "check" and event.blocking]
        assert len(checks) > len(CHECKS)
        assert all(event.passed for event in checks)
        with EntityGraph(ran.graph) as graph:
            assert [check.name for check in CHECKS if not run_check(graph, check).passed] == []


def clusters(path: Path) -> dict[str, frozenset[str]]:
    """Entity to its records."""
    members: dict[str, set[str]] = {}
    for row in asked(path, "SELECT entity_id, record_id FROM crosswalk"):
        members.setdefault(row["entity_id"], set()).add(row["record_id"])
    return {entity: frozenset(records) for entity, records in members.items()}


def rows(path: Path, table: str, of: dict[str, frozenset[str]]) -> list[tuple[str, ...]]:
    """The rows of a table in order, with its records in place of each entity."""
    ordered = {entity: str(sorted(records)) for entity, records in of.items()}
    return sorted(
        tuple(ordered.get(value, value) if isinstance(value, str) else repr(value) for value in row.values())
        for row in asked(path, f"SELECT * FROM {table}")
    )


TABLES: Final = (
    *("entity", "crosswalk", "conflict", "contact_point", "relationship", "link", "alias", "quarantine", "note"),
    *("support", "entity_name", "entity_identifier"),
    *RECORD_TYPES,
    *(f"{name}_record" for name in RECORD_TYPES),
    *FACTS,
)


def test_it_says_what_a_first_run_elsewhere_says_of_the_same_rows(homes: tuple[Ran, Ran, Ran, Ran]) -> None:
    _, changed, elsewhere, _ = homes
    assert asked(elsewhere.graph, "SELECT steps, previous_snapshot FROM snapshot_file, snapshot") == [
        {"steps": 0, "previous_snapshot": None}
    ]
    here, there = clusters(changed.graph), clusters(elsewhere.graph)
    assert {*here.values()} == {*there.values()}
    for table in TABLES:
        assert rows(changed.graph, table, here) == rows(elsewhere.graph, table, there), table


def figures(ran: Ran, asset: str) -> dict[str, Any]:
    """What the last materialisation of an asset says in numbers."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DAGSTER_HOME", str(ran.settings.dagster_home))
        with dg.DagsterInstance.get() as instance:
            event = instance.get_latest_materialization_event(dg.AssetKey(asset.split("/")))
    assert event is not None
    assert event.asset_materialization is not None
    return {name: value.value for name, value in event.asset_materialization.metadata.items()}


def test_the_rebuild_tells_how_far_it_is_from_what_went_on_by_changes(homes: tuple[Ran, Ran, Ran, Ran]) -> None:
    _, changed, _, rebuilt = homes
    assert next(event for event in rebuilt.told if event.kind == "end").passed
    assert asked(rebuilt.graph, "SELECT steps FROM snapshot_file") == [{"steps": 0}]
    for name in RECORD_TYPES:
        links = f"SELECT record_a, record_b, status FROM link WHERE entity_type = '{name}'"
        told = figures(rebuilt, f"links/{name}")
        assert told["differing_links"] == apart(changed.graph, rebuilt.graph, links)
        assert told["drift_records"] == pytest.approx(1, abs=0.01)
        crosswalk = f"SELECT record_id, entity_id FROM crosswalk WHERE entity_type = '{name}'"
        told = figures(rebuilt, f"entities/{name}")
        assert told["differing_crosswalk"] == apart(changed.graph, rebuilt.graph, crosswalk)


def apart(one: Path, other: Path, sql: str) -> int:
    """How many rows only one of two graphs has."""
    both = [{tuple(row.values()) for row in asked(path, sql)} for path in (one, other)]
    return len(both[0] ^ both[1])
