"""What was read is landed by its content, and no row is lost on the way."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from insight.landing import land, version_of_table
from insight.sources.loading import load_sources
from orchestration.errors import SourceError
from tests.integration.sources.folders import Rows, declared, landed, rows, settings, source, write_source, write_sqlite

STAMPED = declared(tables={"company": {"key": ["id"], "columns": ["name"], "volatile": ["synced"], "deleted": "gone"}})
ROWS = [
    {"id": 2, "name": "Mill", "synced": "a", "gone": 0},
    {"id": 1, "name": "Dale", "synced": "a", "gone": None},
    {"id": 3, "name": "Beck", "synced": "a", "gone": 1},
]


def changed(**changes: object) -> Rows:
    return [ROWS[0] | changes, *ROWS[1:]]


def test_a_row_is_landed_with_its_key_and_hash_and_a_deleted_one_is_not(tmp_path: Path) -> None:
    _, (one,) = landed(tmp_path, ROWS, STAMPED)
    assert [(row["_key"], row["name"], row["synced"]) for row in rows(one.path)] == [
        ("1", "Dale", "a"),
        ("2", "Mill", "a"),
    ]
    assert (one.row_count, one.deleted_count, one.rejected_count) == (2, 1, 0)
    assert one.path == tmp_path / "home" / "landing" / "crm" / "company" / one.data_version / "row.parquet"
    assert len({row["_row_hash"] for row in rows(one.path)}) == 2


def test_a_volatile_column_changes_no_version_and_writes_nothing(tmp_path: Path) -> None:
    made, (before,) = landed(tmp_path, ROWS, STAMPED)
    written = before.path.stat().st_mtime_ns
    write_sqlite(tmp_path / "crm.db", company=changed(synced="b"))
    (after,) = land(made, settings(tmp_path / "home"), now=datetime(2030, 1, 1, tzinfo=UTC))
    assert after.data_version == before.data_version
    assert after.path.stat().st_mtime_ns == written
    assert after.read_at == datetime(2030, 1, 1, tzinfo=UTC) > before.read_at


@pytest.mark.parametrize("change", [{"name": "Mills"}, {"name": None}, {"name": ""}, {"id": 4}, {"gone": 1}])
def test_any_other_change_makes_a_new_version(tmp_path: Path, change: dict[str, object]) -> None:
    made, (before,) = landed(tmp_path, ROWS, STAMPED)
    write_sqlite(tmp_path / "crm.db", company=changed(**change))
    (after,) = land(made, settings(tmp_path / "home"))
    assert after.data_version != before.data_version


def test_the_order_of_rows_makes_no_version(tmp_path: Path) -> None:
    made, (before,) = landed(tmp_path, ROWS, STAMPED)
    write_sqlite(tmp_path / "crm.db", company=list(reversed(ROWS)))
    (after,) = land(made, settings(tmp_path / "home"))
    assert after.data_version == before.data_version


def test_another_set_of_columns_makes_a_new_version(tmp_path: Path) -> None:
    _, (before,) = landed(tmp_path, ROWS, STAMPED)
    _, (after,) = landed(tmp_path, ROWS, declared(tables={"company": {"key": ["id"], "columns": ["name", "gone"]}}))
    assert after.data_version != before.data_version


def test_values_cannot_pass_for_one_another_across_columns(tmp_path: Path) -> None:
    tables = {"company": {"key": ["id"], "columns": ["a", "b"]}}
    _, (one,) = landed(
        tmp_path, [{"id": 1, "a": 'x","', "b": "y"}, {"id": 2, "a": "x", "b": '","y'}], declared(tables=tables)
    )
    tables = {"company": {"key": ["id"], "columns": ["a"]}}
    assert len({row["_row_hash"] for row in rows(one.path)}) == 2
    _, (other,) = landed(tmp_path, [{"id": 1, "a": None}, {"id": 2, "a": "null"}], declared(tables=tables))
    assert len({row["_row_hash"] for row in rows(other.path)}) == 2


def test_a_row_without_a_key_is_set_aside_with_itself(tmp_path: Path) -> None:
    _, (one,) = landed(
        tmp_path, [{"id": None, "name": "Dale"}, {"id": "  ", "name": "Mill"}, {"id": 1, "name": "Beck"}]
    )
    assert [row["name"] for row in rows(one.path)] == ["Beck"]
    assert [(row["reason"], row["detail"], row["row"]) for row in rows(one.rejected)] == [
        ("missing:key", "the row has no id", '{"id":null,"name":"Dale"}'),
        ("missing:key", "the row has no id", '{"id":"  ","name":"Mill"}'),
    ]
    assert (one.row_count, one.rejected_count) == (3, 2)


def test_of_two_rows_with_one_key_the_same_one_is_used_however_they_come(tmp_path: Path) -> None:
    twice = [{"id": 1, "name": "Dale"}, {"id": 1, "name": "Mill"}, {"id": 2, "name": "Beck"}]
    made, (before,) = landed(tmp_path, twice)
    assert [row["_key"] for row in rows(before.path)] == ["1", "2"]
    assert [(row["record_id"], row["reason"]) for row in rows(before.rejected)] == [("crm:company:1", "duplicate_key")]
    write_sqlite(tmp_path / "crm.db", company=list(reversed(twice)))
    (after,) = land(made, settings(tmp_path / "home"))
    assert after.data_version == before.data_version


def test_a_rejected_row_that_changes_makes_a_new_version(tmp_path: Path) -> None:
    made, (before,) = landed(tmp_path, [{"id": None, "name": "Dale"}])
    write_sqlite(tmp_path / "crm.db", company=[{"id": None, "name": "Mill"}])
    (after,) = land(made, settings(tmp_path / "home"))
    assert after.data_version != before.data_version


def test_a_key_of_several_columns_is_joined_and_cannot_be_confused(tmp_path: Path) -> None:
    tables = {"company": {"key": ["a", "b"]}}
    stated = [{"a": "1|2", "b": "3"}, {"a": "1", "b": "2|3"}, {"a": None, "b": "4"}, {"a": None, "b": None}]
    _, (one,) = landed(tmp_path, stated, declared(tables=tables), organisation="SELECT 1 AS x")
    assert [row["_key"] for row in rows(one.path)] == ["1%7C2|3", "1|2%7C3", "|4"]
    assert one.rejected_count == 1


def test_a_column_may_name_the_system_of_each_row(tmp_path: Path) -> None:
    made = declared(system_column="list")
    stated = [
        {"id": 1, "name": "Dale", "list": "North: old"},
        {"id": 1, "name": "Mill", "list": "South"},
        {"id": 2, "name": "Beck", "list": None},
    ]
    _, found = landed(tmp_path, stated, made)
    assert [(one.system, one.source, one.row_count) for one in found] == [
        ("North%3A old", "crm", 1),
        ("South", "crm", 1),
        ("crm", "crm", 1),
    ]
    assert len({one.path.parent for one in found}) == 3
    assert version_of_table(found) != version_of_table(found[:2])
    assert version_of_table(found[:1]) == found[0].data_version


@pytest.mark.parametrize("system", ["..", "../../up", ".", "a/b", "x" * 300, "C:\\\\up", "ÜBER"])
def test_a_system_of_any_name_stays_in_the_folder(tmp_path: Path, system: str) -> None:
    made = declared(system_column="list")
    _, (one,) = landed(tmp_path, [{"id": 1, "name": "Dale", "list": system}], made)
    assert one.path.resolve().parents[3] == (tmp_path / "home" / "landing").resolve()
    assert [row["_key"] for row in rows(one.path)] == ["1"]


def test_a_table_without_rows_is_landed_empty(tmp_path: Path) -> None:
    made = declared(tables={"company": {"key": ["id"], "deleted": "gone"}})
    _, (one,) = landed(tmp_path, [{"id": 1, "gone": 1}], made)
    assert (one.system, one.row_count, one.deleted_count, rows(one.path)) == ("crm", 0, 1, [])


def test_lines_that_are_no_row_are_kept_with_their_place(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("id,name\n1,Dale\n2\n")
    tables = {"company": {"key": ["id"], "columns": ["name"], "files": ["a.csv"]}}
    (one,) = land(source(tmp_path, declared("{source}/data", kind="csv", tables=tables)), settings(tmp_path / "home"))
    assert [(row["reason"], row["row"]) for row in rows(one.rejected)] == [("unreadable:row", '{"line":"2"}')]
    assert (one.row_count, one.rejected_count) == (2, 1)


def test_nothing_is_left_of_a_read_that_failed(tmp_path: Path) -> None:
    made = source(tmp_path)
    write_sqlite(tmp_path / "crm.db", company=[{"id": 1}])
    with pytest.raises(SourceError):
        land(made, settings(tmp_path / "home"))
    assert not (tmp_path / "home").exists()


def test_a_row_that_names_another_source_as_its_system_is_set_aside_and_says_so(tmp_path: Path) -> None:
    write_source(tmp_path / "erp", declared(system="erp"))
    made = write_source(
        tmp_path / "drop",
        declared(
            system="drop",
            system_column="list",
            tables={"company": {"key": ["id"], "columns": ["name"], "deleted": "gone"}},
        ),
    )
    stated = [
        {"id": 1, "name": "Dale", "list": "erp", "gone": None},
        {"id": 1, "name": "Mill", "list": " ERP", "gone": None},
        {"id": 1, "name": "Beck", "list": None, "gone": None},
        {"id": 2, "name": "Ford", "list": "drop", "gone": None},
        {"id": 3, "name": "Holt", "list": "erp", "gone": "yes"},
    ]
    write_sqlite(made / "crm.db", company=stated)
    drop, _ = load_sources(tmp_path)
    (one,) = land(drop, settings(tmp_path / "home"))
    assert (one.system, one.row_count, one.rejected_count, one.deleted_count) == ("drop", 4, 2, 1)
    assert [row["name"] for row in rows(one.path)] == ["Beck", "Ford"]
    assert {(row["record_id"], row["reason"], row["detail"]) for row in rows(one.rejected)} == {
        ("drop:company:1", "another_system", f"the row names the system {named}, which is another source")
        for named in ("erp", "ERP")
    }
