"""Which source is believed first, as `source.yml` says it, decides what the graph says: of real runs.

And everything made anew, where nothing moved, is what it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration.cli.processes import run_job
from orchestration.graph.current import current_path
from orchestration.graph.reader import EntityGraph
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from orchestration.work.environment import prepare_home
from tests.integration.sources.folders import declared, write_source, write_sqlite

ORGANISATION = """
SELECT 'company' AS source_table, _key AS source_key, name, vat_number, payment_terms, updated_at FROM company
"""
ROW = {"id": 1, "name": "Fernley Coatings Ltd", "vat_number": "GB 980 7806 84"}
STATED = {
    "crm": ROW | {"payment_terms": "Net 30", "updated_at": "2026-10-01 09:00:00"},
    "erp": ROW | {"payment_terms": "Net 60", "updated_at": "2026-11-01 09:00:00"},
}


def state(sources: Path, believed: Mapping[str, int]) -> None:
    """Declare both sources, each with how early it is believed of payment terms."""
    columns = ["name", "vat_number", "payment_terms", "updated_at"]
    for system in STATED:
        order = {"survivorship": {"organisation": {"payment_terms": believed[system]}}} if system in believed else {}
        stated = declared(
            f"sqlite:///{{source}}/{system}.db",
            system=system,
            tables={"company": {"key": ["id"], "columns": columns, "concerns": {}}},
            **order,
        )
        write_source(sources / system, stated, organisation=ORGANISATION)


def terms(settings: Settings) -> tuple[str, str]:
    """The payment terms that the graph says, and the record that it has them of, after a run."""
    run_job("insight", "reconcile", settings, lambda _: None)
    with closing(open_store(settings)) as store:
        path = current_path(store, settings)
    with EntityGraph(path) as graph:
        assert graph.rows("SELECT system_a, system_b FROM conflict") == [{"system_a": "crm", "system_b": "erp"}]
        [row] = graph.rows("SELECT payment_terms, payment_terms_record FROM organisation")
    return row["payment_terms"], row["payment_terms_record"]


def figures(settings: Settings) -> dict[str, float]:
    """What everything made anew says of how far it is from what there was."""
    run_job("insight", "rebuild", settings, lambda _: None)
    told: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DAGSTER_HOME", str(settings.dagster_home))
        with dg.DagsterInstance.get() as instance:
            for stage in ("links", "entities"):
                event = instance.get_latest_materialization_event(dg.AssetKey([stage, "organisation"]))
                assert event is not None
                assert event.asset_materialization is not None
                told |= {name: value.value for name, value in event.asset_materialization.metadata.items()}
    return {name: told[name] for name in ("differing_links", "differing_crosswalk", "drift_records")}


def test_the_source_that_is_believed_first_decides_and_does_so_from_the_next_run_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PRECEDE_STORE_URL", "DAGSTER_HOME", "PRECEDE_EXCHANGE"):
        monkeypatch.delenv(name, raising=False)
    settings = Settings(home=tmp_path / "home", sources=tmp_path / "sources")
    prepare_home(settings)
    state(settings.sources, {})
    for system, row in STATED.items():
        write_sqlite(settings.sources / system / f"{system}.db", company=[row])
    assert terms(settings) == ("Net 60", "erp:company:1")
    state(settings.sources, {"crm": 1})
    assert terms(settings) == ("Net 30", "crm:company:1")
    state(settings.sources, {"crm": 2, "erp": 1})
    assert terms(settings) == ("Net 60", "erp:company:1")
    assert figures(settings) == {"differing_links": 0, "differing_crosswalk": 0, "drift_records": 1}
