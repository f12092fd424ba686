"""A wrong source folder says file, field, what was found and what is needed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from insight.sources.loading import load_source, load_sources
from insight.sources.location import locate
from orchestration.errors import SourceError
from orchestration.settings import PROJECT
from tests.integration.sources.folders import declared, source, write_source

TABLE = {"key": ["id"], "columns": ["name"]}


def refusal(folder: Path, stated: dict[str, Any] | str, **sql: str) -> str:
    with pytest.raises(SourceError) as raised:
        load_source(write_source(folder, stated, **sql))
    said = str(raised.value)
    assert str(folder) in said
    assert re.search(r": found .+; needed .+\.$", said, re.DOTALL), said
    return said.removeprefix(f"{folder}/")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"systm": "crm"}, "source.yml: systm: found the unknown field 'systm'; needed one of system, kind, url"),
        ({"system": None}, "source.yml: system: found nothing; needed the name of the source system"),
        ({"system": "a:b"}, "source.yml: system: found 'a:b'; needed a name of letters, digits"),
        ({"kind": "excel"}, "source.yml: kind: found 'excel'; needed sql, csv, jsonl or parquet"),
        ({"max_age": "26h"}, "source.yml: max_age: found the unknown field 'max_age'; needed one of system, kind"),
        ({"timezone": "Mars"}, "source.yml: timezone: found 'Mars'; needed a time zone such as UTC"),
        ({"region": "Britain"}, "source.yml: region: found 'Britain'; needed a country code"),
        ({"url": {"envv": "X"}}, "source.yml: url.envv: found the unknown field 'envv'; needed one of env, default"),
        ({"url": "postgresql://me:secret@host/db"}, "source.yml: url: found a password; needed {env: NAME}"),
        (
            {"url": {"env": "X", "default": "postgresql://me:secret@host/db"}},
            "source.yml: url.default: found a password; needed an address without one",
        ),
        ({"tables": {}}, "source.yml: tables: found {}; needed the tables to read"),
        (
            {"tables": {"company": {"columns": ["name"]}}},
            "source.yml: tables.company.key: found nothing; needed a list",
        ),
        (
            {"tables": {"company": {"key": "id"}}},
            "source.yml: tables.company.key: found 'id'; needed a list of the columns",
        ),
        (
            {"tables": {"company": {"key": ["id"], "columns": ["ID"]}}},
            "source.yml: tables.company: found the above; needed each column in one place, not ID, id in two",
        ),
        (
            {"tables": {"company": {"key": ["id"], "columns": ["_key"]}}},
            "source.yml: tables.company: found the above; needed no column called _key, which is ours",
        ),
        (
            {"tables": {"company": TABLE | {"deleted": ["gone"]}}},
            "source.yml: tables.company.deleted: found ['gone']; needed the column that marks a row as deleted",
        ),
        (
            {"tables": {"company": TABLE | {"files": ["a.csv"]}}},
            "source.yml: tables.company.files: found files of a database; needed name",
        ),
        ({"kind": "csv"}, "source.yml: tables.company.files: found nothing; needed a list of csv files to read"),
        (
            {"survivorship": {"invoice": {"amount": 1}}},
            "source.yml: survivorship.invoice: found no record type; needed one of organisation, person",
        ),
        (
            {"survivorship": {"organisation": {"fax": 1}}},
            "source.yml: survivorship.organisation.fax: found no field of organisation; needed one of name, legal_name",
        ),
        (
            {"survivorship": {"organisation": {"opted_out": 1}}},
            "source.yml: survivorship.organisation.opted_out: found a field that no single record gives; needed one of",
        ),
        (
            {"survivorship": {"organisation": {"address": 0}}},
            "source.yml: survivorship.organisation.address: found 0; needed how early this source is believed",
        ),
        ({"asserts": {}}, "source.yml: asserts.organisation.default: found nothing; needed one of verified, staff"),
        (
            {"asserts": {"organisation": {"default": "me"}}},
            "source.yml: asserts.organisation.default: found 'me'; needed one of verified, staff, public, precede, or",
        ),
        (
            {"asserts": {"organisation": {"default": "staff", "fax": "staff"}}},
            "source.yml: asserts.organisation.fax: found no field of organisation; needed one of default, name",
        ),
        (
            {"asserts": {"organisation": {"default": "staff"}, "company": {"default": "staff"}}},
            "source.yml: asserts.company: found no record type or fact; needed one of organisation, person",
        ),
        (
            {"expectations": {"min_share_of_last": 2}},
            "source.yml: expectations.min_share_of_last: found 2; needed of the rows",
        ),
    ],
)
def test_a_wrong_field_is_named_with_what_was_found_and_needed(
    tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    assert refusal(tmp_path, declared() | changes).startswith(sentence)


def test_several_mistakes_are_counted(tmp_path: Path) -> None:
    assert refusal(tmp_path, declared() | {"kind": "excel", "region": "Britain"}).endswith("(1 more like this).")


def test_yaml_that_is_none_is_named_by_its_line(tmp_path: Path) -> None:
    assert refusal(tmp_path, "system: crm\nkind: [sql\n").startswith("source.yml:3: found ")
    assert refusal(tmp_path, "- crm").startswith("source.yml: found ['crm']; needed fields such as system")


@pytest.mark.parametrize(
    ("written", "place", "found"),
    [
        ("{company: {key: [no]}}", ".company.key.0", "False, which is what YAML makes of no, off and false"),
        (
            "{company: {key: [id], columns: [name, on]}}",
            ".company.columns.1",
            "True, which is what YAML makes of yes, on",
        ),
        ("{company: {key: [id], deleted: off}}", ".company.deleted", "False, which is what YAML makes of no, off"),
        ("{no: {key: [id]}}", "", "False, which is what YAML makes of no, off"),
    ],
)
def test_a_name_that_yaml_reads_as_true_or_false_is_to_be_put_in_quotes(
    tmp_path: Path, written: str, place: str, found: str
) -> None:
    said = refusal(tmp_path, f"system: crm\nkind: sql\nurl: sqlite:///x\ntables: {written}\n")
    assert said.startswith(f"source.yml: tables{place}: found {found}")
    assert 'in quotes, such as "no"' in said


def test_a_sql_file_of_no_meaning_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path, declared(), customer="SELECT 1").startswith(
        "customer.sql: found a .sql of that name; needed one of organisation, person, deal"
    )


def test_a_folder_without_a_declaration_is_named(tmp_path: Path) -> None:
    (tmp_path / "crm").mkdir()
    (tmp_path / "crm" / "organisation.sql").write_text("SELECT 1")
    with pytest.raises(SourceError, match=r"crm/source.yml: found no such file; needed the declaration"):
        load_sources(tmp_path)


def test_a_folder_of_no_sources_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="found no source; needed a folder for each source"):
        load_sources(tmp_path)
    with pytest.raises(SourceError, match="found no folder; needed a folder of sources, named by PRECEDE_SOURCES"):
        load_sources(tmp_path / "gone")


def test_two_folders_cannot_be_one_system(tmp_path: Path) -> None:
    write_source(tmp_path / "a", declared())
    write_source(tmp_path / "b", declared())
    with pytest.raises(SourceError, match=r"b/source.yml: system: found 'crm', as in .*a/source.yml"):
        load_sources(tmp_path)


def test_one_source_stands_for_a_folder_of_one(tmp_path: Path) -> None:
    assert [one.system for one in load_sources(write_source(tmp_path / "a", declared()))] == ["crm"]
    assert [one.system for one in load_sources(tmp_path)] == ["crm"]


def test_our_own_sources_are_right() -> None:
    assert [one.system for one in load_sources(PROJECT / "insight" / "sources")] == ["crm", "erp", "support"]


class TestAddresses:
    def test_the_environment_goes_before_the_default(self, tmp_path: Path) -> None:
        url = {"env": "PRECEDE_CRM_URL", "default": "sqlite:///{home}/crm.db"}
        made = source(tmp_path, declared() | {"url": url})
        assert locate(made, Path("/home/x"), {}) == "/home/x/crm.db"
        assert locate(made, Path("/home/x"), {"PRECEDE_CRM_URL": "postgres://h/db"}) == "postgresql://h/db"
        assert locate(made, Path("/home/x"), {"PRECEDE_CRM_URL": "sqlite:////data/crm.db"}) == "/data/crm.db"

    def test_a_schema_may_be_named_as_people_write_it(self, tmp_path: Path) -> None:
        made = source(tmp_path, declared() | {"url": {"env": "CRM"}})
        encoded = "postgresql://h/db?host=/run&options=-csearch_path%3Derp"
        for url in ("postgresql+psycopg://h/db?host=/run&options=-csearch_path=erp", encoded):
            assert locate(made, tmp_path, {"CRM": url}) == encoded

    def test_a_variable_without_a_default_must_be_there(self, tmp_path: Path) -> None:
        made = source(tmp_path, declared() | {"url": {"env": "PRECEDE_CRM_URL"}})
        with pytest.raises(SourceError, match=r"url.env: found no variable PRECEDE_CRM_URL; needed the address of crm"):
            locate(made, tmp_path, {})

    def test_an_address_that_no_reader_reads_is_named(self, tmp_path: Path) -> None:
        made = source(tmp_path, declared() | {"url": {"env": "PRECEDE_CRM_URL"}})
        with pytest.raises(
            SourceError, match="PRECEDE_CRM_URL: found an address of the kind mysql://; needed sqlite:///"
        ):
            locate(made, tmp_path, {"PRECEDE_CRM_URL": "mysql://host/db"})

    def test_an_address_may_be_beside_the_declaration(self, tmp_path: Path) -> None:
        assert locate(source(tmp_path), tmp_path / "home", {}) == str(tmp_path / "crm.db")
