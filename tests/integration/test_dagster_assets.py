"""What Dagster knows of the assets: who owns them, what they are, what they rest on, whatever the sources are."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

import action.definitions
import insight.definitions
import orchestration.definitions
from insight.handed import hand_on, handed, handed_before, handed_one
from insight.landing import LandedTable
from insight.publication.questions import BLOCKING, DRIFT, Figure, accounted, delivered, expected
from insight.sources.loading import load_sources
from orchestration.errors import ConfigurationError, NotFound, SourceError
from orchestration.graph.checks import CHECKS, enough_rows
from orchestration.graph.rows import SnapshotSource
from orchestration.settings import PROJECT, Settings
from tests.beside import SOURCES

LOCATIONS = (insight.definitions, action.definitions, orchestration.definitions)
NOW = datetime(2026, 11, 2, tzinfo=UTC)


def specs(definitions: dg.Definitions) -> dict[str, dg.AssetSpec]:
    """A location's own assets by key."""
    own = [asset for asset in definitions.assets or () if isinstance(asset, dg.AssetsDefinition)]
    return {spec.key.to_user_string(): spec for asset in own for spec in asset.specs}


def landed(source: str, system: str, table: str, rows: int) -> LandedTable:
    path = Path("x.parquet")
    return LandedTable(source, system, table, path, path, "v", rows, 0, 0, NOW)


@pytest.mark.parametrize("location", LOCATIONS, ids=lambda module: module.__name__)
def test_every_asset_says_what_it_is_made_with_and_who_answers_for_it(location: object) -> None:
    for key, spec in specs(location.defs()).items():  # type: ignore[attr-defined]
        assert spec.owners, key
        assert spec.group_name not in {None, "default"}, key
        assert spec.kinds, key
        assert len(spec.description or "") > 20, key


def test_the_graph_rests_on_every_table_and_stage_and_the_effects_on_graph_and_proposals() -> None:
    ours = specs(insight.definitions.defs())
    rests_on = {dep.asset_key.to_user_string() for dep in ours["graph_candidate"].deps}
    stages = {key for key, spec in ours.items() if spec.group_name in {"landing", "records", "links", "entities"}}
    assert rests_on == stages
    effects = specs(orchestration.definitions.defs())["effects/finance"]
    assert {dep.asset_key.to_user_string() for dep in effects.deps} == {"entity_graph", "proposals/finance"}


def test_tables_and_records_show_their_columns() -> None:
    ours = specs(insight.definitions.defs())
    schema = ours["crm/company"].metadata["dagster/column_schema"]
    assert {"id", "property_name", "_key", "_row_hash"} <= {column.name for column in schema.columns}
    schema = ours["records/invoice"].metadata["dagster/column_schema"]
    assert {column.name: column.type for column in schema.columns}["amount"] == "DECIMAL(18,2)"


def test_every_blocking_check_blocks_and_no_figure_does() -> None:
    checks = {
        spec.name: spec.blocking
        for definition in insight.definitions.defs().asset_checks or ()
        for spec in definition.check_specs  # type: ignore[union-attr]
    }
    assert checks == dict.fromkeys(BLOCKING, True) | dict.fromkeys(DRIFT, False)
    assert set(BLOCKING) > {check.name for check in CHECKS}


