"""The DuckDB connection in which Northgate is made: seed, pools and rates as variables, one relation per `.sql` file.

Every draw is a hash of the seed, a key and a salt (`draws.sql`), so the content does not depend on threads, on the
order of rows or on which other relations are built.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb

from examples.northgate.pools import pools, short_names, towns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from examples.northgate.plan import Plan

HERE: Final = Path(__file__).parent


def open_engine(plan: Plan, scratch: Path) -> duckdb.DuckDBPyConnection:
    """A connection that knows the plan's seed, sizes, pools, rates and draws; `scratch` takes what memory cannot."""
    con = duckdb.connect(str(scratch / "work.duckdb"))
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET memory_limit = '2GB'")
    con.execute("SET temp_directory = $folder", {"folder": str(scratch)})
    for name, values in pools().items():
        set_variable(con, name, values)
    set_variable(con, "towns", [{**town, "districts": int(town["districts"])} for town in towns()])
    for name, value in plan.variables().items():
        set_variable(con, name, value)
    set_variable(con, "rates", plan.dirt.rates)
    for name in ("draws", "world/numbers", "dirt/slips", "facts/facts"):
        run(con, name)
    _table(con, "held", ("tab", *plan.dirt.fields), [(tab, *shares) for tab, shares in plan.dirt.held.items()])
    _table(con, "short_name", ("given_name", "short_form"), sorted(short_names().items()))
    for schema in ("crm", "erp", "support"):
        con.execute(f"CREATE SCHEMA {schema}")
    return con


def run(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Run `<name>.sql` of this package: macros, or the relation of that name."""
    con.execute((HERE / f"{name}.sql").read_text(encoding="utf-8"))


def set_variable(con: duckdb.DuckDBPyConnection, name: str, value: object) -> None:
    """Make `getvariable(name)` give `value`."""
    con.execute(f"SET VARIABLE {name} = $value", {"value": value})


def _table(con: duckdb.DuckDBPyConnection, name: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    values: Mapping[str, list[object]] = {column: [row[place] for row in rows] for place, column in enumerate(columns)}
    lists = ", ".join(f"unnest(${column}) AS {column}" for column in columns)
    con.execute(f"CREATE TABLE {name} AS SELECT {lists}", values)
