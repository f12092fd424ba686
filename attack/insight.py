"""A write through every connection that insight has to a source, and through every one that reads what it made."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import adbc_driver_manager
import duckdb
import psycopg

from attack.ground import Ground
from attack.suite import Group
from insight.records.sandbox import sandbox
from insight.sources.readers import open_reader
from insight.sources.source import Source
from orchestration.errors import PrecedeError
from orchestration.graph import EntityGraph
from tests.graph_fixture import build_graph
from tests.integration.sources.folders import declared, landed, source, write_sqlite

GROUP: Final = Group("insight")
ROWS: Final = [{"id": 1, "name": "Dale"}, {"id": 2, "name": "Mill"}]


def _refused(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except (adbc_driver_manager.Error, duckdb.Error, sqlite3.Error, PrecedeError, OSError, KeyError) as refused:
        return f"refused: {type(refused).__name__}"
    return "written"


def _execute(made: Source, folder: Path, *statements: str) -> str:
    """Hand statements to a reader's own connection, as code that went round the reader would; the last one's end."""
    with open_reader(made, folder) as reader:
        connection: Any = reader._connection  # type: ignore[attr-defined]  # what nobody is meant to touch
        with connection.cursor() as cursor:
            for statement in statements[:-1]:
                try:
                    cursor.execute(statement)
                except adbc_driver_manager.Error:
                    continue
            return _refused(lambda: cursor.execute(statements[-1]))


SQLITE: Final = {
    "sqlite-delete": ("DELETE FROM company",),
    "sqlite-drop": ("DROP TABLE company",),
    "sqlite-writable-pragma": ("PRAGMA query_only = OFF", "DELETE FROM company"),
    "sqlite-writable-schema": ("PRAGMA writable_schema = ON", "DELETE FROM sqlite_master"),
    "sqlite-attach-and-write": ("ATTACH '{other}' AS other", "DELETE FROM other.secret"),
    "sqlite-vacuum-into": ("VACUUM INTO '{other}.copy'",),
}


def _sqlite(statements: tuple[str, ...]) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        other = ground.folder / "other.db"
        write_sqlite(ground.folder / "crm.db", company=ROWS)
        with closing(sqlite3.connect(other)) as connection, connection:
            connection.execute("CREATE TABLE secret (id)")
            connection.execute("INSERT INTO secret VALUES (1)")
        seen = _execute(source(ground.folder), ground.folder, *(one.format(other=other) for one in statements))
        with closing(sqlite3.connect(other)) as connection, closing(sqlite3.connect(ground.folder / "crm.db")) as crm:
            kept = connection.execute("SELECT count(*) FROM secret").fetchone()[0]
            kept += crm.execute("SELECT count(*) FROM company").fetchone()[0]
        strays = [each.name for each in ground.folder.iterdir() if each.name.endswith(".copy")]
        return seen.partition(":")[0] if kept == len(ROWS) + 1 and not strays else "written"

    return run


for _name, _statements in SQLITE.items():
    GROUP.add(
        _name,
        f"have the reader of a SQLite source do {'; '.join(_statements)}",
        "refused",
        _sqlite(_statements),
        quick=True,
    )

POSTGRES: Final = {
    "postgres-delete": ("DELETE FROM crm.company",),
    "postgres-set-session": (
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
        "SET TRANSACTION READ WRITE",
        "DELETE FROM crm.company",
    ),
    "postgres-set-default": ("SET default_transaction_read_only = off", "COMMIT", "DELETE FROM crm.company"),
    "postgres-in-the-statement": ("COMMIT; BEGIN READ WRITE; DELETE FROM crm.company; COMMIT",),
    "postgres-copy-to-program": ("COPY crm.company TO PROGRAM 'cat > /tmp/stolen'",),
}


def _postgres(statements: tuple[str, ...]) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        database = ground.database()
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("CREATE SCHEMA crm")
            connection.execute("CREATE TABLE crm.company (id INTEGER, name TEXT)")
            connection.execute("INSERT INTO crm.company VALUES (1, 'Dale'), (2, 'Mill')")
            connection.execute("DROP ROLE IF EXISTS precede_attacked")
            connection.execute("CREATE ROLE precede_attacked LOGIN")
            connection.execute("GRANT USAGE ON SCHEMA crm TO precede_attacked")
            connection.execute("GRANT SELECT ON crm.company TO precede_attacked")
        url = f"{database}&options=-csearch_path%3Dcrm"
        ground.environment.setenv("PRECEDE_CRM_URL", url.replace("//postgres:", "//precede_attacked:", 1))
        tables = {"company": {"key": ["id"], "columns": ["name"]}}
        stated = declared(tables=tables) | {"url": {"env": "PRECEDE_CRM_URL"}}
        seen = _execute(source(ground.folder, stated), Path(), *statements)
        with psycopg.connect(database, autocommit=True) as connection:
            [count] = connection.execute("SELECT count(*) FROM crm.company").fetchone() or [0]
            connection.execute("REVOKE ALL ON crm.company FROM precede_attacked")
            connection.execute("REVOKE ALL ON SCHEMA crm FROM precede_attacked")
        return seen.partition(":")[0] if count == len(ROWS) else "written"

    return run


for _name, _statements in POSTGRES.items():
    GROUP.add(
        _name,
        f"have the reader of a Postgres source, by a role that may only select, do {'; '.join(_statements)}",
        "refused",
        _postgres(_statements),
    )

SANDBOXED: Final = {
    "copy": "COPY (SELECT 1) TO '{out}'",
    "attach": "ATTACH '{out}' AS other",
    "external-access": "SET enable_external_access = true",
    "unlock": "SET lock_configuration = false",
    "reset": "RESET enable_external_access",
    "read-text": "SELECT * FROM read_text('/etc/hostname')",
    "install": "INSTALL httpfs",
    "load": "LOAD '{out}'",
    "export": "EXPORT DATABASE '{out}'",
}


def _sandboxed(statement: str) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        made, found = landed(ground.folder, ROWS)
        out = ground.folder / "out"
        with sandbox(made, found, [made.sql["organisation"]]) as connection:
            seen = _refused(lambda: connection.execute(statement.format(out=out)))
        return "written" if out.exists() else seen.partition(":")[0]

    return run


def _graph(statement: str) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        path = ground.folder / "graph" / "snap.duckdb"
        path.parent.mkdir()
        build_graph(path)
        out = ground.folder / "out"
        with EntityGraph(path) as graph:
            seen = _refused(lambda: graph.rows(statement.format(out=out)))
        return "written" if out.exists() else seen.partition(":")[0]

    return run


for _name, _statement in SANDBOXED.items():
    GROUP.add(f"source-sql-{_name}", f"have a source's own .sql do {_statement}", "refused", _sandboxed(_statement))
for _name, _statement in {
    **SANDBOXED,
    "update": "UPDATE invoice SET amount_open = 0",
    "drop": "DROP TABLE invoice",
}.items():
    GROUP.add(f"graph-{_name}", f"have a reader of the graph do {_statement}", "refused", _graph(_statement))


@GROUP.attack("table-name", expected="refused: KeyError", quick=True)
def table_name(ground: Ground) -> str:
    """read a table whose name goes on as a statement"""
    write_sqlite(ground.folder / "crm.db", company=ROWS)
    with open_reader(source(ground.folder), ground.folder) as reader:
        return _refused(lambda: reader.read("company; DELETE FROM company"))


@GROUP.attack("link-out-of-the-folder", expected="refused: SourceError", quick=True)
def link(ground: Ground) -> str:
    """have a list of a source's folder be a link to a key outside it"""
    from tests.integration.sources.test_readers import of_files, read  # noqa: PLC0415  loads pytest's fixtures too

    (ground.folder / "data").mkdir()
    secret = ground.folder / "permit.key"
    secret.write_text("id,name\n1,secret\n", encoding="utf-8")
    (ground.folder / "data" / "a.csv").symlink_to(secret)
    return _refused(lambda: read(of_files(ground.folder, "csv", "*")))
