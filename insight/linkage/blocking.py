"""Which pairs of records are compared at all, and which of them share a strong key.

Every key of every record, of blocking rules and of strong keys alike, is one row of `key`, hashed together with its
rule: pairs are one join of integers, whatever the rules are.
"""

from __future__ import annotations

import duckdb

from insight.linkage.rules import Linkage, Tier
from insight.linkage.weights import guarded


def make_keys(con: duckdb.DuckDBPyConnection, linkage: Linkage) -> None:
    """Makes `key(position, rule, key)` from `feature` and `firm_id`, each key of a record once.

    Rules are numbered: blocking rules first, then the strong keys, which are taken from what is firmly stated.
    """
    con.execute("CREATE OR REPLACE TABLE key (position INTEGER, rule UTINYINT, key UBIGINT)")
    for number, key in enumerate([block.key for block in linkage.blocks] + [tier.key for tier in linkage.tiers]):
        values = _only(key) or f"unnest(list_distinct({key}))"
        firmly = number >= len(linkage.blocks)
        made = (
            f"SELECT firm_id.position, {values} AS value FROM feature JOIN firm_id ON feature.position = firm_position"
            if firmly
            else f"SELECT position, {values} AS value FROM feature WHERE NOT is_firm"
        )
        con.execute(
            f"INSERT INTO key SELECT position, {number}, hash({number}, value) FROM ({made}) WHERE value IS NOT NULL"
        )


def _only(key: str) -> str | None:
    """The one value of which SQL makes a list; None where it may make a list of several."""
    depth = 0
    for place, character in enumerate(key):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(character, 0)
        if (character == "," and depth == 1) or (depth == 0 and place < len(key) - 1):
            return None
    return key[1:-1] if key.startswith("[") else None


def make_largest(con: duckdb.DuckDBPyConnection, linkage: Linkage) -> None:
    """Makes `largest(rule, records)`: how many records may share a key of the rule.

    A key that more records share is left out: it says too little, and its pairs would be most.
    """
    con.execute("CREATE OR REPLACE TABLE largest (rule UTINYINT, records BIGINT)")
    sizes = [block.largest for block in linkage.blocks] + [tier.largest for tier in linkage.tiers]
    con.executemany("INSERT INTO largest VALUES (?, ?)", list(enumerate(sizes)))


def make_pairs(con: duckdb.DuckDBPyConnection, linkage: Linkage) -> None:
    """Makes `pair(a, b)` and `found(a, b, rule)`: positions that share a key of a blocking rule, and a strong key.

    Expects `key` and `largest`. A pair is in `pair` once, and in `found` once for each of its strong keys.
    """
    first = len(linkage.blocks)
    con.execute("""
        CREATE OR REPLACE TABLE shared AS
        SELECT key FROM key JOIN largest USING (rule)
        GROUP BY key HAVING count(*) BETWEEN 2 AND any_value(largest.records)
    """)
    con.execute("CREATE OR REPLACE TABLE sharing AS SELECT position, rule, key FROM key SEMI JOIN shared USING (key)")
    con.execute(f"""
        CREATE OR REPLACE TABLE pair AS
        SELECT (ends >> 32)::INTEGER AS a, (ends & {(1 << 32) - 1})::INTEGER AS b
        FROM (SELECT DISTINCT (one.position::BIGINT << 32) | other.position AS ends {_shared_sql(f"rule < {first}")})
    """)  # one number for both takes two thirds of the time to tell apart
    con.execute(f"""
        CREATE OR REPLACE TABLE found AS
        SELECT DISTINCT one.position AS a, other.position AS b, one.rule {_shared_sql(f"rule >= {first}")}
    """)
    con.execute("DROP TABLE sharing")


def _shared_sql(where: str) -> str:
    """From what to take the pairs `one` and `other` that share a key of certain rules."""
    return f"""
        FROM (FROM sharing WHERE {where}) AS one JOIN (FROM sharing WHERE {where}) AS other
            ON one.key = other.key AND one.position < other.position
    """


def make_tier_pairs(con: duckdb.DuckDBPyConnection, linkage: Linkage) -> None:
    """Makes `tier_pair(a, b, record_a, record_b, tier, place)` from `found`: pairs whose strong key passes its guard.

    One row a pair: the first tier that holds.
    """
    first = len(linkage.blocks)
    con.execute("CREATE OR REPLACE TABLE held_by (a INTEGER, b INTEGER, place INTEGER)")
    for place, tier in enumerate(linkage.tiers):
        con.execute(f"INSERT INTO held_by {_guarded_sql(tier, first + place, place)}")
    names = " ".join(f"WHEN {place} THEN '{tier.name}'" for place, tier in enumerate(linkage.tiers))
    con.execute(f"""
        CREATE OR REPLACE TABLE tier_pair AS
        SELECT a, b, l.unique_id AS record_a, r.unique_id AS record_b, CASE place {names} END AS tier, place
        FROM (SELECT a, b, min(place) AS place FROM held_by GROUP BY a, b)
        JOIN feature AS l ON l.position = a
        JOIN feature AS r ON r.position = b
    """)
    con.execute("DROP TABLE held_by")


def _guarded_sql(tier: Tier, rule: int, place: int) -> str:
    if tier.guard == "true":
        return f"SELECT a, b, {place} FROM found WHERE rule = {rule}"
    return f"""
        SELECT a, b, {place}
        FROM (FROM found WHERE rule = {rule})
        JOIN feature AS l ON l.position = a
        JOIN feature AS r ON r.position = b
        WHERE {guarded(tier.guard)}
    """


def shared_key_sql(key: str, largest: int) -> str:
    """A query for the pairs of records that share a key where no more than `largest` do, by their ids."""
    return f"""
        WITH keyed AS (
            SELECT record_id, key, count(*) OVER (PARTITION BY key) AS sharing
            FROM (
                SELECT DISTINCT record_id, unnest({key}) AS key
                FROM firm_id JOIN feature ON feature.unique_id = firm_id.record_id
            )
            WHERE key IS NOT NULL
        )
        SELECT DISTINCT a.record_id AS record_a, b.record_id AS record_b
        FROM keyed AS a JOIN keyed AS b ON a.key = b.key AND a.record_id < b.record_id
        WHERE a.sharing <= {largest} AND b.sharing <= {largest}
    """
