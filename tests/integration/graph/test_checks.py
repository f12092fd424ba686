"""Each blocking check lets a sound graph pass and names what offends in another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.graph.checks import CHECKS, Delivery, check_graph, enough_rows
from orchestration.graph.reader import EntityGraph
from tests.graph_fixture import build_graph

OFFENCES = [
    ("no_duplicate_source_row", "INSERT INTO source_record FROM source_record LIMIT 1", None),
    (
        "no_duplicate_record",
        "INSERT INTO payment BY NAME SELECT record_id, entity_id FROM invoice WHERE record_id = 'erp:transaction:1001'",
        "erp:transaction:1001",
    ),
    (
        "no_duplicate_crosswalk",
        "INSERT INTO crosswalk VALUES ('crm:company:1', 'org_bolt', 'organisation', 1.0, 'model')",
        "crm:company:1",
    ),
    ("no_duplicate_entity", "INSERT INTO entity FROM entity WHERE entity_id = 'org_acme'", "org_acme"),
    ("one_golden_record_each", "DELETE FROM person WHERE entity_id = 'person_ada'", "person_ada"),
    (
        "crosswalk_entities_exist",
        "INSERT INTO crosswalk VALUES ('crm:company:77', 'org_gone', 'organisation', NULL, 'single')",
        "crm:company:77",
    ),
    (
        "records_have_entities",
        "UPDATE person_record SET entity_id = NULL WHERE record_id = 'crm:contact:2'",
        "crm:contact:2",
    ),
    (
        "entities_have_records",
        "UPDATE organisation_record SET entity_id = 'org_acme' WHERE entity_id = 'org_dune'",
        "org_dune",
    ),
    (
        "fact_entities_exist",
        "UPDATE invoice SET entity_id = 'org_gone' WHERE record_id = 'erp:transaction:1001'",
        "erp:transaction:1001",
    ),
    (
        "fact_entities_exist",
        "UPDATE ticket SET person_entity_id = NULL WHERE record_id = 'support:ticket:31'",
        "support:ticket:31",
    ),
    (
        "mentioned_entities_exist",
        "INSERT INTO relationship VALUES ('person_ada', 'org_gone', 'works_at', 'crm:contact:1')",
        "org_gone",
    ),
    (
        "supporting_rows_exist",
        "INSERT INTO support VALUES ('erp:transaction:1001', 'erp:transaction_line:gone')",
        "erp:transaction_line:gone",
    ),
    ("source_rows_exist", "DELETE FROM source_record WHERE record_id = 'erp:customer:101'", "erp:customer:101"),
]


NOTED = {
    "no_duplicate_source_row": ("source", "crm:company:1"),
    "no_duplicate_record": ("record", "erp:transaction:1001"),
    "no_duplicate_crosswalk": ("crosswalk", "crm:company:1"),
    "no_duplicate_entity": ("entity", "org_acme"),
    "one_golden_record_each": ("entity", "person_ada"),
    "crosswalk_entities_exist": ("crosswalk", "crm:company:77"),
    "records_have_entities": ("record", "crm:contact:2"),
    "entities_have_records": ("entity", "org_dune"),
    "mentioned_entities_exist": ("mention", "org_gone"),
    "supporting_rows_exist": ("support", "erp:transaction:1001"),
    "source_rows_exist": ("source", "erp:customer:101"),
}
"""What a change notes that may have brought such an offence about."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EntityGraph]:
    with EntityGraph(build_graph(tmp_path_factory.mktemp("graph") / "sound.duckdb")) as graph:
        yield graph


def test_a_sound_graph_passes_every_check(sound: EntityGraph) -> None:
    results = check_graph(sound)
    assert [result.name for result in results] == [check.name for check in CHECKS]
    assert all(result.passed for result in results)


def test_every_check_has_an_offence_that_it_is_tried_on() -> None:
    assert {name for name, _, _ in OFFENCES} == {check.name for check in CHECKS}


@pytest.mark.parametrize(("name", "offence", "example"), OFFENCES)
def test_what_offends_is_found_and_named(tmp_path: Path, name: str, offence: str, example: str | None) -> None:
    with EntityGraph(build_graph(tmp_path / "offending.duckdb", offence)) as graph:
        result = next(result for result in check_graph(graph) if result.name == name)
    assert not result.passed
    assert result.found == "1 that offend"
    assert example is None or result.examples == (example,)


