"""Rows become typed, normalised records; what fails goes to quarantine with its reason and itself."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import duckdb
import pytest

from insight.records import conform
from insight.records.derive import DERIVED
from insight.records.record_set import reasons
from orchestration.graph.ddl import reference
from orchestration.graph.model import COMMON, SHAPES
from tests.integration.records.case import case
from tests.integration.sources.folders import settings

COMPANY = "SELECT 'company' AS source_table, _key AS source_key, * EXCLUDE (id, _key, _row_hash) FROM company"
PERSON = "SELECT 'contact' AS source_table, _key AS source_key, * EXCLUDE (id, _key, _row_hash) FROM contact"
INVOICE = "SELECT 'invoice' AS source_table, _key AS source_key, * EXCLUDE (id, _key, _row_hash) FROM invoice"
MONEY = {"amount": "10", "amount_open": "5", "currency": "GBP"}


def test_every_shape_has_the_columns_and_types_of_the_model(tmp_path: Path) -> None:
    run = case(tmp_path, {"company": [{"id": 1, "name": "Dale"}]}, organisation=COMPANY).run()
    for name, shape in SHAPES.items():
        with duckdb.connect() as connection:
            described = connection.execute(f"DESCRIBE SELECT * FROM '{run.records.shapes[name].record}'").fetchall()
        found = {row[0]: row[1].replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ") for row in described}
        expected = dict(COMMON)
        for field in shape.fields:
            expected[field.name] = field.duckdb_type
            if field.refers_to:
                expected[reference(field.name)] = "VARCHAR"
        derived = {column: str(kind) for column, kind in DERIVED.get(name, {}).items()}
        assert {column: kind for column, kind in found.items() if not column.startswith("k_")} == expected
        assert [column for column in found if column.startswith("k_")] == list(derived)


def test_fields_are_normalised_and_typed(tmp_path: Path) -> None:
    row = {"id": 1, "organisation_key": None, "issued_on": "01/02/2026", "disputed": "T", **MONEY, "amount": "£1,234.5"}
    run = case(tmp_path, {"invoice": [row]}, invoice=INVOICE).run()
    (invoice,) = run.of("invoice").values()
    assert invoice["record_id"] == "crm:invoice:1"
    assert (invoice["system"], invoice["source_table"], invoice["source_key"]) == ("crm", "invoice", "1")
    assert (invoice["amount"], invoice["issued_on"], invoice["disputed"]) == (
        Decimal("1234.50"),
        date(2026, 2, 1),
        True,
    )


def test_times_without_a_zone_are_of_the_source(tmp_path: Path) -> None:
    stamps = {"created_at": "2026-07-01 12:00", "updated_at": "2026-07-01T12:00:00Z"}
    run = case(tmp_path, {"company": [{"id": 1, "name": "Dale", **stamps}]}, organisation=COMPANY).run()
    (record,) = run.of("organisation").values()
    assert record["created_at"] == datetime(2026, 7, 1, 11, tzinfo=UTC)
    assert record["updated_at"] == datetime(2026, 7, 1, 12, tzinfo=UTC)


def test_numbers_are_read_as_those_of_the_country_of_their_row(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "name": "Dale", "phone": "0161 496 0123", "country": None},
        {"id": 2, "name": "Mill", "phone": "702 919 1300", "country": "USA"},
    ]
    run = case(tmp_path, {"company": rows}, organisation=COMPANY).run()
    assert [row["phone"] for row in run.of("organisation").values()] == ["+441614960123", "+17029191300"]


def test_a_row_without_a_required_field_is_quarantined_with_itself(tmp_path: Path) -> None:
    run = case(tmp_path, {"company": [{"id": 1, "name": " n/a ", "city": "Leeds"}]}, organisation=COMPANY).run()
    (row,) = run.quarantine("organisation")
    assert run.of("organisation") == {}
    assert (row["record_id"], row["shape"], row["reason"]) == ("crm:company:1", "organisation", "missing:name")
    assert json.loads(row["row"]) == {"id": "1", "name": " n/a ", "city": "Leeds"}


def test_a_row_whose_required_field_cannot_be_read_is_quarantined(tmp_path: Path) -> None:
    run = case(tmp_path, {"invoice": [{"id": 1, **MONEY, "amount": "see attached"}]}, invoice=INVOICE).run()
    (row,) = run.quarantine("invoice")
    assert (row["reason"], row["detail"]) == ("unreadable:amount", "no amount")
    assert reasons(run.records.quarantines) == {"unreadable:amount": 1}


def test_another_field_that_cannot_be_read_is_left_out_and_noted(tmp_path: Path) -> None:
    row = {"id": 1, "name": "Dale", "vat_number": "GB980780685", "created_at": "2025-02-30"}
    run = case(tmp_path, {"company": [row]}, organisation=COMPANY).run()
    (record,) = run.of("organisation").values()
    assert (record["vat_number"], record["created_at"]) == (None, None)
    assert run.notes("organisation") == [
        ("crm:company:1", "created_at", "2025-02-30"),
        ("crm:company:1", "vat_number", "GB980780685"),
    ]
    assert run.quarantine("organisation") == []


def test_a_row_that_the_sql_returns_twice_is_one_record_and_told_of(tmp_path: Path) -> None:
    tables = {
        "company": [{"id": 1, "name": "Dale"}],
        "phone": [{"id": 1, "of": 1, "n": "b"}, {"id": 2, "of": 1, "n": "a"}],
    }
    query = "SELECT 'company' AS source_table, company._key AS source_key, name, n AS owner "
    query += 'FROM company JOIN phone ON "of" = company.id'
    run = case(tmp_path, tables, organisation=query).run()
    assert [row["owner"] for row in run.of("organisation").values()] == ["a"]
    (row,) = run.quarantine("organisation")
    assert (row["reason"], row["detail"]) == (
        "repeated",
        "organisation.sql returned the row 2 times; the first in order was used",
    )


class TestSeveralRecordsOfOneRow:
    TABLES: ClassVar = {
        "party": [
            {"id": 1, "firm": "Dale Flooring", "given": "Ann", "family": "Dale"},
            {"id": 2, "given": "Bob", "family": "Beck"},
        ]
    }
    ORGANISATION = "SELECT 'party' AS source_table, _key AS source_key, firm AS name FROM party WHERE firm IS NOT NULL"
    PERSON = "SELECT 'party' AS source_table, _key AS source_key, given AS given_name, family AS family_name, "
    PERSON += "CASE WHEN firm IS NOT NULL THEN _key END AS organisation_key FROM party"

    def test_the_organisation_has_the_id_of_the_row_and_the_person_its_own(self, tmp_path: Path) -> None:
        run = case(tmp_path, self.TABLES, organisation=self.ORGANISATION, person=self.PERSON).run()
        assert set(run.of("organisation")) == {"crm:party:1"}
        people = run.of("person")
        assert set(people) == {"crm:party:1#person", "crm:party:2"}
        assert people["crm:party:1#person"]["organisation_record"] == "crm:party:1"
        account = run.accounts()["party"]
        assert (account.rows, account.records, account.unaccounted) == (2, 3, 0)

    def test_the_person_keeps_its_id_where_the_organisation_was_quarantined(self, tmp_path: Path) -> None:
        tables = {"party": [{"id": 1, "firm": "-", "given": "Ann", "family": "Dale"}]}
        run = case(tmp_path, tables, organisation=self.ORGANISATION, person=self.PERSON).run()
        assert [row["record_id"] for row in run.quarantine("organisation")] == ["crm:party:1"]
        assert set(run.of("person")) == {"crm:party:1#person"}

    def test_a_fact_of_the_row_of_an_organisation_has_an_id_of_its_own(self, tmp_path: Path) -> None:
        deal = (
            "SELECT 'party' AS source_table, _key AS source_key, _key AS organisation_key FROM party WHERE firm <> ''"
        )
        run = case(tmp_path, self.TABLES, organisation=self.ORGANISATION, deal=deal).run()
        assert run.of("deal")["crm:party:1#deal"]["organisation_record"] == "crm:party:1"


class TestWhoAsserts:
    ROWS: ClassVar = [
        {"id": 1, "name": "Ann Dale", "email": "a@b.com", "phone": None, "job_title": "Buyer", "proved": "verified"}
    ]
    QUERY = "SELECT 'contact' AS source_table, _key AS source_key, name, email, phone, job_title, proved AS sure "
    QUERY += "FROM contact"

    @pytest.mark.parametrize(
        ("proved", "weak", "verified"),
        [
            ("verified", ["name"], ["email"]),
            ("Staff ", ["name"], []),
            ("public", ["name", "email"], []),
            ("precede", ["name", "email"], []),
            (None, ["name", "email"], []),
            ("trusted", ["name", "email"], []),
        ],
    )
    def test_fields_with_a_value_are_listed_by_who_asserts_them(
        self, tmp_path: Path, proved: str | None, weak: list[str], verified: list[str]
    ) -> None:
        asserts = {"person": {"default": "public", "email": {"column": "sure"}, "job_title": "staff"}}
        rows = [{**self.ROWS[0], "proved": proved}]
        run = case(tmp_path, {"contact": rows}, spec={"asserts": asserts}, person=self.QUERY).run()
        (record,) = run.of("person").values()
        assert [field for field in record["weak_fields"] if field not in {"given_name", "family_name"}] == weak
        assert record["verified_fields"] == verified

    def test_the_parts_of_a_name_are_as_weak_as_their_declaration(self, tmp_path: Path) -> None:
        asserts = {"person": {"default": "public", "email": {"column": "sure"}}}
        run = case(tmp_path, {"contact": self.ROWS}, spec={"asserts": asserts}, person=self.QUERY).run()
        (record,) = run.of("person").values()
        assert {"name", "given_name", "family_name", "job_title"} == set(record["weak_fields"])


class TestReferences:
    TABLES: ClassVar = {
        "company": [{"id": "1", "name": "Dale"}, {"id": "2", "name": "Mill", "parent_key": "1"}],
        "vendor": [{"id": "2", "name": "Beck"}, {"id": "9", "name": "Carr"}],
        "contact": [
            {"id": "a", "name": "Ann Dale", "organisation_key": "1"},
            {"id": "b", "name": "Bob Dale", "organisation_key": "vendor:2"},
            {"id": "c", "name": "Cat Dale", "organisation_key": "9"},
            {"id": "d", "name": "Dan Dale", "organisation_key": "2"},
            {"id": "e", "name": "Eve Dale", "organisation_key": "77"},
        ],
    }
    ORGANISATION = (
        "SELECT 'company' AS source_table, _key AS source_key, name, parent_key FROM company UNION ALL BY NAME "
        "SELECT 'vendor' AS source_table, _key AS source_key, name FROM vendor"
    )

    def test_a_key_names_a_record_by_itself_or_with_its_table(self, tmp_path: Path) -> None:
        run = case(tmp_path, self.TABLES, organisation=self.ORGANISATION, person=PERSON).run()
        assert {row["source_key"]: row["organisation_record"] for row in run.of("person").values()} == {
            "a": "crm:company:1",
            "b": "crm:vendor:2",
            "c": "crm:vendor:9",
            "d": None,  # two tables have a row of that key
            "e": None,
        }
        assert [note for note in run.notes("person") if note[1] == "organisation_key"] == [
            ("crm:contact:d", "organisation_key", "2"),
            ("crm:contact:e", "organisation_key", "77"),
        ]

    def test_a_record_may_name_another_of_its_own_type(self, tmp_path: Path) -> None:
        tables = {**self.TABLES, "vendor": [{"id": "9", "name": "Carr"}]}
        run = case(tmp_path, tables, organisation=self.ORGANISATION).run()
        assert run.of("organisation")["crm:company:2"]["parent_record"] == "crm:company:1"

    def test_what_the_source_merged_is_followed_to_what_survives(self, tmp_path: Path) -> None:
        tables = {
            "company": [{"id": "1", "name": "Dale"}, {"id": "3", "name": "Dale Ltd", "parent_key": "old"}],
            "contact": [
                {"id": "a", "name": "Ann", "organisation_key": "old"},
                {"id": "b", "name": "B", "organisation_key": "3"},
            ],
            "merge": [{"id": "1", "gone": "old", "kept": "3"}, {"id": "2", "gone": "3", "kept": "1"}],
        }
        alias = "SELECT 'organisation' AS record_type, 'company' AS source_table, gone AS from_key, kept AS to_key "
        alias += "FROM merge"
        run = case(tmp_path, tables, organisation=COMPANY, person=PERSON, alias=alias).run()
        assert run.aliases() == {("crm:company:old", "crm:company:1"), ("crm:company:3", "crm:company:1")}
        assert [row["organisation_record"] for row in run.of("person").values()] == ["crm:company:1"] * 2
        assert run.of("organisation")["crm:company:3"]["parent_record"] == "crm:company:1"

    def test_a_merge_of_people_knows_the_ids_of_sole_traders(self, tmp_path: Path) -> None:
        tables = {
            "party": [
                {"id": "1", "firm": "Dale", "given": "Ann", "family": "Dale"},
                {"id": "2", "firm": None, "given": "A", "family": "Dale"},
            ]
        }
        alias = (
            "SELECT 'person' AS record_type, 'party' AS source_table, '2' AS from_key, '1' AS to_key FROM party LIMIT 1"
        )
        one = TestSeveralRecordsOfOneRow
        run = case(tmp_path, tables, organisation=one.ORGANISATION, person=one.PERSON, alias=alias).run()
        assert run.aliases() == {("crm:party:2", "crm:party:1#person")}
        assert run.aliases() <= {(one, other) for one in run.of("person") for other in run.of("person")}


class TestDoingNothing:
    TABLES: ClassVar = {
        "company": [{"id": "1", "name": "Dale"}],
        "contact": [{"id": "1", "name": "Ann Dale", "organisation_key": "1"}],
        "ticket": [{"id": "1", "subject": "Help", "organisation_key": "1"}],
    }
    TICKET = "SELECT 'ticket' AS source_table, _key AS source_key, subject, organisation_key FROM ticket"

    def test_a_second_run_has_the_same_versions_and_writes_nothing(self, tmp_path: Path) -> None:
        made = case(tmp_path, self.TABLES, organisation=COMPANY, person=PERSON, ticket=self.TICKET)
        before = made.run().versions()
        written = {path: path.stat().st_mtime_ns for path in (tmp_path / "home").rglob("*.parquet")}
        assert made.run().versions() == before
        assert {path: path.stat().st_mtime_ns for path in (tmp_path / "home").rglob("*.parquet")} == written

    def test_a_changed_row_makes_anew_what_rests_on_it_and_nothing_else(self, tmp_path: Path) -> None:
        made = case(tmp_path, self.TABLES, organisation=COMPANY, person=PERSON, ticket=self.TICKET)
        before = made.run().versions()
        made.write(**{**self.TABLES, "contact": [{"id": "1", "name": "Anna Dale", "organisation_key": "1"}]})
        after = made.run().versions()
        assert after["organisation"] == before["organisation"]
        assert after["person"] != before["person"]
        made.write(**{**self.TABLES, "ticket": [{"id": "1", "subject": "Helped", "organisation_key": "1"}]})
        after = made.run().versions()
        assert (after["organisation"], after["person"]) == (before["organisation"], before["person"])
        assert after["ticket"] != before["ticket"]

    def test_a_changed_sql_makes_its_shape_anew(self, tmp_path: Path) -> None:
        made = case(tmp_path, self.TABLES, organisation=COMPANY, ticket=self.TICKET)
        before = made.run().versions()
        (tmp_path / "ticket.sql").write_text(self.TICKET.replace("subject,", "upper(subject) AS subject,"))
        after = made.run().versions()
        assert (after["ticket"] != before["ticket"], after["organisation"] == before["organisation"]) == (True, True)

    def test_what_must_be_there_before_is_told(self, tmp_path: Path) -> None:
        made = case(tmp_path, self.TABLES, organisation=COMPANY, ticket=self.TICKET)
        assert conform.needed_before(SHAPES["organisation"], [made.source]) == ()
        assert conform.needed_before(SHAPES["ticket"], [made.source]) == ("organisation", "person")

    def test_nothing_is_left_of_a_step_that_failed(self, tmp_path: Path) -> None:
        made = case(
            tmp_path, self.TABLES, organisation=COMPANY, ticket=self.TICKET.replace("subject,", "1 / 0 AS fax,")
        )
        with pytest.raises(Exception, match="fax"):
            made.run()
        assert not list((tmp_path / "home" / "stages" / "records").glob("ticket/*"))
        assert settings(tmp_path / "home").stages.exists()
