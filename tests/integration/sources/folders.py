"""Source folders and databases for tests: as few lines as the test is about."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import yaml

from insight import layers
from insight.landing import LandedTable, land
from insight.sources.loading import load_source
from insight.sources.source import Source
from orchestration.graph.model import SHAPES
from orchestration.settings import Settings

Rows = Sequence[Mapping[str, object]]

ORGANISATION = """
SELECT 'company' AS source_table, _key AS source_key, name FROM company
"""


def settings(home: Path) -> Settings:
    return replace(Settings(), home=home)


def declared(url: str = "sqlite:///{source}/crm.db", **changes: Any) -> dict[str, Any]:
    """What a small `source.yml` says, with some of it changed."""
    return {
        "system": "crm",
        "kind": "sql",
        "url": url,
        "tables": {"company": {"key": ["id"], "columns": ["name"]}},
        "asserts": {"organisation": {"default": "staff"}},
    } | changes


def write_source(folder: Path, stated: Mapping[str, Any] | str, **sql: str) -> Path:
    """Write a source folder, with an `organisation.sql` where no shape has one."""
    folder.mkdir(parents=True, exist_ok=True)
    text = stated if isinstance(stated, str) else yaml.safe_dump(dict(stated))
    (folder / "source.yml").write_text(text, encoding="utf-8")
    default = {} if sql.keys() & SHAPES.keys() else {"organisation": ORGANISATION}
    for name, query in (default | sql).items():
        (folder / f"{name}.sql").write_text(query, encoding="utf-8")
    return folder


def write_sqlite(path: Path, **tables: Rows) -> Path:
    """Make a SQLite file of the tables, with columns of no type."""
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as connection:
        for table, rows in tables.items():
            names = list(dict.fromkeys(name for row in rows for name in row))
            listed = ", ".join(f'"{name}"' for name in names)
            connection.execute(f'CREATE TABLE "{table}" ({listed})')
            marks = ", ".join("?" for _ in names)
            connection.executemany(
                f'INSERT INTO "{table}" VALUES ({marks})', [[row.get(name) for name in names] for row in rows]
            )
    connection.close()
    return path


def source(folder: Path, stated: Mapping[str, Any] | None = None, **sql: str) -> Source:
    """Write a source folder and load it."""
    return load_source(write_source(folder, stated or declared(), **sql))


def landed(
    folder: Path, rows: Rows, stated: Mapping[str, Any] | None = None, **sql: str
) -> tuple[Source, list[LandedTable]]:
    """A source of one table `company` of these rows, landed."""
    made = source(folder, stated, **sql)
    write_sqlite(folder / "crm.db", company=rows)
    return made, land(made, settings(folder / "home"))


def rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a table; landed ones, which have no order of their own, by key."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        relation = connection.sql(f"FROM {layers.rows(path)}")
        found: list[dict[str, Any]] = relation.to_arrow_table().to_pylist()
        return sorted(found, key=lambda row: row["_key"]) if "_key" in relation.columns else found
