"""Each reader reads what is declared as text, says what is not there, and has no way to write."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path
from typing import Any

import adbc_driver_manager
import psycopg
import pyarrow as pa
import pytest
from pyarrow import parquet

from insight.sources.readers import Reader, open_reader
from insight.sources.readers.sql import Since
from insight.sources.source import Source
from orchestration.errors import SourceError
from tests.integration.sources.folders import declared, source, write_sqlite

ROWS = [{"id": 1, "name": "Dale Ltd"}, {"id": 2, "name": None}]


def read(made: Source, table: str = "company") -> list[dict[str, Any]]:
    with open_reader(made, Path()) as reader:
        return reader.read(table).stream().read_all().to_pylist()


def of_files(folder: Path, kind: str, *files: str, **changes: Any) -> Source:
    table = {"key": ["id"], "columns": ["name"], "files": list(files)} | changes.pop("table", {})
    return source(folder, declared("{source}/data", kind=kind, tables={"company": table}, **changes))


class TestSqlite:
    def test_values_of_every_type_are_read_as_text(self, tmp_path: Path) -> None:
        write_sqlite(tmp_path / "crm.db", company=[{"id": 1, "name": 2.5}, {"id": "x", "name": None}])
        assert read(source(tmp_path)) == [{"id": "1", "name": "2.5"}, {"id": "x", "name": None}]

    def test_bytes_that_are_no_utf8_are_read_as_windows_wrote_them(self, tmp_path: Path) -> None:
        path = write_sqlite(tmp_path / "crm.db", company=ROWS)
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE company SET name = CAST(x'4dfc6c6c6572' AS TEXT) WHERE id = 1")
        connection.close()
        assert read(source(tmp_path))[0]["name"] == "Müller"

    def test_names_are_quoted_whatever_they_hold(self, tmp_path: Path) -> None:
        name = 'na"me; DROP TABLE company'
        write_sqlite(tmp_path / "crm.db", select=[{"id": 1, "group": "a"}])
        with sqlite3.connect(tmp_path / "crm.db") as connection:
            connection.execute('ALTER TABLE "select" ADD COLUMN "na""me; DROP TABLE company"')
        connection.close()
        tables = {"company": {"name": "select", "key": ["id"], "columns": ["group", name]}}
        made = source(tmp_path, declared(tables=tables))
        assert read(made) == [{"id": "1", "group": "a", name: None}]

    def test_a_missing_file_table_or_column_is_named(self, tmp_path: Path) -> None:
        made = source(tmp_path)
        with pytest.raises(SourceError, match=r"source.yml: url: found no file .*crm.db; needed the SQLite database"):
            read(made)
        write_sqlite(tmp_path / "crm.db", firm=ROWS)
        with pytest.raises(
            SourceError, match=r"tables.company: found the table 'company', which crm .*; needed one of firm"
        ):
            read(made)
        write_sqlite(tmp_path / "crm.db", company=[{"id": 1, "title": "x"}])
        with pytest.raises(SourceError, match=r"tables.company: found the column 'name', .*; needed one of id, title"):
            read(made)

    def test_a_file_that_is_no_database_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "crm.db").write_text("no database, but long enough to be looked at by the driver" * 10)
        with pytest.raises(SourceError, match=r"url: found the SQLite file .* unreadable"):
            read(source(tmp_path))

    def test_an_optional_column_may_be_missing(self, tmp_path: Path) -> None:
        write_sqlite(tmp_path / "crm.db", company=[{"id": 1}])
        tables = {"company": {"key": ["id"], "optional": ["name"]}}
        assert read(source(tmp_path, declared(tables=tables))) == [{"id": "1", "name": None}]

    def test_all_tables_are_read_as_they_stood_when_the_first_was(self, tmp_path: Path) -> None:
        path = write_sqlite(tmp_path / "crm.db", company=ROWS, contact=ROWS)
        with sqlite3.connect(path) as writer:
            writer.execute("PRAGMA journal_mode = WAL")
        tables = {name: {"key": ["id"]} for name in ("company", "contact")}
        with open_reader(source(tmp_path, declared(tables=tables)), tmp_path) as reader:
            assert reader.read("company").stream().read_all().num_rows == 2
            with writer:
                writer.execute("DELETE FROM contact")
            assert reader.read("contact").stream().read_all().num_rows == 2
        writer.close()

    @pytest.mark.parametrize(
        "statement",
        [
            "DELETE FROM company",
            "UPDATE company SET name = 'x'",
            "INSERT INTO company VALUES (3, 'x')",
            "DROP TABLE company",
            "CREATE TABLE mine (x)",
            "PRAGMA user_version = 7",
        ],
    )
    def test_its_connection_refuses_to_write(self, tmp_path: Path, statement: str) -> None:
        path = write_sqlite(tmp_path / "crm.db", company=ROWS)
        before = path.read_bytes()
        with open_reader(source(tmp_path), tmp_path) as reader, hands_on(reader).cursor() as cursor:
            if statement.startswith("PRAGMA"):
                cursor.execute("PRAGMA query_only = OFF")
            with pytest.raises(adbc_driver_manager.Error, match=r"readonly|read-only"):
                cursor.execute(statement)
        assert path.read_bytes() == before

    def test_it_cannot_write_to_a_database_that_it_attaches(self, tmp_path: Path) -> None:
        other = write_sqlite(tmp_path / "other.db", company=ROWS)
        write_sqlite(tmp_path / "crm.db", company=ROWS)
        before = other.read_bytes()
        with open_reader(source(tmp_path), tmp_path) as reader:
            hands_on(reader).adbc_connection.set_autocommit(True)
            with hands_on(reader).cursor() as cursor:
                cursor.execute(f"ATTACH '{other}' AS other")
                with pytest.raises(adbc_driver_manager.Error, match="readonly"):
                    cursor.execute("DELETE FROM other.company")
        assert other.read_bytes() == before


class TestPostgres:
    @pytest.fixture
    def database(self, postgres_database: str, monkeypatch: pytest.MonkeyPatch) -> str:
        with psycopg.connect(postgres_database) as connection:
            connection.execute("CREATE SCHEMA crm")
            connection.execute(
                "CREATE TABLE crm.company (id bigint, name text, paid numeric, seen timestamptz, ok bool)"
            )
            connection.execute("INSERT INTO crm.company VALUES (1, 'Dale', 12.50, '2026-07-01 12:00+02', true)")
            connection.execute("INSERT INTO crm.company (id) VALUES (2)")
        separator = "&" if "?" in postgres_database else "?"
        url = f"{postgres_database}{separator}options=-csearch_path%3Dcrm"
        monkeypatch.setenv("PRECEDE_CRM_URL", url)
        return url

    @pytest.fixture
    def made(self, tmp_path: Path, database: str) -> Source:  # noqa: ARG002  the address is in the environment
        tables = {"company": {"key": ["id"], "columns": ["name", "paid", "seen", "ok"]}}
        return source(tmp_path, declared(tables=tables) | {"url": {"env": "PRECEDE_CRM_URL"}})

    def test_values_of_every_type_are_read_as_text_in_utc(self, made: Source) -> None:
        assert read(made) == [
            {"id": "1", "name": "Dale", "paid": "12.50", "seen": "2026-07-01 10:00:00+00", "ok": "true"},
            {"id": "2", "name": None, "paid": None, "seen": None, "ok": None},
        ]

    def test_a_missing_table_or_column_is_named(self, tmp_path: Path, database: str) -> None:  # noqa: ARG002
        url = {"env": "PRECEDE_CRM_URL"}
        with pytest.raises(SourceError, match=r"found the column 'title', .*; needed one of id, name, ok, paid, seen"):
            read(source(tmp_path, declared(tables={"company": {"key": ["id"], "columns": ["title"]}}) | {"url": url}))
        with pytest.raises(SourceError, match=r"found the table 'firm', which crm .*; needed one of company"):
            read(source(tmp_path, declared(tables={"company": {"name": "firm", "key": ["id"]}}) | {"url": url}))

    def test_a_server_that_does_not_answer_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PRECEDE_CRM_URL", "postgresql://127.0.0.1:1/nowhere")
        with pytest.raises(
            SourceError, match=r"url: found the Postgres database unreadable .*; needed a database that"
        ):
            read(source(tmp_path, declared() | {"url": {"env": "PRECEDE_CRM_URL"}}))

    def test_its_session_refuses_to_write(self, made: Source, database: str) -> None:
        refused = pytest.raises(adbc_driver_manager.Error, match="read-only transaction")
        with open_reader(made, Path()) as reader, hands_on(reader).cursor() as cursor, refused:
            cursor.execute("DELETE FROM company")
        assert count(database) == 2

    def test_a_role_that_may_only_select_cannot_be_talked_into_writing(
        self, made: Source, database: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with psycopg.connect(database) as connection:
            connection.execute("DROP ROLE IF EXISTS precede_reader")
            connection.execute("CREATE ROLE precede_reader LOGIN")
            connection.execute("GRANT USAGE ON SCHEMA crm TO precede_reader")
            connection.execute("GRANT SELECT ON crm.company TO precede_reader")
        monkeypatch.setenv("PRECEDE_CRM_URL", database.replace("//postgres:", "//precede_reader:", 1))
        assert len(read(made)) == 2
        with open_reader(made, Path()) as reader:
            assert reader.may_write() is None
            hands_on(reader).rollback()
            with hands_on(reader).cursor() as cursor:
                cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE")
                cursor.execute("SET TRANSACTION READ WRITE")
                with pytest.raises(adbc_driver_manager.Error, match="permission denied"):
                    cursor.execute("DELETE FROM company")
        assert count(database) == 2

    def test_a_role_that_may_write_is_told_of(self, made: Source) -> None:
        with open_reader(made, Path()) as reader:
            assert reader.may_write() == "company"


class TestCsv:
    def test_rows_are_read_with_blanks_as_nothing(self, tmp_path: Path) -> None:
        lay(tmp_path, "a.csv", 'id,name,more\n1,"Dale, Ltd\nLeeds",x\n2,,y\n')
        assert read(of_files(tmp_path, "csv", "a.csv")) == [
            {"id": "1", "name": "Dale, Ltd\nLeeds"},
            {"id": "2", "name": None},
        ]

    def test_a_line_of_too_many_or_few_values_is_set_aside(self, tmp_path: Path) -> None:
        lay(tmp_path, "a.csv", "id,name\n1,Dale\n2\n3,Mill,Leeds\n4,Beck\n")
        with open_reader(of_files(tmp_path, "csv", "a.csv"), tmp_path) as reader:
            found = reader.read("company")
            assert [row["id"] for row in found.stream().read_all().to_pylist()] == ["1", "4"]
            assert [(one.text, one.problem) for one in found.unreadable] == [
                ("2", "1 values where the header has 2"),
                ("3,Mill,Leeds", "3 values where the header has 2"),
            ]
            assert found.unreadable[0].position != found.unreadable[1].position

    def test_several_files_of_different_columns_are_one_table(self, tmp_path: Path) -> None:
        lay(tmp_path, "a.csv", "id,name\n1,Dale\n")
        lay(tmp_path, "b.csv", "town,id\nLeeds,2\n")
        assert read(of_files(tmp_path, "csv", "*.csv")) == [{"id": "1", "name": "Dale"}, {"id": "2", "name": None}]

    def test_other_delimiters_and_encodings_are_read(self, tmp_path: Path) -> None:
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "a.csv").write_bytes("id;name\n1;Müller\n".encode("latin-1"))
        assert read(of_files(tmp_path, "csv", "a.csv", delimiter=";", encoding="latin-1"))[0]["name"] == "Müller"
        assert read(of_files(tmp_path, "csv", "a.csv", delimiter=";"))[0]["name"] == "Müller"

    def test_the_mark_before_utf8_is_no_part_of_a_name(self, tmp_path: Path) -> None:
        lay(tmp_path, "a.csv", "\ufeffid,name\n1,Dale\n")
        assert read(of_files(tmp_path, "csv", "a.csv")) == [{"id": "1", "name": "Dale"}]

    def test_a_missing_folder_file_or_column_is_named(self, tmp_path: Path) -> None:
        made = of_files(tmp_path, "csv", "a.csv")
        with pytest.raises(SourceError, match=r"url: found no folder .*data"):
            read(made)
        lay(tmp_path, "b.csv", "id,title\n")
        with pytest.raises(SourceError, match=r"tables.company.files: found no file .*a.csv"):
            read(made)
        with pytest.raises(SourceError, match=r"tables.company: found the column 'name', which b.csv does not have"):
            read(of_files(tmp_path, "csv", "b.csv"))

    @pytest.mark.parametrize("pattern", ["../crm/a.csv", "/etc/passwd"])
    def test_no_file_outside_the_folder_is_read(self, tmp_path: Path, pattern: str) -> None:
        lay(tmp_path, "a.csv", "id,name\n")
        with pytest.raises(SourceError, match="needed a file name or pattern inside the folder of url"):
            read(of_files(tmp_path, "csv", pattern))


class TestJsonLines:
    def test_values_are_read_as_text_with_the_digits_they_were_written_with(self, tmp_path: Path) -> None:
        lay(
            tmp_path,
            "a.jsonl",
            '{"id": 9007199254740993, "name": "Dale"}\n\n{"id": 1.10, "name": {"a": [true]}}\n{"id": "3"}\n',
        )
        assert read(of_files(tmp_path, "jsonl", "a.jsonl")) == [
            {"id": "9007199254740993", "name": "Dale"},
            {"id": "1.10", "name": '{"a": [true]}'},
            {"id": "3", "name": None},
        ]

    def test_a_line_that_is_no_object_is_set_aside(self, tmp_path: Path) -> None:
        lay(tmp_path, "a.jsonl", '{"id": 1, "name": "Dale"}\n{"id": 2,\n[3]\n')
        with open_reader(of_files(tmp_path, "jsonl", "a.jsonl"), tmp_path) as reader:
            found = reader.read("company")
            assert found.stream().read_all().num_rows == 1
            assert [(one.position, one.text) for one in found.unreadable] == [
                ("a.jsonl:2", '{"id": 2,'),
                ("a.jsonl:3", "[3]"),
            ]

    def test_a_name_that_no_object_has_is_named(self, tmp_path: Path) -> None:
        lay(tmp_path, "a.jsonl", '{"id": 1, "title": "Dale"}\n')
        with pytest.raises(
            SourceError, match=r"found the column 'name', which a.jsonl does not have; needed one of id, title"
        ):
            read(of_files(tmp_path, "jsonl", "a.jsonl"))


class TestParquet:
    def test_values_of_every_type_are_read_as_text(self, tmp_path: Path) -> None:
        (tmp_path / "data").mkdir()
        table = pa.table(
            {"id": [1, 2], "name": pa.array([["a", None], None], pa.list_(pa.string())), "more": [True, False]}
        )
        parquet.write_table(table, tmp_path / "data" / "a.parquet")
        assert read(of_files(tmp_path, "parquet", "a.parquet")) == [
            {"id": "1", "name": '["a", null]'},
            {"id": "2", "name": None},
        ]

    def test_a_file_that_is_none_is_named(self, tmp_path: Path) -> None:
        lay(tmp_path, "a.parquet", "id,name\n")
        with pytest.raises(SourceError, match=r"url: found .*a.parquet unreadable .*; needed a parquet file"):
            read(of_files(tmp_path, "parquet", "a.parquet"))


@pytest.mark.parametrize(("kind", "text"), [("csv", "id,name\n1,Dale\n"), ("jsonl", '{"id": 1, "name": "Dale"}\n')])
def test_a_file_that_nobody_may_write_can_be_read(tmp_path: Path, kind: str, text: str) -> None:
    lay(tmp_path, f"a.{kind}", text)
    (tmp_path / "data" / f"a.{kind}").chmod(stat.S_IRUSR)
    made = of_files(tmp_path, kind, f"a.{kind}")
    assert read(made) == [{"id": "1", "name": "Dale"}]
    assert (tmp_path / "data" / f"a.{kind}").read_text() == text
    with open_reader(made, tmp_path) as reader:
        assert reader.may_write() is None


def test_a_reader_takes_names_and_no_sql(tmp_path: Path) -> None:
    write_sqlite(tmp_path / "crm.db", company=ROWS)
    with open_reader(source(tmp_path), tmp_path) as reader:
        known = ["close", "count", "holding", "keeps_unique", "known_by", "may_write", "read"]
        assert [name for name in dir(reader) if not name.startswith("_")] == known
        with pytest.raises(KeyError):
            reader.read("company; DELETE FROM company")


def test_a_time_to_read_from_is_no_sql_either() -> None:
    with pytest.raises(ValueError, match="DELETE"):
        Since("2026-11-02'; DELETE FROM company --", strictly=True)


def hands_on(reader: Reader) -> Any:
    """The reader's own connection, as code that went round the reader would use it."""
    return reader._connection  # type: ignore[attr-defined]


