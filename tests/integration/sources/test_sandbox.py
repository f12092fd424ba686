"""A source's `.sql` reads what was landed and reaches nothing else."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from insight.records import every
from insight.records.sandbox import sandbox, tables_used
from orchestration.errors import SourceError
from tests.integration.sources.folders import landed, settings

ROWS = [{"id": 1, "name": "Dale"}]


def refusal(folder: Path, query: str) -> str:
    made, found = landed(folder, ROWS, organisation=query)
    with pytest.raises(SourceError) as raised:
        every.build([made], found, settings(folder / "home"))
    assert str(raised.value).startswith(f"{folder}/organisation.sql: found ")
    return str(raised.value)


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("COPY company TO '{out}'", "COPY"),
        ("COPY (SELECT 1) TO '{out}'", "COPY"),
        ("ATTACH '{out}' AS other", "ATTACH"),
        ("INSTALL httpfs", "LOAD"),
        ("LOAD httpfs", "LOAD"),
        ("SET enable_external_access = true", "SET"),
        ("RESET lock_configuration", "SET"),
        ("INSERT INTO company VALUES ('2', 'x', '2', 'h')", "INSERT"),
        ("UPDATE company SET name = 'x'", "UPDATE"),
        ("DELETE FROM company", "DELETE"),
        ("CREATE TABLE mine AS SELECT 1", "CREATE"),
        ("DROP TABLE company", "DROP"),
        ("EXPORT DATABASE '{out}'", "EXPORT"),
        ("CALL pragma_version()", "CALL"),
    ],
)
def test_a_statement_that_is_no_select_is_refused(tmp_path: Path, query: str, kind: str) -> None:
    out = tmp_path / "out"
    said = refusal(tmp_path, query.format(out=out))
    assert f"found a statement of the kind {kind}; needed one SELECT" in said
    assert not out.exists()


def test_a_second_statement_is_refused(tmp_path: Path) -> None:
    said = refusal(tmp_path, f"SELECT 1; COPY (SELECT 1) TO '{tmp_path / 'out'}'")
    assert "found 2 statements; needed one SELECT" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_text('{secret}')",
        "SELECT * FROM read_csv('{secret}')",
        "SELECT * FROM '{secret}'",
        "SELECT * FROM glob('{folder}/*')",
        "SELECT * FROM read_parquet('{folder}/home/landing/crm/company/*/row.parquet')",
    ],
)
def test_a_select_that_reads_a_file_is_refused(tmp_path: Path, query: str) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("word\nxyzzy\n")
    said = refusal(tmp_path, query.format(secret=secret, folder=tmp_path))
    assert "xyzzy" not in said


@pytest.mark.parametrize(
    "statement",
    [
        "COPY (SELECT 1) TO '{out}'",
        "ATTACH '{out}' AS other",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "RESET enable_external_access",
        "SELECT * FROM read_text('/etc/hostname')",
        "INSTALL httpfs",
        "LOAD '{out}'",
        "EXPORT DATABASE '{out}'",
    ],
)
def test_the_database_itself_refuses_what_got_past_us(tmp_path: Path, statement: str) -> None:
    made, found = landed(tmp_path, ROWS)
    out = tmp_path / "out"
    with sandbox(made, found, [made.sql["organisation"]]) as connection, pytest.raises(duckdb.Error):
        connection.execute(statement.format(out=out))
    assert not out.exists()


def test_nothing_of_python_is_reached(tmp_path: Path) -> None:
    secrets = duckdb.sql("SELECT 'xyzzy' AS word").to_arrow_table()
    assert secrets.num_rows == 1
    made, found = landed(tmp_path, ROWS)
    with sandbox(made, found, [made.sql["organisation"]]) as connection, pytest.raises(duckdb.Error, match="secrets"):
        connection.execute("SELECT * FROM secrets")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("SELEC 1", "found SQL that does not run"),
        ("SELECT title FROM company", 'found SQL that does not run (Binder Error: Referenced column "title"'),
        ("SELECT * FROM contact", "found the table 'contact'; needed one that"),
        (
            "SELECT 'company' AS source_table, name FROM company",
            "found no column 'source_key'; needed a query that returns",
        ),
        (
            "SELECT 'company' AS source_table, _key AS source_key, name, 1 AS fax FROM company",
            "found the column 'fax'; needed columns among source_table, source_key, name",
        ),
        (
            "SELECT 'company' AS source_table, _key || 'x' AS source_key, name FROM company",
            "found the row '1x' of 'company'; needed source_table and source_key (_key) of a row that was landed",
        ),
        (
            "SELECT 'company' AS source_table, _key AS source_key, CAST(name AS INTEGER) AS name FROM company",
            "found SQL that does not run (Conversion Error",
        ),
    ],
)
def test_a_wrong_sql_is_named_with_what_was_found_and_needed(tmp_path: Path, query: str, sentence: str) -> None:
    assert sentence in refusal(tmp_path, query)


def test_a_volatile_column_cannot_be_used(tmp_path: Path) -> None:
    from tests.integration.sources.folders import declared  # noqa: PLC0415

    stated = declared(tables={"company": {"key": ["id"], "volatile": ["name"]}})
    made, found = landed(tmp_path, ROWS, stated)
    with pytest.raises(SourceError, match='Referenced column "name" not found'):
        every.build([made], found, settings(tmp_path / "home"))


@pytest.mark.parametrize("reader", ["read_json", "read_csv", "read_parquet"])
def test_a_file_is_not_opened_to_learn_which_tables_a_select_reads(tmp_path: Path, reader: str) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"\xff{no file of any kind")
    made, _ = landed(tmp_path, ROWS, organisation=f"SELECT * FROM {reader}('{broken}')")
    for name in (broken, tmp_path / "absent"):
        made.sql["organisation"].write_text(f"SELECT * FROM {reader}('{name}')")
        with pytest.raises(SourceError, match="disabled"):
            tables_used(made, made.sql["organisation"])
