"""A source's `.sql` reads what was landed and reaches nothing else."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from insight.records import every
from insight.records.locked import lock, locked
from insight.records.sandbox import run, sandbox, tables_used
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
    secrets = pa.table({"word": ["xyzzy"]})
    assert secrets.num_rows == 1
    made, found = landed(tmp_path, ROWS)
    with sandbox(made, found, [made.sql["organisation"]]) as connection, pytest.raises(duckdb.Error, match="secrets"):
        connection.execute("SELECT * FROM secrets")


@pytest.mark.parametrize(
    ("query", "more"),
    [
        ("WITH gone AS (DELETE FROM company) {rows}", "a statement of the kind DELETE in a WITH"),
        (
            "WITH other AS (UPDATE company SET name = 'x' RETURNING *) {rows}",
            "a statement of the kind UPDATE in a WITH",
        ),
        (
            "{rows} UNION ALL (WITH o AS (INSERT INTO company VALUES ('2', 'x')) {rows})",
            "a statement of the kind INSERT",
        ),
        ("WITH out AS (COPY company TO 'out') {rows}", "a statement of the kind COPY in a WITH"),
        (
            "{rows} WHERE EXISTS (FROM REGISTER_external_resource_type({six}))",
            "a call of register_external_resource_type()",
        ),
        ("{rows} WHERE EXISTS (FROM query('FROM company'))", "a call of query()"),
        ("{rows} WHERE EXISTS (FROM truncate_duckdb_logs())", "a call of truncate_duckdb_logs()"),
        ("{rows} WHERE EXISTS (FROM arrow_scan(1, 2, 3))", "a call of arrow_scan()"),
    ],
)
def test_a_select_that_does_more_than_read_is_refused(tmp_path: Path, query: str, more: str) -> None:
    names = ("kind", "create_function", "status_function", "destroy_function", "resolve_function", "list_function")
    six = ", ".join(["'left'", *(f"{name} := 'version'" for name in names)])
    rows = "SELECT 'company' AS source_table, _key AS source_key, name FROM company"
    assert f"found {more}" in refusal(tmp_path, query.format(rows=rows, six=six))
    with locked() as connection:
        assert not connection.execute("FROM duckdb_external_resource_types()").fetchall()


def test_functions_of_values_may_be_called(tmp_path: Path) -> None:
    each = "(SELECT unnest([1])), range(1), generate_series(1, 1), json_each('[1]'), (WITH o AS (SELECT 1) FROM o)"
    query = f"SELECT 'company' AS source_table, _key AS source_key, company.name FROM company, {each}"
    made, found = landed(tmp_path, ROWS, organisation=query)
    with sandbox(made, found, [made.sql["organisation"]]) as connection:
        columns = ("source_table", "source_key", "name")
        assert run(connection, made.sql["organisation"], columns, ()).num_rows >= 1


def test_every_connection_to_the_standing_database_has_every_way_out_closed() -> None:
    shut = ("python_enable_replacements", "enable_external_access", "autoload_known_extensions")
    asked = ", ".join(f"current_setting('{name}')" for name in (*shut, "autoinstall_known_extensions"))
    with locked() as connection, locked() as other, duckdb.connect() as own:
        lock(own)
        for one in (connection, other, own):
            assert one.execute(f"SELECT {asked}").fetchall() == [(False,) * 4]


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
        with pytest.raises(SourceError, match=f"found a call of {reader}"):
            tables_used(made, made.sql["organisation"])
