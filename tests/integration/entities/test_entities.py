"""Links become entities: golden records, conflicts, contact points, standing and relationships."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import duckdb
import pytest

from insight.entities import gather as gathering
from orchestration.graph import model
from tests.lists import Row, resolve, rows, short

FERNLEY: Row = {"name": "Fernley Coatings Ltd", "website": "fernley.co.uk"}
JANE: Row = {"given_name": "Jane", "family_name": "Abernathy", "email": "jane.abernathy@fernley.co.uk"}


def at(system: str, number: int = 1, **row: object) -> Row:
    return {"system": system, "id": str(number), **row}


def test_every_table_has_the_columns_of_the_published_graph(tmp_path: Path) -> None:
    schema = (Path(model.__file__).parent / "schema.sql").read_text()
    with duckdb.connect() as con:
        con.execute(schema)
        con.execute('ALTER TABLE entity_event RENAME happened_at TO "at"')
        result = resolve(tmp_path, [at("crm", **FERNLEY), at("erp", **FERNLEY)])
        for table in ("entity", "crosswalk", "conflict", "review_pair", "entity_event", "contact_point"):
            columns = ", ".join(f'"{name}"' for name in con.table(table).columns)
            con.execute(
                f"INSERT INTO {table} BY NAME SELECT {columns} FROM read_parquet(?)",
                [str(result.entities("organisation").table(table))],
            )
        con.execute(
            "INSERT INTO link BY NAME SELECT * FROM read_parquet(?)", [str(result.links("organisation").table("link"))]
        )
        con.execute("INSERT INTO relationship BY NAME SELECT * FROM read_parquet(?)", [str(result.relationship.path)])
        assert con.execute("SELECT count(*) FROM crosswalk").fetchall() == [(2,)]


def test_a_golden_record_has_every_field_and_where_it_came_from(tmp_path: Path) -> None:
    result = resolve(
        tmp_path, [at("crm", **FERNLEY, phone="0113 496 0123"), at("erp", **FERNLEY, email="a@fernley.co.uk")]
    )
    golden = result.golden("crm:1")
    assert {name for field in model.ORGANISATION.names for name in (field, f"{field}_record")} < set(golden)
    assert (golden["phone"], short(golden["phone_record"])) == ("+441134960123", "crm:1")
    assert (golden["email"], short(golden["email_record"])) == ("a@fernley.co.uk", "erp:1")
    assert golden["lei"] is None
    assert golden["lei_record"] is None


def test_what_is_verified_survives_what_staff_assert_and_that_what_the_public_does(tmp_path: Path) -> None:
    known = [
        at("crm", **JANE, asserted_by="staff", mobile="07400 000001", updated_at="2026-05-01"),
        at("erp", **JANE, asserted_by="verified", mobile="07400 000002", updated_at="2020-01-01"),
        at("support", **JANE, public=["mobile"], mobile="07400 000003", updated_at="2026-10-01"),
    ]
    assert resolve(tmp_path, people=known).golden("crm:1", "person")["mobile"] == "+447400000002"
    assert (
        resolve(tmp_path / "less", people=[known[0], known[2]]).golden("crm:1", "person")["mobile"] == "+447400000001"
    )


def test_the_value_that_more_records_state_survives_and_then_the_latest(tmp_path: Path) -> None:
    firms = [
        at("a", **FERNLEY, payment_terms="Net 30", updated_at="2020-01-01"),
        at("b", **FERNLEY, payment_terms="Net 30", updated_at="2020-01-01"),
        at("c", **FERNLEY, payment_terms="Net 60", updated_at="2026-01-01"),
    ]
    assert resolve(tmp_path, firms).golden("a:1")["payment_terms"] == "Net 30"
    assert resolve(tmp_path / "two", firms[1:]).golden("b:1")["payment_terms"] == "Net 60"


def test_the_parts_of_an_address_survive_together(tmp_path: Path) -> None:
    leeds = {"address": "12 Mill Street", "city": "Leeds", "postcode": "LS1 4AP"}
    firms = [at("crm", **FERNLEY, **leeds), at("erp", **FERNLEY, address="9 Dock Road", updated_at="2026-01-01")]
    golden = resolve(tmp_path, firms).golden("crm:1")
    assert (golden["city"], golden["postcode"]) == ("Leeds", "LS1 4AP")
    assert {short(golden[f"{field}_record"]) for field in ("address", "city", "postcode")} == {"crm:1"}


def test_a_town_and_a_postcode_survive_without_a_street(tmp_path: Path) -> None:
    firms = [
        at("crm", **FERNLEY, city="Leeds", postcode="LS1 4AP"),
        at("erp", **FERNLEY, city="Hull", updated_at="2026-01-01"),
    ]
    for home, stated in (("one", firms[:1]), ("two", firms)):
        golden = resolve(tmp_path / home, stated).golden("crm:1")
        assert (golden["address"], golden["city"], golden["postcode"]) == (None, "Leeds", "LS1 4AP")
        assert golden["address_record"] is None
        assert {short(golden[f"{field}_record"]) for field in ("city", "postcode")} == {"crm:1"}


def test_a_street_never_joins_the_town_of_another_record(tmp_path: Path) -> None:
    town = at("crm", **FERNLEY, city="Leeds", updated_at="2026-01-01")
    street = at("erp", **FERNLEY, address="9 Dock Road")
    golden = resolve(tmp_path, [town, street]).golden("crm:1")
    assert (golden["address"], golden["city"]) == ("9 Dock Road", None)
    golden = resolve(tmp_path / "weak", [town, street | {"public": ["address"]}]).golden("crm:1")
    assert (golden["address"], golden["city"]) == (None, "Leeds")


def test_a_whole_given_name_survives_an_initial(tmp_path: Path) -> None:
    people = [at("crm", **JANE | {"given_name": "J"}, updated_at="2026-01-01"), at("erp", **JANE)]
    golden = resolve(tmp_path, people=people).golden("crm:1", "person")
    assert (golden["given_name"], golden["name"]) == ("Jane", "Jane Abernathy")


def test_an_objection_anywhere_is_an_objection(tmp_path: Path) -> None:
    people = [at("crm", **JANE, opted_out="false"), at("support", **JANE, public=["opted_out"], opted_out="true")]
    result = resolve(tmp_path, people=people)
    assert result.entity("crm:1", "person")["opted_out"] is True
    assert result.golden("crm:1", "person")["opted_out"] is True


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("payment_terms", "Net 30", "Net 60"),
        ("payment_terms", "30 days", "30 days end of month"),
        ("country", "GB", "FR"),
    ],
)
def test_a_disagreement_that_matters_is_a_conflict(tmp_path: Path, field: str, one: str, other: str) -> None:
    result = resolve(tmp_path, [at("crm", **FERNLEY, **{field: one}), at("erp", **FERNLEY, **{field: other})])
    (conflict,) = result.table("organisation", "conflict")
    assert conflict["field"] == field
    assert conflict["entity_id"] == result.entity("crm:1")["entity_id"]
    assert {short(conflict["record_a"]), short(conflict["record_b"])} == {"crm:1", "erp:1"}


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("payment_terms", "Net 30", "30 days"),
        ("vat_number", "980780684", "GB 980 7806 84"),
        ("country", "UK", "United Kingdom"),
    ],
)
def test_a_difference_of_writing_is_no_conflict(tmp_path: Path, field: str, one: str, other: str) -> None:
    result = resolve(tmp_path, [at("crm", **FERNLEY, **{field: one}), at("erp", **FERNLEY, **{field: other})])
    assert len(result.clusters()) == 1
    assert result.table("organisation", "conflict") == []


def test_what_the_public_says_conflicts_with_nothing(tmp_path: Path) -> None:
    firms = [
        at("crm", **FERNLEY, payment_terms="Net 30"),
        at("erp", **FERNLEY, payment_terms="Net 90", public=["payment_terms"]),
    ]
    assert resolve(tmp_path, firms).table("organisation", "conflict") == []


def test_a_contact_point_says_which_record_states_it_and_who_asserts_it(tmp_path: Path) -> None:
    people = [
        at("crm", **JANE, phone="0113 496 0123"),
        at("erp", **JANE, asserted_by="verified"),
        at("support", **JANE, mobile="07400 000003", public=["mobile"]),
    ]
    stated = {
        (short(row["record_id"]), row["channel"], row["value"], row["asserted_by"])
        for row in resolve(tmp_path, people=people).table("person", "contact_point")
    }
    assert stated == {
        ("crm:1", "email", "jane.abernathy@fernley.co.uk", "staff"),
        ("crm:1", "phone", "+441134960123", "staff"),
        ("erp:1", "email", "jane.abernathy@fernley.co.uk", "verified"),
        ("support:1", "email", "jane.abernathy@fernley.co.uk", "staff"),
        ("support:1", "phone", "+447400000003", "public"),
    }


def test_an_entity_is_resolved_against_every_system_that_has_records_of_its_type(tmp_path: Path) -> None:
    other = at("support", name="Quite Another Bakery", website="another.example.org")
    result = resolve(tmp_path, [at("crm", **FERNLEY), at("erp", **FERNLEY), other], [at("hr", **JANE)])
    resolution = json.loads(result.entity("crm:1")["resolution"])
    assert resolution == {"crm": "linked", "erp": "linked", "support": "absent"}
    assert json.loads(result.entity("support:1")["resolution"]) == {
        "crm": "absent",
        "erp": "absent",
        "support": "linked",
    }
    assert result.entity("support:1")["standing"] == "reconciled"
    assert json.loads(result.entity("hr:1", "person")["resolution"]) == {"hr": "linked"}


def test_a_candidate_in_doubt_leaves_its_system_open_and_is_a_review_pair(tmp_path: Path) -> None:
    doubt = at("erp", name="Fernley Paint Ltd", website="fernley.co.uk")
    result = resolve(tmp_path, [at("crm", **FERNLEY), doubt])
    link = result.link("crm:1", "erp:1")
    assert link is not None
    assert link["status"] == "possible"
    (pair,) = result.table("organisation", "review_pair")
    assert pair["reason"] == "possible"
    assert {pair["entity_a"], pair["entity_b"]} == {result.entity(one)["entity_id"] for one in ("crm:1", "erp:1")}
    assert json.loads(result.entity("crm:1")["resolution"])["erp"] == "open"


def test_a_sources_own_merge_joins_its_records_and_keeps_the_old_id_findable(tmp_path: Path) -> None:
    merges = [("organisation", "crm", "1", "2"), ("organisation", "crm", "99", "2")]
    result = resolve(tmp_path, [at("crm", 1, name="Old Name"), at("crm", 2, **FERNLEY)], merges=merges)
    assert result.clusters() == {frozenset({"crm:1", "crm:2", "crm:99"})}
    assert {row["reason"] for row in result.table("organisation", "crosswalk")} == {"alias"}
    assert result.entity("crm:2")["record_count"] == 2


def test_people_work_where_staff_say_and_firms_have_the_parents_that_they_state(tmp_path: Path) -> None:
    firms = [
        at("crm", 1, name="Fernley Holdings Ltd"),
        at("crm", 2, **FERNLEY, parent_key="1"),
        at("support", 1, **FERNLEY),
    ]
    people = [
        at("crm", 7, **JANE, organisation_key="2"),
        at("support", 8, given_name="Sly", family_name="Stranger", organisation_key="1", public=["organisation_key"]),
    ]
    result = resolve(tmp_path, firms, people)
    stated = {
        (row["kind"], row["from_entity"], row["to_entity"], short(row["record_id"]))
        for row in rows(result.relationship.path)
    }
    works = (
        "works_at",
        result.entity("crm:7", "person")["entity_id"],
        result.entity("support:1")["entity_id"],
        "crm:7",
    )
    owns = ("parent_of", result.entity("crm:1")["entity_id"], result.entity("crm:2")["entity_id"], "crm:2")
    assert stated == {works, owns}


def test_a_golden_record_has_the_types_of_its_fields(tmp_path: Path) -> None:
    result = resolve(tmp_path, [at("crm", **FERNLEY), at("erp", **FERNLEY)])
    with duckdb.connect() as con:
        path = str(result.entities("organisation").table("golden"))
        types = {row[0]: row[1] for row in con.execute("DESCRIBE SELECT * FROM read_parquet(?)", [path]).fetchall()}
    for field in model.ORGANISATION.fields:
        expected = {"TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE"}.get(field.duckdb_type, field.duckdb_type)
        assert types[field.name] == expected


def test_an_unbelievable_cluster_loses_standing_and_stops_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "cluster", partial(gathering.cluster, believable=2))
    slips = ("Fernley Coatings Ltd", "Fernely Coatings Ltd", "Fernley Caotings Ltd")
    crowd = [at(system, name=name, website="fernley.co.uk") for system, name in zip("abc", slips, strict=True)]
    pair = [at(system, 2, name="Oakham Bakery Ltd", website="oakham-bakery.co.uk") for system in "ab"]
    result = resolve(tmp_path, [*crowd, *pair])
    assert result.clusters() == {*(frozenset({f"{system}:1"}) for system in "abc"), frozenset({"a:2", "b:2"})}
    for system in "abc":
        assert "unbelievable_cluster" in result.entity(f"{system}:1")["standing_reasons"]
    assert result.entity("a:2")["standing"] == "reconciled"
    assert {row["reason"] for row in result.table("organisation", "review_pair")} == {"unbelievable_cluster"}


def test_a_home_may_be_called_anything(tmp_path: Path) -> None:
    home = tmp_path / "it's a home; DROP"
    home.mkdir()
    assert len(resolve(home, [at("crm", **FERNLEY), at("erp", **FERNLEY)], [at("crm", 2, **JANE)]).clusters()) == 1
