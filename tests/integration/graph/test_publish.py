"""A candidate holds what the folders say, and the history of the graph before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from orchestration.graph.checks import check_graph
from orchestration.graph.model import SHAPES
from orchestration.graph.publish import build_candidate
from orchestration.graph.reader import EntityGraph
from orchestration.graph.rows import source_row_id
from orchestration.settings import Settings
from tests.graph_fixture import LandedTable
from tests.integration.graph.folders import READ_AT, after, world


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EntityGraph]:
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    with EntityGraph(build_candidate(world(settings.home), settings).path) as opened:
        yield opened


def test_a_graph_of_sound_folders_passes_every_check(graph: EntityGraph) -> None:
    assert [check for check in check_graph(graph) if not check.passed] == []


def test_a_graph_says_what_it_was_built_from(graph: EntityGraph) -> None:
    snapshot = graph.snapshot
    assert (snapshot.run_id, snapshot.code_version, snapshot.model_versions) == (
        "run-v1",
        "code-1",
        {"organisation": "m1"},
    )
    assert snapshot.previous_snapshot is None
    assert {(one.system, one.source_table): one.row_count for one in snapshot.sources}["erp", "transaction"] == 3
    assert all(one.read_at == READ_AT for one in snapshot.sources)
    assert [(one.asset_key, one.storage_id) for one in snapshot.inputs] == [("crm/company", 12), ("erp/customer", None)]


def test_a_source_row_is_kept_as_it_was_read(graph: EntityGraph) -> None:
    row = graph.source_row("crm:company:1")
    assert row is not None
    assert row.row == {"id": "1", "name": "Acme", "owner's name": "O'Hara"}
    assert (row.first_seen, row.last_seen) == (READ_AT, READ_AT)


def test_the_rows_that_complete_a_fact_are_in_the_graph_with_it(graph: EntityGraph) -> None:
    assert graph.support(["erp:transaction:100", "erp:transaction:101", "erp:transaction:102"]) == {
        "erp:transaction:100": ("erp:line:900",),
        "erp:transaction:101": ("erp:line:901",),
    }
    line = graph.source_row("erp:line:901")
    assert line is not None
    assert line.row == {"id": "901", "transaction": "101"}


def test_a_fact_belongs_to_the_entity_of_the_record_that_its_key_names(graph: EntityGraph) -> None:
    invoice = graph.fact("erp:transaction:101")
    assert invoice is not None
    assert (invoice.entity_id, invoice["organisation_record"]) == ("org_bolt", "erp:customer:8")


def test_a_fact_whose_key_names_no_record_belongs_to_nobody(graph: EntityGraph) -> None:
    invoice = graph.fact("erp:transaction:102")
    assert invoice is not None
    assert (invoice.entity_id, invoice["organisation_key"], invoice["organisation_record"]) == (None, "7", None)


def test_a_fact_that_names_another_fact_refers_to_its_record(graph: EntityGraph) -> None:
    payment = graph.fact("erp:payment:500")
    assert payment is not None
    assert payment["invoice_record"] == "erp:transaction:101"


def test_what_only_matching_needs_stays_out_of_the_graph(graph: EntityGraph) -> None:
    record = graph.record("crm:company:1")
    assert record is not None
    assert not [name for name in record if name.startswith("k_")]


def test_rejects_and_merges_are_in_the_graph(graph: EntityGraph) -> None:
    assert {row["reason"] for row in graph.rows("FROM quarantine")} == {"missing:name", "duplicate_key"}
    assert [(row["record_id"], row["field"]) for row in graph.rows("FROM note")] == [("crm:company:1", "vat_number")]
    assert graph.rows("FROM alias") == [
        {"record_id": "crm:company:9", "merged_into": "crm:company:1", "entity_type": "organisation"}
    ]
    merged = graph.crosswalk("crm:company:9")
    assert merged is not None
    assert (merged.entity_id, merged.reason) == ("org_acme", "alias")


def test_the_same_inputs_are_the_same_graph_and_nothing_is_done(settings: Settings) -> None:
    inputs = world(settings.home)
    first = build_candidate(inputs, settings)
    written = first.path.stat().st_mtime_ns
    again = build_candidate(inputs, settings)
    assert (first.built, again.built) == (True, False)
    assert (again.snapshot_id, again.path) == (first.snapshot_id, first.path)
    assert again.path.stat().st_mtime_ns == written
    successor = build_candidate(after(inputs, first.path), settings)
    assert (successor.built, successor.snapshot_id) == (False, first.snapshot_id)


def test_other_inputs_are_another_graph_even_when_they_come_back(settings: Settings) -> None:
    first = build_candidate(world(settings.home, "v1"), settings)
    second = build_candidate(world(settings.home, "v2", previous=first.path), settings)
    third = build_candidate(world(settings.home, "v1", previous=second.path), settings)
    assert len({first.snapshot_id, second.snapshot_id, third.snapshot_id}) == 3
    assert (second.previous, third.previous) == (first.snapshot_id, second.snapshot_id)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_second_record_of_a_row_is_told_from_its_row_in_sql_and_in_python(graph: EntityGraph, shape: str) -> None:
    [row] = graph.rows("SELECT source_row_id(?) AS id", [f"erp:customer:7#{shape}"])
    assert row["id"] == source_row_id(f"erp:customer:7#{shape}") == "erp:customer:7"


def test_only_a_new_read_time_is_no_new_graph(settings: Settings) -> None:
    inputs = world(settings.home)
    first = build_candidate(inputs, settings)
    later = [
        LandedTable(one.system, one.table, one.path, one.data_version, one.row_count, READ_AT + timedelta(hours=1))
        for one in inputs.landed
    ]
    assert (
        build_candidate(replace(inputs, landed=later, previous=first.path), settings).snapshot_id == first.snapshot_id
    )


def test_a_row_seen_before_keeps_the_time_it_was_first_seen(settings: Settings) -> None:
    first = build_candidate(world(settings.home, "v1"), settings)
    inputs = world(settings.home, "v2", previous=first.path)
    later = datetime(2026, 11, 3, tzinfo=UTC)
    landed = [
        LandedTable(one.system, one.table, one.path, one.data_version, one.row_count, later) for one in inputs.landed
    ]
    with EntityGraph(build_candidate(replace(inputs, landed=landed), settings).path) as graph:
        row = graph.source_row("crm:company:1")
        assert row is not None
        assert (row.first_seen, row.last_seen) == (READ_AT, later)


def test_history_goes_on_from_the_graph_before_and_nothing_happens_twice(settings: Settings) -> None:
    first = build_candidate(world(settings.home, "v1"), settings)
    same_events = build_candidate(world(settings.home, "v2", previous=first.path), settings)
    with EntityGraph(same_events.path) as graph:
        assert [(row["event"], row["snapshot_id"]) for row in graph.events("org_acme")] == [
            ("created", first.snapshot_id)
        ]
    changed = build_candidate(world(settings.home, "v3", previous=same_events.path, events="split"), settings)
    with EntityGraph(changed.path) as graph:
        assert [(row["event"], row["snapshot_id"]) for row in graph.events("org_acme")] == [
            ("created", first.snapshot_id),
            ("split", changed.snapshot_id),
        ]


def test_a_build_that_fails_leaves_no_candidate_and_no_rubbish(settings: Settings) -> None:
    inputs = world(settings.home)
    (inputs.entities["person"] / "golden.parquet").unlink()
    with pytest.raises(duckdb.IOException):
        build_candidate(inputs, settings)
    assert list(settings.snapshots.iterdir()) == []


def test_paths_with_quotes_are_paths(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "O'Hara's home")
    first = build_candidate(world(tmp_path / "plain"), settings)
    second = build_candidate(world(tmp_path / "plain", "v2", previous=first.path), settings)
    assert second.path.is_file()


def test_the_file_is_in_a_format_that_older_clients_open(graph: EntityGraph) -> None:
    header = graph.path.read_bytes()[:100]
    # bytes 8 to 11 are the magic word, the eight after them the storage version: 64 is that of DuckDB 0.9 to 1.1
    assert header[8:12] == b"DUCK"
    assert int.from_bytes(header[12:20], "little") == 64


def test_macros_are_in_the_file_and_need_nothing_else(graph: EntityGraph) -> None:
    names = {
        row["function_name"] for row in graph.rows("SELECT function_name FROM duckdb_functions() WHERE NOT internal")
    }
    assert {"find", "entity_360", "neighbours", "why"} <= names


def test_identifiers_and_names_of_every_record_find_its_entity(graph: EntityGraph) -> None:
    assert {(row["entity_id"], row["matched_on"]) for row in graph.find("gb-12")} == {
        ("org_acme", "vat_number"),
        ("org_bolt", "vat_number"),
        ("org_cobalt", "vat_number"),
    }
    assert [row["entity_id"] for row in graph.find("bolt ltd")] == ["org_bolt"]
    assert graph.find("cobalt")[0]["matched_value"] == "Cobalt"
