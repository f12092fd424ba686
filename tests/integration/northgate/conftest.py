"""Northgate as the tests read it: built once with each kind of dirt, its tables and its truth in one DuckDB."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import adbc_driver_sqlite.dbapi
import duckdb
import pytest

from examples.northgate.build import Targets, build
from examples.northgate.plan import Plan
from examples.northgate.write import SYSTEMS

Opener = Callable[[Path], duckdb.DuckDBPyConnection]


def open_tables(out: Path) -> duckdb.DuckDBPyConnection:
    """Every table as `<system>_<table>`, and the truth as `truth`."""
    con = duckdb.connect()
    for system, tables in SYSTEMS.items():
        with adbc_driver_sqlite.dbapi.connect(str(out / f"{system}.db")) as source, source.cursor() as cursor:
            for table in tables:
                cursor.execute(f'SELECT * FROM "{table}"')
                con.register("read", cursor.fetch_arrow_table())
                con.execute(f"CREATE TABLE {system}_{table} AS FROM read")
    con.execute(f"CREATE TABLE truth AS FROM '{out}-truth/truth.parquet'")
    return con


@pytest.fixture(scope="session", params=["A", "B"])
def northgate(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of Northgate at its default size, with each kind of dirt in turn."""
    out = tmp_path_factory.mktemp("northgate") / "northgate"
    build(Plan(way=request.param), Targets(out))
    return out


@pytest.fixture(scope="session")
def tables(northgate: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Its tables and its truth."""
    with open_tables(northgate) as con:
        yield con
