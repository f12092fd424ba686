"""A record says which rows beside its own it was made of, and those rows are accounted for by it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestration.errors import SourceError
from tests.integration.records.case import Run, case
from tests.integration.sources.folders import rows

INVOICE = """
SELECT 'head' AS source_table, head._key AS source_key, line.total AS amount, line.total AS amount_open,
    'GBP' AS currency, {named} AS supported_by
FROM head LEFT JOIN line ON line.head = head.id
"""
LINE = "['line:' || line._key]"
HEADS = [{"id": "1"}, {"id": "2"}]
LINES = [{"id": "a", "head": "1", "total": "10"}, {"id": "b", "head": "2", "total": "20"}]


def run(folder: Path, named: str, lines: list[dict[str, Any]] = LINES, **sql: str) -> Run:
    return case(folder, {"head": HEADS, "line": lines}, **{"invoice": INVOICE.format(named=named), **sql}).run()


def support(found: Run, shape: str = "invoice") -> list[tuple[str, str]]:
    return sorted((row["record_id"], row["supporting_record"]) for row in rows(found.records.shapes[shape].support))


def test_a_row_that_is_named_completes_the_record_and_is_accounted_for(tmp_path: Path) -> None:
    found = run(tmp_path, LINE)
    assert support(found) == [("crm:head:1", "crm:line:a"), ("crm:head:2", "crm:line:b")]
    line = found.accounts()["line"]
    assert (line.rows, line.supporting, line.unaccounted) == (2, 2, 0)
    assert not found.notes("invoice")


def test_a_row_that_nothing_names_is_unaccounted(tmp_path: Path) -> None:
    line = run(tmp_path, LINE, [*LINES, {"id": "c", "head": "3", "total": "30"}]).accounts()["line"]
    assert (line.rows, line.supporting, line.unaccounted) == (3, 2, 1)


def test_what_is_null_or_named_twice_or_the_records_own_row_completes_nothing_more(tmp_path: Path) -> None:
    named = "['line:' || line._key, 'line:' || line._key, NULL, 'head:' || head._key]"
    assert support(run(tmp_path, named, LINES[:1])) == [("crm:head:1", "crm:line:a")]


def test_a_record_that_names_nothing_or_no_list_has_only_its_own_row(tmp_path: Path) -> None:
    assert support(run(tmp_path / "nothing", "NULL::VARCHAR[]")) == []
    unnamed = INVOICE.replace(", {named} AS supported_by", "")
    assert support(run(tmp_path / "no-list", "", invoice=unnamed)) == []


def test_a_row_that_was_not_landed_is_noted_and_completes_nothing(tmp_path: Path) -> None:
    found = run(tmp_path, "['line:' || line._key, 'line:9|x:9']", LINES[:1])
    assert support(found) == [("crm:head:1", "crm:line:a")]
    # The second invoice has no line, hence no amount, and stands in quarantine: what it named is of no record.
    assert found.notes("invoice") == [("crm:head:1", "supported_by", "line:9|x:9")]


def test_the_row_that_completes_a_quarantined_one_is_still_accounted_for(tmp_path: Path) -> None:
    found = run(tmp_path, LINE, [LINES[0], {"id": "b", "head": "2", "total": "lots"}])
    assert [row["record_id"] for row in found.quarantine("invoice")] == ["crm:head:2"]
    assert ("crm:head:2", "crm:line:b") in support(found)
    assert found.accounts()["line"].unaccounted == 0


def test_of_an_invoice_with_two_lines_one_is_used_and_both_are_kept(tmp_path: Path) -> None:
    found = run(tmp_path, LINE, [*LINES, {"id": "c", "head": "1", "total": "15"}])
    assert [row["reason"] for row in found.quarantine("invoice")] == ["repeated"]
    assert support(found)[:2] == [("crm:head:1", "crm:line:a"), ("crm:head:1", "crm:line:c")]
    assert found.accounts()["line"].unaccounted == 0


def test_a_row_that_drives_a_record_itself_may_complete_another(tmp_path: Path) -> None:
    line = "SELECT 'line' AS source_table, _key AS source_key, total AS name FROM line"
    found = run(tmp_path, LINE, deal=line)
    assert ("crm:head:1", "crm:line:a") in support(found)
    account = found.accounts()["line"]
    assert (account.facts, account.supporting, account.unaccounted) == (2, 0, 0)


def test_each_record_of_a_row_is_completed_by_what_its_own_sql_names(tmp_path: Path) -> None:
    of_firm = (
        "SELECT 'firm' AS source_table, firm._key AS source_key, name, ['town:' || town] AS supported_by FROM firm"
    )
    of_owner = (
        "SELECT 'firm' AS source_table, _key AS source_key, name, ['street:' || street] AS supported_by FROM firm"
    )
    tables = {
        "firm": [{"id": 1, "name": "Ann Dale", "town": 7, "street": 8}],
        "town": [{"id": 7, "name": "York"}],
        "street": [{"id": 8, "name": "Mill Lane"}],
    }
    found = case(tmp_path, tables, organisation=of_firm, person=of_owner).run()
    assert support(found, "organisation") == [("crm:firm:1", "crm:town:7")]
    assert support(found, "person") == [("crm:firm:1#person", "crm:street:8")]


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("'line:' || line._key", "found the column 'supported_by' of the type VARCHAR; needed a list of texts"),
        ("['lines:' || line._key]", "found 'lines:a' in supported_by; needed table:_key, with a table that"),
        ("[line._key]", "found 'a' in supported_by; needed table:_key, with a table that"),
        ("['line']", "found 'line' in supported_by; needed table:_key, with a table that"),
    ],
)
def test_what_cannot_name_a_row_is_refused(tmp_path: Path, named: str, said: str) -> None:
    with pytest.raises(SourceError) as raised:
        run(tmp_path, named)
    assert str(raised.value).startswith(f"{tmp_path}/invoice.sql: {said}")
