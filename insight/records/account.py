"""Every row is accounted for: it drives a record or a fact, is in quarantine, or completes another row.

A row completes another where that row's `.sql` names it in `supported_by`, or where `supporting.sql` says which row it
completes and that row is accounted for without it. No table is excused as a whole: what is none of these is
unaccounted, and a graph with such a row is not published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
        rows: Rows that were landed, rejected ones among them, deleted ones not.
        records: Records of organisations and people that they drive; one row may drive two.
        facts: Facts that they drive.
        supporting: Rows that drive nothing and complete others.
        quarantined: Rows, or parts of one, in quarantine.
        unaccounted: Rows that are none of these.
    """

    system: str
    source_table: str
    rows: int
    records: int
    facts: int
    supporting: int
    quarantined: int
    unaccounted: int


_TABLES: Final = (
    "CREATE TABLE landed (system VARCHAR, source_table VARCHAR, source_key VARCHAR)",
    "CREATE TABLE driven (system VARCHAR, source_table VARCHAR, source_key VARCHAR, what VARCHAR)",
)
_COMPLETE: Final = """
INSERT INTO driven
SELECT DISTINCT system, source_table, source_key, 'supporting'
FROM read_parquet(?) AS supporting
SEMI JOIN driven ON driven.system = supporting.system
    AND driven.source_table = completed_table AND driven.source_key = completed_key
"""
_COUNT: Final = """
WITH per_row AS (
    SELECT system, source_table, source_key,
        count(*) FILTER (what = 'record') AS records,
        count(*) FILTER (what = 'fact') AS facts,
        count(*) FILTER (what = 'quarantine') AS quarantined,
        count(*) FILTER (what = 'supporting') AS supporting
    FROM driven GROUP BY ALL
)
SELECT landed.system, landed.source_table,
    count(*) AS rows,
    coalesce(sum(records), 0),
    coalesce(sum(facts), 0),
    count(*) FILTER (records + facts + quarantined = 0 AND supporting > 0),
    coalesce(sum(quarantined), 0),
    count(*) FILTER (coalesce(records + facts + quarantined + supporting, 0) = 0)
FROM landed LEFT JOIN per_row USING (system, source_table, source_key)
GROUP BY ALL ORDER BY ALL
"""


def account(landed: Sequence[LandedTable], records: Mapping[str, RecordSet], rejected: RejectedSet) -> list[Account]:
    """What became of every row of every table, by system and table.

    Args:
        landed: What was landed.
        records: Record sets by shape; all that the sources have a `.sql` for.
        rejected: Rows that became nothing.
    """
    with duckdb.connect() as connection:
        for statement in _TABLES:
            connection.execute(statement)
        for one in landed:
            connection.execute(
                f"INSERT INTO landed SELECT ?, ?, _key FROM {layers.rows(one.path)}", [one.system, one.table]
            )
        for shape, made in records.items():
            what = "record" if shape in RECORD_TYPES else "fact"
            _drive(connection, what, str(made.record))
            _drive(connection, "quarantine", str(made.quarantine))
            _drive(connection, "supporting", str(made.support))
        _drive(connection, "quarantine", str(rejected.quarantine))
        connection.execute(_COMPLETE, [str(rejected.supporting)])
        counted = {(row[0], row[1]): row[2:] for row in connection.execute(_COUNT).fetchall()}
    found = []
    for one in sorted(landed, key=lambda one: (one.system, one.table)):
        rows, records_, facts, supporting, quarantined, unaccounted = counted.get((one.system, one.table), (0,) * 6)
        # Rows that landing set aside are in quarantine and nowhere else: their key is another row's, or none.
        found.append(
            Account(
                one.system,
                one.table,
                rows + one.rejected_count,
                records_,
                facts,
                supporting,
                quarantined + one.rejected_count,
                unaccounted,
            )
        )
    return found


def _drive(connection: duckdb.DuckDBPyConnection, what: str, path: str) -> None:
    # A row may complete a million others, and counts once; a row that drives two records counts twice.
    each = "DISTINCT" if what == "supporting" else ""
    keys = f"SELECT {each} system, source_table, source_key, ? FROM read_parquet(?) WHERE source_key IS NOT NULL"
    connection.execute(f"INSERT INTO driven {keys}", [what, path])
