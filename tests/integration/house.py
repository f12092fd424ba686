"""A home with a small Northgate in which the jobs of the three code locations run, in this process."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import select

import action.definitions
import insight.definitions
import orchestration.definitions
from examples.northgate.build import Targets, build
from examples.northgate.plan import Plan
from orchestration.graph.current import current_snapshot
from orchestration.ledger.verify import verify
from orchestration.settings import Settings
from orchestration.store import tables
from orchestration.store.engine import Store, open_store
from orchestration.work.environment import prepare_home

LOCATIONS = {
    "reconcile": insight.definitions,
    "wake": orchestration.definitions,
    "propose": action.definitions,
    "act": orchestration.definitions,
}


class House:
    """A home with everything in it, and the jobs run in this process."""

    def __init__(self, home: Path, environment: pytest.MonkeyPatch) -> None:
        environment.setenv("PRECEDE_HOME", str(home))
        environment.setenv("DAGSTER_HOME", str(home / "dagster"))
        environment.setenv("PRECEDE_BUSINESS_DATE", "2026-11-02")
        self.settings = Settings()

    @property
    def store(self) -> Store:
        return open_store(self.settings)

    def run(self, *jobs: str, fails: bool = False) -> dg.ExecuteInProcessResult:
        """Run jobs one after the other; the last one's result."""
        with dg.DagsterInstance.get() as instance:
            for job in jobs or LOCATIONS:
                definition = LOCATIONS[job].defs().resolve_job_def(job)
                result = definition.execute_in_process(instance=instance, raise_on_error=False)
                assert result.success is not fails
        return result

    def snapshot(self) -> str | None:
        with closing(self.store) as store, store.read() as connection:
            return current_snapshot(connection)

    def rows(self, table: Any) -> list[dict[str, Any]]:
        with closing(self.store) as store, store.read() as connection:
            return [dict(row) for row in connection.execute(select(table)).mappings()]

    def effects(self) -> list[str]:
        return sorted(row["effect_key"] for row in self.rows(tables.outbox) if row["state"] == "done")

    def reminders(self) -> list[str]:
        """The effect keys that stand in the ERP."""
        query = "SELECT custrecord_effect_key FROM customrecord_dunning WHERE custrecord_effect_key IS NOT NULL"
        return sorted(row[0] for row in self.do("erp", query))

    def do(self, system: str, statement: str) -> list[Any]:
        with closing(sqlite3.connect(self.settings.home / "northgate" / f"{system}.db")) as books, books:
            return books.execute(statement).fetchall()

    def problems(self) -> list[str]:
        with closing(self.store) as store, dg.DagsterInstance.get() as instance:
            return list(verify(store, instance).problems)

    def materialisations(self, result: dg.ExecuteInProcessResult) -> dict[str, dict[str, Any]]:
        return {
            made.asset_key.to_user_string(): {name: entry.value for name, entry in made.metadata.items()}
            for event in result.get_asset_materialization_events()
            for made in [event.step_materialization_data.materialization]
        }


def settle(home: Path) -> None:
    """Build Northgate and run everything, and once more when its own reminders have come back from the ERP."""
    with pytest.MonkeyPatch.context() as environment:
        house = House(home, environment)
        prepare_home(house.settings)
        build(Plan(records=600), Targets(home / "northgate"))
        house.run()
        house.run()
