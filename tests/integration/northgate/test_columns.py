"""Tables bear the names that real connectors give them, or say that they do not."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import pytest
import yaml

import examples.northgate
from examples.northgate.write import SYSTEMS
from tests.beside import DATA

SEEDS = DATA / "vendor-schemas"
NAMES = {"crm": "hubspot/{}_data.csv", "erp": "netsuite/netsuite2_{}_data.csv", "support": "zendesk/{}_data.csv"}
TABLES = [(system, table) for system, tables in SYSTEMS.items() for table in tables]


def declared(system: str, table: str) -> set[str]:
    stated = yaml.safe_load(Path(examples.northgate.__file__).with_name("columns.yml").read_text(encoding="utf-8"))
    kinds = stated.get(system, {}).get(table, {})
    return {column for columns in kinds.values() for column in columns}


@pytest.mark.parametrize(("system", "table"), TABLES)
def test_a_column_is_the_connectors_or_declared(tables: duckdb.DuckDBPyConnection, system: str, table: str) -> None:
    if not SEEDS.is_dir():
        pytest.skip(f"the connectors' samples are not at {SEEDS}")
    seed = SEEDS / NAMES[system].format(table)
    sampled = set(next(csv.reader([seed.read_text(encoding="utf-8-sig").splitlines()[0]]))) if seed.exists() else set()
    columns = {row[0] for row in tables.execute(f"DESCRIBE {system}_{table}").fetchall()}

    assert columns - sampled == declared(system, table)
