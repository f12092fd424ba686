"""`precede sources check` shows what conforms, and what would be quarantined and why."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestration.cli.main import main
from tests.integration.sources.folders import declared, write_source, write_sqlite

COMPANY = "SELECT 'company' AS source_table, _key AS source_key, name, vat AS vat_number FROM company"
TABLES = {"company": {"key": ["id"], "columns": ["name", "vat"]}}
ROWS = [
    {"id": 1, "name": "Dale", "vat": "GB980780684"},
    {"id": 2, "name": None, "vat": None},
    {"id": 3, "name": "Mill", "vat": "GB980780685"},
    {"id": 4, "name": "Beck", "vat": None},
    {"id": 4, "name": "Becks", "vat": None},
]
Check = Callable[..., tuple[int, str, str]]


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Check:
    """Run the command with a home of its own; its exit code and what it printed."""
    monkeypatch.setenv("PRECEDE_HOME", str(tmp_path / "home"))

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["precede", "sources", "check", *arguments])
        code: object = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code
        printed = capsys.readouterr()
        return (code if isinstance(code, int) else 0), printed.out, printed.err

    return run


@pytest.fixture
def crm(tmp_path: Path) -> Path:
    write_source(tmp_path / "sources" / "crm", declared(tables=TABLES), organisation=COMPANY)
    write_sqlite(tmp_path / "sources" / "crm" / "crm.db", company=ROWS)
    return tmp_path / "sources"


def of(report: dict[str, Any], part: str, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in report[part]]


def test_what_would_happen_is_printed_as_json(check: Check, crm: Path) -> None:
    code, out, _ = check(str(crm), "--json")
    report = json.loads(out)
    assert code == 0
    assert of(report, "tables", "system", "table", "rows", "keyless", "unaccounted") == [("crm", "company", 5, 1, 0)]
    assert of(report, "shapes", "shape", "conform", "quarantined", "noted") == [("organisation", 3, 1, 1)]
    assert of(report, "findings", "what", "reason", "count", "record_id") == [
        ("quarantined", "duplicate_key", 1, "crm:company:4"),
        ("quarantined", "missing:name", 1, "crm:company:2"),
        ("noted", "vat_number: checksum or form is wrong", 1, "crm:company:3"),
    ]


def test_what_would_happen_is_shown_in_tables(check: Check, crm: Path) -> None:
    code, out, _ = check(str(crm))
    assert code == 0
    for words in (
        "What was read",
        "What would be quarantined, and why",
        "missing:name",
        "GB980780685",
        "duplicate_key",
    ):
        assert words in out


def test_the_folder_is_that_of_the_environment_by_default(
    check: Check, crm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRECEDE_SOURCES", str(crm))
    assert check("--json")[1] == check(str(crm), "--json")[1] == check(str(crm / "crm"), "--json")[1]


def test_a_sample_is_of_the_size_that_is_asked_for(check: Check, crm: Path) -> None:
    assert of(json.loads(check(str(crm), "--rows", "1", "--json")[1]), "shapes", "conform") == [(1,)]
    assert of(json.loads(check(str(crm), "--all", "--json")[1]), "shapes", "conform") == [(3,)]


def test_rows_that_no_sql_speaks_for_are_shown_and_fail_the_check(check: Check, crm: Path) -> None:
    (crm / "crm" / "organisation.sql").write_text(COMPANY + " WHERE id = '1'")
    code, out, _ = check(str(crm), "--rows", "1")
    assert code == 1
    assert "3 rows of crm/company" in out


def test_rows_that_complete_others_are_spoken_for_by_them(check: Check, crm: Path) -> None:
    tables = {**TABLES, "town": {"key": ["id"], "columns": ["name"]}}
    named = COMPANY.replace(" FROM", ", ['town:' || town._key] AS supported_by FROM").replace(
        "_key AS", "company._key AS"
    )
    query = named.replace("name, vat", "company.name, vat") + " LEFT JOIN town ON town.id = company.id"
    write_source(crm / "crm", declared(tables=tables), organisation=query)
    write_sqlite(crm / "crm" / "crm.db", company=ROWS, town=[{"id": 1, "name": "York"}, {"id": 9, "name": "Hull"}])
    report = json.loads(check(str(crm), "--rows", "1", "--json")[1])
    assert of(report, "tables", "table", "rows", "unaccounted") == [("company", 5, 0), ("town", 2, 1)]


def test_nothing_is_kept(check: Check, crm: Path, tmp_path: Path) -> None:
    before = set(crm.rglob("*"))
    check(str(crm))
    assert set(crm.rglob("*")) == before
    assert not (tmp_path / "home").exists()


def test_a_wrong_source_is_one_sentence_and_no_traceback(check: Check, crm: Path) -> None:
    (crm / "crm" / "source.yml").write_text("systm: crm")
    code, out, err = check(str(crm))
    assert (code, out) == (1, "")
    assert err.startswith(
        f"precede: {crm / 'crm' / 'source.yml'}: systm: found the unknown field 'systm'; needed one of"
    )
    assert "Traceback" not in err


def test_a_source_that_cannot_be_reached_is_one_sentence(check: Check, crm: Path) -> None:
    (crm / "crm" / "crm.db").unlink()
    code, _, err = check(str(crm))
    assert code == 1
    assert "url: found no file" in err
    assert "Traceback" not in err


def test_an_account_that_may_write_is_warned_of(
    check: Check, crm: Path, postgres_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg  # noqa: PLC0415

    with psycopg.connect(postgres_database) as connection:
        connection.execute("CREATE TABLE company (id int, name text, vat text)")
    monkeypatch.setenv("CRM", postgres_database)
    write_source(crm / "crm", declared(tables=TABLES) | {"url": {"env": "CRM"}}, organisation=COMPANY)
    code, out, _ = check(str(crm), "--json")
    assert code == 0
    assert "crm: the account may write to company." in json.loads(out)["warnings"][0]
    assert "the account may write" in " ".join(check(str(crm))[1].split())
