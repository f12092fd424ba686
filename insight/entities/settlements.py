"""What people said is right, and what became of it: obeyed, contradicted by the data, expired, or unplaced."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import duckdb

from insight.entities.conflicts import same_value
from insight.entities.survivorship import COMBINED, IDENTIFYING
from orchestration.graph.model import RECORD_TYPES

_HERE = Path(__file__).parent

DIFFERING: Final = {"organisation": IDENTIFYING["organisation"], "person": ("birth_date",)}
"""Fields that two records of one thing cannot differ in, so that a judgement against it is contradicted."""


def make_settled(con: duckdb.DuckDBPyConnection, record_type: str) -> None:
    """Makes what the settlements that hold come to, from `settlement` and `member`.

    - `held_value(judgement_id, entity_id, field, value)`: one field of an entity, and what is right. Of several, said
      of records that are one entity by now, the last counts.
    - `settled(record_id, field)`: one record that states the right value.
    - `overruled(entity_id, field, value)`: one right value that no record of the entity states.
    """
    con.execute("""
        CREATE OR REPLACE TABLE held_value
            (judgement_id VARCHAR, entity_id VARCHAR, field VARCHAR, value VARCHAR)
    """)
    con.execute("CREATE OR REPLACE TABLE settled (record_id VARCHAR, field VARCHAR)")
    for field in _named(con, record_type):
        kind = RECORD_TYPES[record_type].field(field).duckdb_type
        con.execute(
            f"""
            INSERT INTO held_value
            SELECT arg_max(judgement_id, (length(judgement_id), judgement_id)), entity_id, field,
                   arg_max(value, (length(judgement_id), judgement_id))
            FROM settlement JOIN member USING (record_id)
            WHERE NOT expired AND field = ? AND try_cast(value AS {kind}) IS NOT NULL
            GROUP BY ALL
            """,
            [field],
        )
        con.execute(
            f"""
            INSERT INTO settled
            SELECT member.record_id, field FROM held_value JOIN member USING (entity_id)
            WHERE field = ? AND {same_value(record_type, field)}
            """,
            [field],
        )
    con.execute("""
        CREATE OR REPLACE TABLE overruled AS
        SELECT entity_id, field, value FROM held_value
        ANTI JOIN (SELECT entity_id, field FROM settled JOIN member USING (record_id)) AS stated
            USING (entity_id, field)
    """)


def make_states(con: duckdb.DuckDBPyConnection, record_type: str) -> None:
    """Makes `judgement_state(judgement_id, entity_type, state, detail)`: one judgement, and what became of it."""
    differs = " ".join(
        f"WHEN a.{field} <> b.{field} AND NOT list_contains(a.weak_fields, '{field}') "
        f"AND NOT list_contains(b.weak_fields, '{field}') "
        f"THEN 'the two records state different values of {field}'"
        for field in DIFFERING[record_type]
    )
    agrees = " ".join(
        f"WHEN a.{field} = b.{field} AND NOT list_contains(a.weak_fields, '{field}') "
        f"AND NOT list_contains(b.weak_fields, '{field}') THEN 'the two records state the same {field}'"
        for field in DIFFERING[record_type]
        if field in IDENTIFYING[record_type]
    )
    fields = ", ".join(f"'{field}'" for field in RECORD_TYPES[record_type].names if field not in COMBINED)
    con.execute(
        (_HERE / "judgement_state.sql")
        .read_text()
        .format(differs=differs, agrees=agrees or "WHEN false THEN NULL", fields=fields),
        {"record_type": record_type},
    )


def _named(con: duckdb.DuckDBPyConnection, record_type: str) -> list[str]:
    """The fields that settlements are about, but those whose golden value is not one record's."""
    stated = {row[0] for row in con.execute("SELECT DISTINCT field FROM settlement").fetchall()}
    return [field for field in RECORD_TYPES[record_type].names if field in stated and field not in COMBINED]
