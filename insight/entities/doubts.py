"""What is left in doubt: pairs of records that a person could settle, and what would change if they did."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from insight.arriving import make_table
from insight.entities.golden import differing
from insight.entities.sheet import Sheet
from insight.entities.survivorship import COMBINED

_HERE = Path(__file__).parent


def make_review_pairs(con: duckdb.DuckDBPyConnection, record_type: str, sheet: Sheet) -> None:
    """Makes `review_pair` from `doubt`, `member`, `standing`, `golden`, `conflict` and `overruled`.

    `could_change` names the fields of which the golden value, or a conflict on it, could be another on either side if
    the two entities were one, and `resolution` and `opted_out` likewise.

    Args:
        con: Where the tables are.
        record_type: The record type.
        sheet: At least the records of every entity in doubt.
    """
    con.execute("""
        CREATE OR REPLACE TABLE between_them AS
        SELECT least(entity_a, entity_b) AS low, greatest(entity_a, entity_b) AS high, count(*) AS doubts
        FROM doubt
        WHERE entity_a IN (SELECT entity_id FROM member) AND entity_b IN (SELECT entity_id FROM member)
        GROUP BY ALL ORDER BY ALL
    """)
    pairs = con.sql("SELECT low, high FROM between_them").to_arrow_table()
    places = [pc.index_in(pairs.column(side), value_set=sheet.entities.dictionary) for side in ("low", "high")]
    found = differing(
        sheet,
        record_type,
        np.stack([place.to_numpy(zero_copy_only=False) for place in places], axis=1).astype(np.int64),
    )
    make_table(con, "changed_field", changed=pa.array(found, pa.list_(pa.string())))
    con.execute("CREATE OR REPLACE TABLE between_them AS FROM between_them POSITIONAL JOIN changed_field")
    con.execute("""
        CREATE OR REPLACE TABLE disputed AS
        SELECT entity_id, list(DISTINCT field) AS fields
        FROM (SELECT entity_id, field FROM conflict UNION ALL SELECT entity_id, field FROM overruled)
        GROUP BY entity_id
    """)
    combined = ", ".join(
        f"CASE WHEN golden_a.{field} IS DISTINCT FROM golden_b.{field} THEN ['{field}'] ELSE [] END"
        for field in COMBINED
    )
    con.execute((_HERE / "review_pair.sql").read_text().format(combined=combined), {"record_type": record_type})
