"""Which pairs of records are compared at all."""

from __future__ import annotations

import duckdb

from insight.linkage.rules import Block, Tier


def make_pairs(con: duckdb.DuckDBPyConnection, blocks: tuple[Block, ...]) -> None:
    """Makes `pair(record_a, record_b)`: every two records that share a key of some blocking rule, once.

    A key that more records share than the rule allows is left out: it says too little, and its pairs would be most.
    """
    con.execute("CREATE OR REPLACE TABLE pair (record_a VARCHAR, record_b VARCHAR)")
    con.execute("CREATE OR REPLACE TABLE found (record_a VARCHAR, record_b VARCHAR)")
    for block in blocks:
        con.execute(f"INSERT INTO found {shared_key_sql(block.key, block.largest)}")
    con.execute("INSERT INTO pair SELECT DISTINCT record_a, record_b FROM found")
    con.execute("DROP TABLE found")


def make_tier_pairs(con: duckdb.DuckDBPyConnection, tiers: tuple[Tier, ...]) -> None:
    """Makes `tier_pair(record_a, record_b, tier, place)`: two records that firmly share a key and pass its guard.

    One row a pair: the first tier that holds.
    """
    con.execute("CREATE OR REPLACE TABLE found (record_a VARCHAR, record_b VARCHAR, tier VARCHAR, place INTEGER)")
    for place, tier in enumerate(tiers):
        con.execute(
            f"""
            INSERT INTO found
            SELECT record_a, record_b, $name, $place
            FROM ({shared_key_sql(tier.key, tier.largest, firm=True)})
            JOIN feature AS l ON l.unique_id = record_a
            JOIN feature AS r ON r.unique_id = record_b
            WHERE {tier.guard}
            """,
            {"name": tier.name, "place": place},
        )
    con.execute("""
        CREATE OR REPLACE TABLE tier_pair AS
        SELECT record_a, record_b, min(place) AS place, arg_min(tier, place) AS tier FROM found GROUP BY ALL
    """)
    con.execute("DROP TABLE found")


def shared_key_sql(key: str, largest: int, *, firm: bool = False) -> str:
    """A query for the pairs of records that share a key, or firmly share it, where no more than `largest` do."""
    ids = "firm_id.firm_id" if firm else "firm_id.record_id"
    return f"""
        WITH keyed AS (
            SELECT record_id, key, count(*) OVER (PARTITION BY key) AS sharing
            FROM (
                SELECT DISTINCT record_id, unnest({key}) AS key
                FROM firm_id JOIN feature ON feature.unique_id = {ids}
            )
            WHERE key IS NOT NULL
        )
        SELECT DISTINCT a.record_id AS record_a, b.record_id AS record_b
        FROM keyed AS a JOIN keyed AS b ON a.key = b.key AND a.record_id < b.record_id
        WHERE a.sharing <= {largest} AND b.sharing <= {largest}
    """