@pytest.mark.parametrize(
    ("folder", "tables"), [("senzing", {"senzing/entity"}), ("early-childhood-sites", {"early-childhood/site"})]
)
def test_other_sources_get_assets_of_their_own_and_none_of_northgates(
    folder: str, tables: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRECEDE_SOURCES", str(SOURCES / folder))
    ours = specs(insight.definitions.defs())
    assert {key for key, spec in ours.items() if spec.group_name == "landing"} == tables
    assert "records/invoice" not in ours
    assert {"records/organisation", "records/person", "entity_graph"} <= set(ours)


def test_a_wrong_source_folder_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(SOURCES / "senzing", tmp_path / "senzing")
    declaration = tmp_path / "senzing" / "source.yml"
    declaration.write_text(declaration.read_text().replace("kind: csv", "kind: cvs"))
    monkeypatch.setenv("PRECEDE_SOURCES", str(tmp_path))
    with pytest.raises(SourceError, match=r"source\.yml: kind: found 'cvs'; needed"):
        insight.definitions.defs()


@pytest.mark.parametrize("name", ["PRECEDE_SCHEDULE", "PRECEDE_REBUILD_SCHEDULE"])
@pytest.mark.parametrize("said", ["on Sundays", "0 3 * *", "61 * * * *"])
def test_a_schedule_that_is_none_is_one_sentence(name: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, said)
    with pytest.raises(ConfigurationError, match=re.escape(f"{name}: found {said!r}; needed a cron expression")):
        insight.definitions.defs()


def test_the_graph_is_made_anew_when_its_schedule_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRECEDE_REBUILD_SCHEDULE", "0 2 * * 6")
    schedules = {one.name: one for one in insight.definitions.defs().schedules or ()}
    told = schedules["rebuild_the_graph"]
    assert isinstance(told, dg.ScheduleDefinition)
    assert (told.cron_schedule, told.job_name) == ("0 2 * * 6", "rebuild")


def test_what_a_step_handed_on_is_read_as_it_was(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    tables = [landed("lists", "A", "site", 3), landed("lists", "B", "site", 4)]
    hand_on(settings, ["lists", "site"], *tables)
    assert handed(settings, ["lists", "site"], LandedTable) == tables
    assert handed_one(settings, ["lists", "site"], LandedTable) == tables[0]


def test_a_step_that_never_ran_is_named(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with pytest.raises(NotFound, match="lists/site was never materialised here"):
        handed(settings, ["lists", "site"], LandedTable)
    assert handed_before(settings, ["lists", "site"], LandedTable) == []


def test_what_another_version_handed_on_is_not_believed(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    hand_on(settings, ["lists", "site"], landed("lists", "A", "site", 3))
    file = settings.stages / "handed" / "lists" / "site.json"
    file.write_text(file.read_text().replace("row_count", "rows"))
    with pytest.raises(NotFound, match="materialised by another version"):
        handed(settings, ["lists", "site"], LandedTable)


def test_a_list_that_a_file_no_longer_holds_delivered_nothing() -> None:
    sources = load_sources(SOURCES / "senzing")
    last = {("CUSTOMERS", "entity"): 100, ("WATCHLIST", "entity"): 10}
    now = delivered([landed("senzing", "CUSTOMERS", "entity", 100)], sources, last)
    assert {(one.system, one.row_count) for one in now} == {("CUSTOMERS", 100), ("WATCHLIST", 0)}
    assert not enough_rows(now, last).passed


def test_a_source_whose_folder_was_taken_away_blocks_unless_that_is_accepted() -> None:
    sources = load_sources(PROJECT / "insight" / "sources")
    last = {("crm", "company"): 10, ("gone", "company"): 10}
    read = [landed("crm", "crm", "company", 10)]
    assert not enough_rows(delivered(read, sources, last), last).passed
    accepted = expected(last, read, {"gone"})
    assert enough_rows(delivered(read, sources, accepted), accepted).passed


def test_a_list_that_is_gone_may_be_accepted_and_one_that_is_read_is_held_to_its_size() -> None:
    sources = load_sources(SOURCES / "senzing")
    last = {("CUSTOMERS", "entity"): 100, ("WATCHLIST", "entity"): 10}
    for rows, passes in ((100, True), (10, False)):
        read = [landed("senzing", "CUSTOMERS", "entity", rows)]
        accepted = expected(last, read, {"CUSTOMERS", "WATCHLIST"})
        assert enough_rows(delivered(read, sources, accepted), accepted).passed is passes


def test_a_row_that_became_nothing_fails_the_account() -> None:
    whole = SnapshotSource("crm", "company", 10, "v", NOW, 8, 0, 1, 1, 0)
    assert accounted([whole]).passed
    lost = accounted([whole, SnapshotSource("crm", "contact", 10, "v", NOW, 8, 0, 1, 0, 1)])
    assert not lost.passed
    assert "crm.contact: 1" in lost.found


def test_a_table_whose_rows_nobody_followed_fails_the_account() -> None:
    unasked = accounted([SnapshotSource("crm", "contact", 10, "v", NOW)])
    assert not unasked.passed
    assert "crm.contact: 10" in unasked.found


@pytest.mark.parametrize(("before", "usual"), [(None, True), (0.90, True), (0.80, False), (0.99, False)])
def test_a_figure_is_marked_when_it_changes_much(before: float | None, usual: bool) -> None:  # noqa: FBT001
    assert Figure("standing_share", 0.92, before).is_usual is usual
