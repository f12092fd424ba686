"""Every row is accounted for: it drives a record or a fact, is in quarantine, or completes another row.

A row completes another where that row's `.sql` names it in `supported_by`, or where `supporting.sql` says which row it
completes and that row is accounted for without it. No table is excused as a whole: what is none of these is
unaccounted, and a graph with such a row is not published.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from insight import layers
from insight.landing import LandedTable
from insight.records.record_set import RecordSet, RejectedSet
from orchestration.graph.model import RECORD_TYPES


@dataclass(frozen=True, slots=True)
class Account:
    """What became of the rows of one table of one system.

    Attributes:
        rows: Rows that were landed, rejected ones among them, deleted and suppressed ones not.
        records: Records of organisations and people that they drive; one row may drive two.
        facts: Facts that they drive.
        supporting: Rows that drive nothing and complete others.
        quarantined: Rows, or parts of one, in quarantine.
        unaccounted: Rows that are none of these.
        suppressed: Rows beside these that were left out, since they are of people who were erased.
    """

    system: str
    source_table: str
    rows: int
    records: int
    facts: int
    supporting: int
    quarantined: int
    unaccounted: int
    suppressed: int = 0


_NAMED: Final = "SELECT system, source_table, count(*) FROM {rows} WHERE source_key IS NOT NULL GROUP BY ALL"
_OF_TABLE: Final = "SELECT source_key FROM {rows} WHERE system = $system AND source_table = $table"
_COMPLETED: Final = """
CREATE OR REPLACE TEMP TABLE completed AS
SELECT DISTINCT source_key, completed_table, completed_key FROM {rows} WHERE system = $system AND source_table = $table
"""
_ALONE: Final = """
SELECT count(*), count(*) FILTER (source_key IN (SELECT source_key FROM ({supporting})))
FROM (SELECT _key AS source_key FROM {landed}) ANTI JOIN ({driving}) AS driving USING (source_key)
"""
_NONE: Final = "SELECT NULL::VARCHAR AS source_key WHERE false"


@dataclass(frozen=True, slots=True)
class _Named:
    """A table whose rows name source rows, and how many of each source table it names."""

    what: str
    path: Path
    counts: Mapping[tuple[str, str], int]


def account(landed: Sequence[LandedTable], records: Mapping[str, RecordSet], rejected: RejectedSet) -> list[Account]:
    """What became of every row of every table, by system and table.

    Args:
        landed: What was landed.
        records: Record sets by shape; all that the sources have a `.sql` for.
        rejected: Rows that became nothing.
    """
    with duckdb.connect() as connection:
        named = [_named(connection, what, path) for what, path in _naming(records, rejected)]
        supporting = _named(connection, "supporting", rejected.supporting)
        return [
            _account(connection, one, named, supporting)
            for one in sorted(landed, key=lambda one: (one.system, one.table))
        ]


def _naming(records: Mapping[str, RecordSet], rejected: RejectedSet) -> Iterator[tuple[str, Path]]:
    """What a row becomes by being named in which table."""
    for shape, made in records.items():
        yield "record" if shape in RECORD_TYPES else "fact", made.record
        yield "quarantine", made.quarantine
        yield "support", made.support
    yield "quarantine", rejected.quarantine


def _named(connection: duckdb.DuckDBPyConnection, what: str, path: Path) -> _Named:
    counted = connection.execute(_NAMED.format(rows=layers.rows(path))).fetchall()
    return _Named(what, path, {(system, table): number for system, table, number in counted})


def _account(
    connection: duckdb.DuckDBPyConnection, landed: LandedTable, named: Sequence[_Named], supporting: _Named
) -> Account:
    """What became of the rows of one table: most drive something, and only the others are looked at one by one."""
    name = landed.system, landed.table
    number = {
        what: sum(one.counts.get(name, 0) for one in named if one.what == what)
        for what in ("record", "fact", "quarantine")
    }
    bound = {"system": landed.system, "table": landed.table}
    completing = _keys(named, name, {"support"})
    if name in supporting.counts:
        completing = f"{completing} UNION ALL {_completing(connection, landed, named, supporting)}"
    [(alone, complete)] = connection.execute(
        _ALONE.format(
            landed=layers.rows(landed.path),
            driving=_keys(named, name, {"record", "fact", "quarantine"}),
            supporting=completing,
        ),
        bound if "$system" in completing + _keys(named, name, {"record", "fact", "quarantine"}) else None,
    ).fetchall()
    return Account(
        landed.system,
        landed.table,
        landed.row_count,
        number["record"],
        number["fact"],
        complete,
        # Rows that landing set aside are in quarantine and nowhere else: their key is another row's, or none.
        number["quarantine"] + landed.rejected_count,
        alone - complete,
        landed.suppressed_count,
    )


def _keys(named: Iterable[_Named], name: tuple[str, str], whats: Collection[str]) -> str:
    """A query for the keys of a table's rows that become one of `whats`."""
    parts = [_OF_TABLE.format(rows=layers.rows(one.path)) for one in named if one.what in whats and name in one.counts]
    return " UNION ALL ".join(parts) or _NONE


def _completing(
    connection: duckdb.DuckDBPyConnection, landed: LandedTable, named: Sequence[_Named], supporting: _Named
) -> str:
    """A query for the keys of a table's rows that complete rows which are accounted for without them."""
    bound = {"system": landed.system, "table": landed.table}
    connection.execute(_COMPLETED.format(rows=layers.rows(supporting.path)), bound)
    completed = [row[0] for row in connection.execute("SELECT DISTINCT completed_table FROM completed").fetchall()]
    connection.execute("CREATE OR REPLACE TEMP TABLE completing (source_key VARCHAR)")
    for table in completed:
        of = landed.system, table
        keys = _keys(named, of, {"record", "fact", "quarantine", "support"})
        if keys != _NONE:
            connection.execute(
                "INSERT INTO completing SELECT source_key FROM completed "
                f"WHERE completed_table = $table AND completed_key IN ({keys}) AND $system <> ''",
                {"system": landed.system, "table": table},
            )
    return "SELECT source_key FROM completing"