def count(database: str) -> int:
    with psycopg.connect(database) as connection:
        found = connection.execute("SELECT count(*) FROM crm.company").fetchone()
    assert found is not None
    return int(found[0])


def lay(folder: Path, name: str, text: str) -> None:
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("kind", "text"),
    [("csv", "id,name\n1,secret\n"), ("jsonl", '{"id": 1, "name": "secret"}\n'), ("parquet", "secret")],
)
def test_a_link_out_of_the_folder_is_refused_and_one_within_is_followed(tmp_path: Path, kind: str, text: str) -> None:
    lay(tmp_path, f"a.{kind}", text)
    secret = tmp_path / "permit.key"
    (tmp_path / "data" / f"a.{kind}").rename(secret)
    (tmp_path / "data" / f"b.{kind}").symlink_to(secret)
    with pytest.raises(SourceError, match=rf"found .*b\.{kind}, a link out of its folder; needed files in ") as raised:
        read(of_files(tmp_path, kind, "*"))
    assert "secret" not in str(raised.value)
    if kind != "parquet":
        lay(tmp_path, f"v1.{kind}", text)
        (tmp_path / "data" / f"b.{kind}").unlink()
        (tmp_path / "data" / f"b.{kind}").symlink_to(f"v1.{kind}")
        assert read(of_files(tmp_path, kind, f"b.{kind}", f"v1.{kind}")) == [{"id": "1", "name": "secret"}]


def test_a_file_that_becomes_a_link_after_it_was_found_is_not_followed(tmp_path: Path) -> None:
    lay(tmp_path, "a.jsonl", '{"id": 1, "name": "Dale"}\n')
    secret = tmp_path / "permit.key"
    secret.write_text("secret")
    made = of_files(tmp_path, "jsonl", "a.jsonl")
    with open_reader(made, tmp_path) as reader:
        found = reader.read("company")
        (tmp_path / "data" / "a.jsonl").unlink()
        (tmp_path / "data" / "a.jsonl").symlink_to(secret)
        with pytest.raises(SourceError, match=r"a\.jsonl unreadable"):
            found.stream().read_all()
        assert found.unreadable == []
