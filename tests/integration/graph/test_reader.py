"""What a reader of a graph is told, and what it can not do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import orjson
import pytest

from orchestration.contracts import RecordId
from orchestration.errors import ConfigurationError, NoGraph
from orchestration.graph import EntityGraph
from orchestration.graph.rows import GoldenValue
from tests.graph_fixture import BUSINESS_DATE, build_graph


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_graph(tmp_path_factory.mktemp("graph") / "snap.duckdb")


@pytest.fixture(scope="module")
def graph(path: Path) -> Iterator[EntityGraph]:
    with EntityGraph(path) as opened:
        yield opened


def test_no_file_is_no_graph(tmp_path: Path) -> None:
    with pytest.raises(NoGraph, match=r"precede run"):
        EntityGraph(tmp_path / "nothing.duckdb")


def test_a_file_that_is_something_else_is_no_graph(tmp_path: Path) -> None:
    (tmp_path / "text.duckdb").write_text("not a database")
    other = tmp_path / "other.duckdb"
    duckdb.connect(str(other)).close()
    for path in (tmp_path / "text.duckdb", other):
        with pytest.raises(NoGraph, match="is not a published graph"):
            EntityGraph(path)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE invoice SET amount_open = 0",
        "CREATE TABLE more (a INTEGER)",
        "COPY invoice TO '{folder}/stolen.csv'",
        "ATTACH '{folder}/other.duckdb' AS other",
        "SELECT * FROM read_text('{folder}/*')",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "INSTALL httpfs",
    ],
)
def test_a_reader_can_neither_write_nor_leave_its_file(graph: EntityGraph, tmp_path: Path, statement: str) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    with pytest.raises(duckdb.Error):
        graph.rows(statement.format(folder=tmp_path))
    assert [one.name for one in tmp_path.iterdir()] == ["secret.txt"]
    invoice = graph.fact("erp:transaction:1001")
    assert invoice is not None
    assert invoice["amount_open"] == 1200


def test_a_second_reader_in_the_same_process_is_as_confined(graph: EntityGraph, path: Path, tmp_path: Path) -> None:
    with EntityGraph(path) as second, pytest.raises(duckdb.Error):
        second.rows(f"COPY invoice TO '{tmp_path}/stolen.csv'")
    assert graph.entity("org_acme") is not None


def test_an_unknown_id_is_nothing_and_never_an_error(graph: EntityGraph) -> None:
    assert graph.entity("org_nobody") is None
    assert graph.golden("org_nobody") == {}
    assert graph.crosswalk("crm:company:404") is None
    assert graph.fact("erp:transaction:404") is None
    assert graph.source_row("crm:company:404") is None
    assert graph.record("crm:company:404") is None
    assert graph.records_of("org_nobody") == []
    assert graph.facts("invoice", "org_nobody") == []
    assert graph.contact_points("org_nobody") == []
    assert graph.entity_360("org_nobody") == []
    assert graph.rows("FROM neighbours('org_nobody', 3)") == []
    assert len(graph.neighbours("org_nobody")) == 0
    assert graph.find("org_nobody") == []


def test_an_entity_says_where_it_was_found_and_whether_it_has_standing(graph: EntityGraph) -> None:
    elm = graph.entity("org_elm")
    assert elm is not None
    assert (elm.standing, elm.standing_reasons) == ("not_reconciled", ("ambiguous_link",))
    assert elm.resolution == {"crm": "linked", "erp": "linked", "support": "open"}
    assert elm.systems == ("crm", "erp")


def test_a_golden_value_names_its_record_and_missing_ones_are_left_out(graph: EntityGraph) -> None:
    golden = graph.golden("org_acme")
    assert (golden["name"].value, golden["name"].record_id) == ("Acme Widgets Ltd", "erp:customer:101")
    assert "lei" not in golden
    assert set(graph.goldens(["org_acme", "person_ada", "org_nobody"])) == {"org_acme", "person_ada"}


def test_many_are_looked_up_at_once(graph: EntityGraph) -> None:
    assert set(graph.entities(["org_acme", "org_bolt", "org_nobody"])) == {"org_acme", "org_bolt"}
    assert set(graph.crosswalks(["crm:company:1", "crm:contact:9", "x:y:z"])) == {"crm:company:1", "crm:contact:9"}
    assert set(graph.facts_by_id("invoice", ["erp:transaction:1001", "x:y:z"])) == {"erp:transaction:1001"}
    assert set(graph.source_rows(["crm:company:1", "crm:company:1#person", "x:y:z"])) == {
        "crm:company:1",
        "crm:company:1#person",
    }


def test_source_rows_as_text_say_what_source_rows_say(graph: EntityGraph) -> None:
    every = [row["record_id"] for row in graph.rows("FROM source_id ORDER BY ALL")]
    asked = [*every, *(f"{one}#person" for one in every[:3]), "x:y:z"]
    read, texts = graph.source_rows(asked), graph.source_texts(asked)
    assert texts.keys() == read.keys() != set()
    for one, text in texts.items():
        row = read[one]
        assert text[:-1] == (row.record_id, row.system, row.source_table, row.source_key, row.row_hash)
        assert orjson.dumps(text.row) == orjson.dumps(row.row)
    assert graph.source_texts([]) == {}


def test_golden_records_are_what_the_tables_say_with_times_in_utc(tmp_path: Path) -> None:
    seen = "created_at = TIMESTAMPTZ '2026-10-30 09:00:00+02', created_at_record = 'crm:company:1'"
    with EntityGraph(build_graph(tmp_path / "graph.duckdb", f"UPDATE organisation SET {seen}")) as graph:
        rows = {row["entity_id"]: row for row in graph.rows("SELECT * FROM organisation")}
        goldens = graph.goldens(rows)
    assert goldens.keys() == rows.keys() != set()
    for entity_id, golden in goldens.items():
        for name, value in golden.items():
            assert (value.value, value.record_id) == (rows[entity_id][name], rows[entity_id][f"{name}_record"])
        assert golden["created_at"] == GoldenValue(datetime(2026, 10, 30, 7, tzinfo=UTC), RecordId("crm:company:1"))
        assert golden["created_at"].value.tzinfo is UTC


def test_a_fact_is_completed_by_other_rows_of_its_system(graph: EntityGraph) -> None:
    completing = graph.support(["erp:transaction:1001", "crm:company:1", "x:y:z"])
    assert completing == {"erp:transaction:1001": ("erp:transaction_line:10010",)}
    line = graph.source_row("erp:transaction_line:10010")
    assert line is not None
    assert line.row["foreignamountunpaid"] == "1200.00"


def test_a_record_that_its_source_merged_away_leads_to_the_entity(graph: EntityGraph) -> None:
    merged = graph.crosswalk("crm:contact:9")
    assert merged is not None
    assert (merged.entity_id, merged.reason) == ("person_ada", "alias")
    assert [one.record_id for one in graph.records_of("person_ada")] == [
        "crm:contact:1",
        "crm:contact:9",
        "support:user:21",
    ]


def test_facts_come_with_exact_money_and_with_whom_they_belong_to(graph: EntityGraph) -> None:
    invoices = graph.facts("invoice", "org_acme")
    assert [one.source_key for one in invoices] == ["1001", "1002", "1003", "1004", "1005"]
    assert invoices[2]["amount_open"] == Decimal("450.50")
    assert invoices[0].verified_fields == ("amount_open",)
    ticket = graph.fact("support:ticket:31")
    assert ticket is not None
    assert (ticket.fact, ticket.entity_id, ticket.person_entity_id) == ("ticket", "org_acme", "person_ada")
    assert ticket["created_at"].tzinfo is UTC
    assert [one.record_id for one in graph.facts("ticket", "person_ada")] == ["support:ticket:31"]


def test_a_kind_of_fact_that_does_not_exist_is_a_mistake(graph: EntityGraph) -> None:
    with pytest.raises(ConfigurationError, match="one of deal, sales_order, invoice"):
        graph.facts("invoice; DROP TABLE invoice", "org_acme")


def test_contact_points_say_who_asserts_them(graph: EntityGraph) -> None:
    assert [(one.value, one.asserted_by) for one in graph.contact_points("person_dan", "email")] == [
        ("dan@acme.example", "public")
    ]
    assert {one.channel for one in graph.contact_points("org_acme")} == {"email", "phone"}


def test_relationships_lead_both_ways(graph: EntityGraph) -> None:
    assert {one.from_entity for one in graph.relationships("org_acme", "works_at")} == {
        "person_ada",
        "person_cat",
        "person_dan",
    }
    assert {one.to_entity for one in graph.relationships("person_ada")} == {"org_acme"}
    assert {one.kind for one in graph.relationships("org_acme")} == {"works_at", "parent_of"}


def test_doubts_disagreements_and_compared_pairs_are_told(graph: EntityGraph) -> None:
    assert [(one["field"], one["value_a"], one["value_b"]) for one in graph.conflicts("org_crane")] == [
        ("vat_number", "GB111111111", "GB222222222")
    ]
    assert [one["entity_b"] for one in graph.review_pairs("org_elm")] == ["org_elm_support"]
    assert graph.review_pairs("org_elm") == graph.review_pairs("org_elm_support")
    assert {one["status"] for one in graph.links("org_acme")} == {"accepted", "vetoed"}


# --- find


@pytest.mark.parametrize(
    ("text", "entity", "matched_on"),
    [
        ("Acme Widgets Ltd", "org_acme", "name"),
        ("ACME WIDGETS", "org_acme", "name"),
        ("acme", "org_acme", "name"),
        ("crane sohne", "org_crane", "name"),
        ("Bolt Logistcs", "org_bolt", "name"),
        ("okafor ada", "person_ada", "name"),
        ("gb 123 4567 89", "org_acme", "vat_number"),
        ("123456789", "org_acme", "vat_number"),
        ("ADA@acme.example", "person_ada", "email"),
        ("0207 946 0001", "org_acme", "phone"),
        ("+44 20 7946 0001", "org_acme", "phone"),
        ("crm:contact:9", "person_ada", "record"),
        ("erp:transaction:2001", "org_bolt", "invoice"),
        ("org_dune", "org_dune", "entity id"),
    ],
)
def test_find_knows_what_a_text_may_be(graph: EntityGraph, text: str, entity: str, matched_on: str) -> None:
    best = graph.find(text)[0]
    assert (best["entity_id"], best["matched_on"]) == (entity, matched_on)


@pytest.mark.parametrize("text", ["", " ", "%", "'; DROP TABLE entity; --", "no such thing anywhere"])
def test_find_finds_nothing_for_a_text_that_means_nothing(graph: EntityGraph, text: str) -> None:
    assert graph.find(text) == []


def test_find_returns_each_entity_once_and_the_likeliest_first(graph: EntityGraph) -> None:
    hits = graph.find("elm")
    assert [one["entity_id"] for one in hits] == sorted(
        {one["entity_id"] for one in hits}, key=[one["entity_id"] for one in hits].index
    )
    assert {one["entity_id"] for one in hits} == {"org_elm", "org_elm_support", "person_gus"}
    assert [one["score"] for one in hits] == sorted((one["score"] for one in hits), reverse=True)


# --- entity_360, neighbours, why


def test_entity_360_tells_everything_in_sections(graph: EntityGraph) -> None:
    rows = graph.entity_360("org_crane")
    sections = list(dict.fromkeys(row["section"] for row in rows))
    assert sections == ["entity", "golden", "record", "fact", "relationship", "conflict", "event"]
    told = {(row["section"], row["key"], row["value"], row["record_id"]) for row in rows}
    assert ("golden", "vat_number", "GB222222222", "erp:customer:103") in told
    assert ("conflict", "vat_number", "GB111111111", "crm:company:3") in told
    assert ("fact", "invoice", "1", None) in told
    assert ("relationship", "works_at <-", "person_eve Eve Crane", "crm:contact:5") in told
    assert ("standing", "ambiguous_link", "not reconciled", None) in {
        tuple(row.values()) for row in graph.entity_360("org_elm")
    }


def test_neighbours_are_reached_in_as_few_steps_as_there_are(graph: EntityGraph) -> None:
    rows = graph.rows("FROM neighbours('person_ada', 3)")
    assert {row["entity_id"]: row["distance"] for row in rows} == {
        "org_acme": 1,
        "org_bolt": 2,
        "person_cat": 2,
        "person_dan": 2,
        "person_ben": 3,
    }
    assert {row["entity_id"] for row in graph.rows("FROM neighbours('person_ada', 1)")} == {"org_acme"}


def test_a_neighbourhood_is_a_networkx_graph_with_direction_and_evidence(graph: EntityGraph) -> None:
    view = graph.neighbours("person_ada", 2)
    assert set(view) == {"person_ada", "org_acme", "org_bolt", "person_cat", "person_dan"}
    assert view.nodes["org_acme"]["name"] == "Acme Widgets Ltd"
    assert sorted(data["record_id"] for data in view["person_ada"]["org_acme"].values()) == [
        "crm:contact:1",
        "support:user:21",
    ]
    assert view.has_edge("org_bolt", "org_acme")
    assert not view.has_edge("org_acme", "org_bolt")


def test_why_shows_the_pair_itself_whichever_way_round(graph: EntityGraph) -> None:
    [pair] = graph.why("crm:company:1", "erp:customer:101")
    assert (pair["status"], pair["tier"], pair["comparisons"]) == (
        "accepted",
        "vat_number",
        {"name": "close", "vat_number": "same"},
    )
    assert graph.why("erp:customer:101", "crm:company:1") == [pair]
    [vetoed] = graph.why("crm:company:1", "crm:company:2")
    assert (vetoed["status"], vetoed["veto"]) == ("vetoed", "vat_numbers_differ")


def test_why_shows_the_shortest_chain_where_two_records_were_never_compared(graph: EntityGraph) -> None:
    chain = graph.why("support:organization:11", "erp:customer:101")
    assert [(row["step"], row["record_a"], row["record_b"]) for row in chain] == [
        (1, "crm:company:1", "support:organization:11"),
        (2, "crm:company:1", "erp:customer:101"),
    ]
    through_a_merge = graph.why("crm:contact:9", "support:user:21")
    assert [row["tier"] for row in through_a_merge] == ["alias", "email_and_name"]


def test_why_shows_nothing_where_nothing_joins_two_records(graph: EntityGraph) -> None:
    assert graph.why("crm:company:1", "crm:company:3") == []
    assert graph.why("crm:company:1", "crm:company:404") == []


def test_why_takes_the_shortest_way_through_a_large_cluster(tmp_path: Path) -> None:
    ring = """
        INSERT INTO crosswalk
        SELECT 'crm:company:r' || i, 'org_acme', 'organisation', 1.0, 'model' FROM range(12) AS r(i);
        INSERT INTO link
        SELECT 'organisation', 'crm:company:r' || i, 'crm:company:r' || ((i + 1) % 12), 5.0, 0.99, NULL, NULL,
            'accepted', '{}' FROM range(12) AS r(i);
    """
    with EntityGraph(build_graph(tmp_path / "ring.duckdb", ring)) as graph:
        chain = graph.why("crm:company:r0", "crm:company:r9")
    assert [{row["record_a"], row["record_b"]} for row in chain] == [
        {"crm:company:r11", "crm:company:r0"},
        {"crm:company:r10", "crm:company:r11"},
        {"crm:company:r9", "crm:company:r10"},
    ]


# --- triggers


def test_a_trigger_gets_the_business_date_where_it_asks_for_it(graph: EntityGraph) -> None:
    overdue = (
        "SELECT record_id FROM invoice WHERE due_on < $business_date AND amount_open > 0 AND direction = 'receivable'"
    )
    assert {row["record_id"][-4:] for row in graph.run_trigger(overdue, BUSINESS_DATE)} == {
        "1001",
        "1003",
        "2001",
        "3001",
        "4001",
        "5001",
    }
    everything = graph.run_trigger("SELECT entity_id FROM entity", BUSINESS_DATE)
    assert len(everything) == 13


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1; SELECT 2",
        "CREATE TABLE t AS SELECT 1",
        "SELECT $secret",
        "SELECT no_such_column FROM entity",
        "SELECT FROM WHERE",
        "",
        "SELECT * FROM read_text('/etc/hostname')",
    ],
)
def test_a_trigger_that_is_not_one_select_on_the_graph_is_refused(graph: EntityGraph, sql: str) -> None:
    with pytest.raises(ConfigurationError, match=r"trigger\.sql"):
        graph.run_trigger(sql, BUSINESS_DATE)
