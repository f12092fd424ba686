"""The tables of an entity folder, made of clusters that have their ids."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from insight.arriving import make_table
from insight.entities.conflicts import make_conflicts
from insight.entities.contacts import contact_point_sql, member_sql
from insight.entities.doubts import make_review_pairs
from insight.entities.golden import SEVERAL, make_golden
from insight.entities.scope import SEEN, Base
from insight.entities.settlements import make_settled, make_states
from insight.entities.sheet import Sheet
from insight.entities.survivorship import Priority

_HERE = Path(__file__).parent


def make_tables(  # noqa: PLR0913, PLR0917  what the tables depend on beside those that are there
    con: duckdb.DuckDBPyConnection,
    record_type: str,
    systems: Sequence[str],
    priority: Priority,
    now: datetime,
    base: Base | None,
) -> None:
    """Makes every table of the folder from `record`, `link`, `clustered`, `kept`, `cut`, `crosswalk_id` and `event`.

    Args:
        con: Where the tables are.
        record_type: The record type.
        systems: Every system that has records of the type.
        priority: Which systems the user believes first, by field.
        now: When this happens.
        base: The earlier result, where only what is in `scope` is made again.
    """
    typed = {"record_type": record_type}
    con.execute(f"CREATE OR REPLACE TABLE crosswalk AS {_sql('crosswalk')}", typed)
    con.execute(f"CREATE OR REPLACE TABLE member AS {member_sql(record_type)}")
    make_table(con, "present", system=pa.array(systems, pa.string()), number=pa.array(range(len(systems)), pa.int32()))
    make_settled(con, record_type)
    con.execute(_sql("doubt"))
    if base is not None:
        _complete_doubts(con, base)
    con.execute(_sql("resolution").format(last=max(len(systems) - 1, 0)))
    con.execute(_sql("standing"))
    in_doubt = "SELECT unnest([entity_a, entity_b]) AS entity_id FROM doubt"
    sheet = Sheet(con, record_type, f"{SEVERAL} UNION {in_doubt}", priority)
    make_golden(con, record_type, sheet)
    make_conflicts(con, record_type)
    make_review_pairs(con, record_type, sheet)
    golden = ", ".join(
        f"coalesce({column}::VARCHAR, '')" for column in con.table("golden").columns if column != "entity_id"
    )
    con.execute(_sql("entity").format(golden=f"md5(concat_ws(chr(30), {golden}))"), typed)
    con.execute(f"CREATE OR REPLACE TABLE contact_point AS {contact_point_sql(record_type)}")
    make_states(con, record_type)
    con.execute(
        """
        CREATE OR REPLACE TABLE entity_event AS
        SELECT entity_id, $record_type AS entity_type, event, other_entity_id, NULL::VARCHAR AS snapshot_id,
               $now::TIMESTAMPTZ AS at
        FROM event ORDER BY ALL
        """,
        {"record_type": record_type, "now": now},
    )


def _complete_doubts(con: duckdb.DuckDBPyConnection, base: Base) -> None:
    """Add the doubts between what is only looked at and what is further away, which are as they were."""
    con.execute(f"""
        INSERT INTO doubt BY NAME
        SELECT record_a, record_b, entity_a, entity_b, match_weight, match_probability, reason
        FROM {base.rows("review_pair")} AS was
        LEFT JOIN scope AS a ON a.record_id = record_a
        LEFT JOIN scope AS b ON b.record_id = record_b
        WHERE (a.ring = {SEEN} AND b.ring IS NULL) OR (b.ring = {SEEN} AND a.ring IS NULL)
    """)


def _sql(name: str) -> str:
    return (_HERE / f"{name}.sql").read_text()