@pytest.mark.parametrize(("name", "offence", "example"), OFFENCES)
def test_of_a_graph_made_by_changes_what_changed_is_asked_and_nothing_else(
    tmp_path: Path, name: str, offence: str, example: str | None
) -> None:
    step = "INSERT INTO snapshot_file VALUES ('code', 1, 0, 0)"
    part, changed = NOTED.get(name, ("record", example or ""))
    noted = f"INSERT INTO snapshot_change VALUES ('{part}', '{changed}')"
    for statements, found in (((offence, step, noted), True), ((offence, step), False), ((step, noted), None)):
        if name == "no_duplicate_source_row" and found:
            duplicate = "INSERT INTO source_record FROM source_record WHERE record_id = 'crm:company:1'"
            path = build_graph(tmp_path / f"{found}.duckdb", duplicate, step, noted)
        else:
            path = build_graph(tmp_path / f"{found}.duckdb", *statements)
        if found is None and part == "mention":
            continue  # what is noted there is named
        with EntityGraph(path) as graph:
            result = next(result for result in check_graph(graph) if result.name == name)
        every_time = name == "records_have_entities"  # asked in full, as that costs nothing
        assert result.passed is (not found and not (every_time and found is False)), statements
        assert not found or example is None or result.examples == (example,)


@pytest.mark.parametrize(
    ("name", "offence", "noted", "example"),
    [
        (
            "fact_entities_exist",
            "DELETE FROM entity WHERE entity_id = 'org_bolt'",
            ("entity", "org_bolt"),
            "erp:transaction:2001",
        ),
        (
            "fact_entities_exist",
            "UPDATE invoice SET entity_id = NULL WHERE record_id = 'erp:transaction:2001'",
            ("crosswalk", "erp:customer:102"),
            "erp:transaction:2001",
        ),
        (
            "mentioned_entities_exist",
            "DELETE FROM entity WHERE entity_id = 'org_bolt'",
            ("entity", "org_bolt"),
            "org_bolt",
        ),
        (
            "crosswalk_entities_exist",
            "DELETE FROM entity WHERE entity_id = 'org_bolt'",
            ("entity", "org_bolt"),
            "crm:company:2",
        ),
        (
            "source_rows_exist",
            "UPDATE person_record SET record_id = 'crm:company:gone#person' WHERE record_id = 'crm:contact:2'",
            ("source", "crm:company:gone"),
            "crm:company:gone#person",
        ),
    ],
)
def test_what_refers_to_something_that_is_gone_is_found(
    tmp_path: Path, name: str, offence: str, noted: tuple[str, str], example: str
) -> None:
    step = "INSERT INTO snapshot_file VALUES ('code', 1, 0, 0)"
    path = build_graph(tmp_path / "gone.duckdb", offence, step, f"INSERT INTO snapshot_change VALUES {noted}")
    with EntityGraph(path) as graph:
        result = next(result for result in check_graph(graph) if result.name == name)
    assert not result.passed
    assert example in result.examples


def test_a_fact_of_nobody_we_know_offends_nobody(tmp_path: Path) -> None:
    unknown = "UPDATE invoice SET entity_id = NULL, organisation_record = NULL WHERE record_id = 'erp:transaction:1001'"
    with EntityGraph(build_graph(tmp_path / "unknown.duckdb", unknown)) as graph:
        assert all(result.passed for result in check_graph(graph))


def test_the_second_record_of_a_row_rests_on_that_row(tmp_path: Path) -> None:
    second = "UPDATE person_record SET record_id = 'crm:company:1#person' WHERE record_id = 'crm:contact:2'"
    with EntityGraph(build_graph(tmp_path / "second.duckdb", second)) as graph:
        assert all(result.passed for result in check_graph(graph))
        row = graph.source_row("crm:company:1#person")
        assert row is not None
        assert row.record_id == "crm:company:1"


def test_a_table_that_delivers_far_fewer_rows_than_last_time_stops_publication() -> None:
    last = {("crm", "company"): 100, ("erp", "customer"): 100}
    read = [Delivery("crm", "company", 49), Delivery("erp", "customer", 50)]
    result = enough_rows(read, last)
    assert not result.passed
    assert result.examples == ("crm.company has 49 rows and needs 50",)
    assert enough_rows([Delivery("crm", "company", 49, min_share_of_last=0.4), read[1]], last).passed


def test_a_system_of_the_last_graph_that_is_not_read_now_stops_publication() -> None:
    last = {("crm", "company"): 100, ("crm", "contact"): 9, ("erp", "customer"): 1, ("empty", "site"): 0}
    result = enough_rows(iter([Delivery("shop", "customer", 50)]), last)
    assert not result.passed
    assert result.found == "the graph published last held rows of crm, erp; none of them is read now"
    assert "use another PRECEDE_HOME for other sources" in result.needed
    assert "set PRECEDE_ACCEPT_MISSING=crm,erp" in result.needed


def test_a_table_that_delivers_fewer_rows_than_it_must_stops_publication_even_the_first_time() -> None:
    assert not enough_rows([Delivery("crm", "company", 9, min_rows=10)], {}).passed
    assert enough_rows([Delivery("crm", "company", 10, min_rows=10)], {}).passed
    assert enough_rows([Delivery("crm", "company", 0)], {}).passed
