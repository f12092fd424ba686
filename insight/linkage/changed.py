"""Links after a change: only pairs of touched records are compared again, and only what hangs on them decided again.

What becomes of a pair depends on more than its two records, but never on far ones. Whether a candidate has a rival
depends on the pairs of either record, and on which of the candidates are bound to each other. What a veto keeps apart
inside a component of accepted links depends on that component. So each step begins with what differs from the version
before and walks as far as that can matter; everything else stays in the layers below.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import duckdb

from insight import layers
from insight.linkage.blocking import make_tier_pairs
from insight.linkage.components import reach
from insight.linkage.inputs import Inputs
from insight.linkage.model import Model
from insight.linkage.partners import find_partners, load, place_pairs
from insight.linkage.rules import Linkage
from insight.linkage.score import score
from insight.linkage.statistics import Numbers, thaw
from insight.linkage.touched import find_touched
from insight.linkage.verdict import BINDING, decide, give_verdicts, part, write_links

MOST: Final = 0.1
"""The share of records that may be touched; where more are, a full build is quicker."""
_FEW: Final = 100
"""Records that may be touched however few there are."""

_DECIDING: Final = "record_a, record_b, system_a, system_b, strength, standing_weight, forbidden_by, firm"


def relink(con: duckdb.DuckDBPyConnection, model: Model, before: Path, was: Inputs, now: Inputs) -> bool:
    """Makes what differs from the links in `before`: of `link`, `footing`, `pairing` and `key`.

    The tables `new_<table>` have the rows as they are now of every key in `asked_<table>`, which has more keys than
    those that differ.

    Args:
        con: A connection of its own.
        model: The trained model.
        before: The folder of the version before.
        was: What that was made from.
        now: What is to be linked, with the same statistics.

    Returns:
        Whether that could be done; where not, a full build is needed.
    """
    record_type = model.record_type
    if now.statistics is None or not find_touched(con, record_type, was, now):
        return False
    frozen = thaw(con, record_type, now.statistics)
    if _count(con, "touched") > max(MOST * frozen.records, _FEW):
        return False
    since = was.records if _count(con, "(FROM touched ANTI JOIN rewritten USING (record_id))") == 0 else None
    find_partners(con, model.linkage, before / "key.parquet", now, frozen, since)
    con.execute(f"CREATE OR REPLACE TABLE was_pairing AS FROM {layers.rows(before / 'pairing.parquet')}")
    _compare(con, model, now, frozen)
    _mix(con)
    _decide(con, frozen)
    _part(con, model.linkage, now, frozen)
    _gather(con, model.linkage, before)
    return True


def _compare(con: duckdb.DuckDBPyConnection, model: Model, now: Inputs, frozen: Numbers) -> None:
    """Makes `verdict` and `pairing` of the pairs of touched records as they are now, and `lost` as they were."""
    con.execute("""
        CREATE OR REPLACE TABLE lost AS
        FROM was_pairing WHERE compared AND (record_a IN (FROM touched) OR record_b IN (FROM touched))
    """)
    con.execute("""
        CREATE OR REPLACE TABLE accepted_before AS
        SELECT record_a, record_b FROM was_pairing WHERE status = 'accepted'
        UNION SELECT from_record, to_record FROM was_alias UNION SELECT from_record, to_record FROM alias
    """)
    con.execute("""
        CREATE OR REPLACE TABLE judged_again AS
        FROM judgement WHERE record_a IN (FROM touched) OR record_b IN (FROM touched)
    """)
    near = f"""
        SELECT record_id FROM touched
        UNION SELECT record_id FROM {layers.rows(now.records)} SEMI JOIN partner ON partner.other = hash(record_id)
        UNION SELECT unnest([record_a, record_b]) FROM judged_again
        UNION SELECT unnest([record_a, record_b]) FROM lost
    """
    reach(con, "wanted", near, "accepted_before")
    record_type = model.record_type
    load(con, record_type, now, frozen, "wanted")
    place_pairs(con, model.linkage)
    con.execute("""
        CREATE OR REPLACE TABLE judged AS
        SELECT one.position AS a, two.position AS b, verdict
        FROM judged_again
        JOIN firm_id AS one ON one.record_id = record_a
        JOIN firm_id AS two ON two.record_id = record_b
    """)
    make_tier_pairs(con, model.linkage)
    score(con, model, frozen)
    give_verdicts(con, model.linkage, frozen.thresholds)


def _mix(con: duckdb.DuckDBPyConnection) -> None:
    """Makes `fresh`, `current` and `unlike`.

    `fresh` has the pairs of touched records as they are now, `current` all compared pairs, with the
    status they had if nothing about them differs; `unlike(record_id)` the records of pairs of which something does.
    """
    con.execute(f"CREATE OR REPLACE TABLE fresh AS SELECT {_DECIDING} FROM pairing")
    con.execute(f"""
        CREATE OR REPLACE TABLE current AS
        SELECT {_DECIDING}, veto, status FROM was_pairing ANTI JOIN lost USING (record_a, record_b) WHERE compared
        UNION ALL
        SELECT fresh.*, lost.veto, lost.status FROM fresh LEFT JOIN lost USING (record_a, record_b)
    """)
    con.execute(f"""
        CREATE OR REPLACE TABLE unlike AS
        SELECT DISTINCT unnest([record_a, record_b]) AS record_id FROM (
            (FROM fresh EXCEPT SELECT {_DECIDING} FROM lost) UNION ALL (SELECT {_DECIDING} FROM lost EXCEPT FROM fresh)
        )
    """)


def _decide(con: duckdb.DuckDBPyConnection, frozen: Numbers) -> None:
    """Makes `settled`, the pairs whose rivals may differ, decided anew, and brings `current` up to date with them."""
    binding = {name: BINDING.format(pairing=name) for name in ("was_pairing", "current", "lost", "fresh")}
    con.execute(f"""
        CREATE OR REPLACE TABLE binding AS
        {binding["current"]} UNION SELECT from_record, to_record FROM alias
    """)
    con.execute(f"""
        CREATE OR REPLACE TABLE either_binding AS
        FROM binding UNION ALL (SELECT record_a, record_b FROM ({binding["lost"]}))
        UNION ALL SELECT from_record, to_record FROM was_alias
    """)
    reach(
        con,
        "rebound",
        f"""
        SELECT unnest([record_a, record_b])
        FROM (
            ({binding["lost"]} EXCEPT ({binding["fresh"]})) UNION ALL (({binding["fresh"]}) EXCEPT ({binding["lost"]}))
        )
        UNION FROM realiased
        """,
        "either_binding",
    )
    con.execute("""
        CREATE OR REPLACE TABLE restless AS
        FROM unlike
        UNION SELECT record_a FROM current WHERE forbidden_by IS NULL AND record_b IN (FROM rebound)
        UNION SELECT record_b FROM current WHERE forbidden_by IS NULL AND record_a IN (FROM rebound)
    """)
    con.execute("""
        CREATE OR REPLACE TABLE beside AS
        FROM restless
        UNION SELECT record_a FROM current WHERE record_b IN (FROM restless)
        UNION SELECT record_b FROM current WHERE record_a IN (FROM restless)
    """)
    con.execute(f"""
        CREATE OR REPLACE TABLE pairing AS
        SELECT {_DECIDING} FROM current WHERE record_a IN (FROM beside) OR record_b IN (FROM beside)
    """)
    reach(con, "candidate", "SELECT unnest([record_a, record_b]) FROM pairing", "binding")
    decide(con, frozen.thresholds.margin, "FROM binding WHERE record_a IN (FROM candidate)")
    con.execute("""
        CREATE OR REPLACE TABLE settled AS
        FROM decided WHERE record_a IN (FROM restless) OR record_b IN (FROM restless)
    """)
    con.execute("""
        CREATE OR REPLACE TABLE current AS
        FROM current ANTI JOIN settled USING (record_a, record_b) UNION ALL BY NAME FROM settled
    """)


def _part(con: duckdb.DuckDBPyConnection, linkage: Linkage, now: Inputs, frozen: Numbers) -> None:
    """Makes `apart` of the components that may differ, and `was_apart` as they were."""
    con.execute("""
        CREATE OR REPLACE TABLE accepted AS SELECT record_a, record_b FROM current WHERE status = 'accepted'
    """)
    con.execute("""
        CREATE OR REPLACE TABLE either_accepted AS FROM accepted_before UNION ALL FROM accepted
    """)
    con.execute("""
        CREATE OR REPLACE TABLE turned AS
        SELECT settled.record_a, settled.record_b, 'accepted' IN (settled.status, was.status) AS accepted FROM settled
        LEFT JOIN (FROM was_pairing WHERE compared) AS was USING (record_a, record_b)
        WHERE settled.status IS DISTINCT FROM was.status OR settled.veto IS DISTINCT FROM was.veto
    """)
    seeds = """
        SELECT unnest([record_a, record_b]) FROM turned WHERE accepted
        UNION FROM unlike UNION FROM touched UNION FROM realiased
    """
    reach(con, "shaken", seeds, "either_accepted")
    con.execute("CREATE OR REPLACE TABLE missing AS FROM shaken ANTI JOIN wanted USING (record_id)")
    if _count(con, "missing"):
        load(con, linkage.record_type, now, frozen, "shaken")
    part(con, linkage, "FROM accepted WHERE record_a IN (FROM shaken)", compared="current")
    con.execute("CREATE OR REPLACE TABLE apart AS FROM apart WHERE record_a IN (FROM shaken)")
    con.execute("""
        CREATE OR REPLACE TABLE was_apart AS
        FROM was_pairing WHERE NOT compared AND (record_a IN (FROM shaken) OR record_b IN (FROM shaken))
    """)


def _gather(con: duckdb.DuckDBPyConnection, linkage: Linkage, before: Path) -> None:
    """Makes `new_<table>` and `asked_<table>`."""
    con.execute("""
        CREATE OR REPLACE TABLE asked_pair AS
        SELECT record_a, record_b FROM fresh UNION SELECT record_a, record_b FROM lost
        UNION SELECT record_a, record_b FROM turned
        UNION SELECT record_a, record_b FROM apart UNION SELECT record_a, record_b FROM was_apart
    """)
    con.execute("CREATE OR REPLACE TABLE decided AS FROM current SEMI JOIN fresh USING (record_a, record_b)")
    write_links(con, linkage)
    con.execute(
        "CREATE OR REPLACE TABLE elsewhere AS FROM current SEMI JOIN turned USING (record_a, record_b)"
        " ANTI JOIN fresh USING (record_a, record_b)"
    )
    con.execute(f"""
        CREATE OR REPLACE TABLE new_link AS FROM link UNION ALL BY NAME
        SELECT found.* REPLACE (elsewhere.veto AS veto, elsewhere.status AS status)
        FROM {layers.rows(before / "link.parquet")} AS found JOIN elsewhere USING (record_a, record_b)
    """)
    con.execute("""
        CREATE OR REPLACE TABLE new_footing AS FROM footing UNION ALL BY NAME
        SELECT record_a, record_b, CASE WHEN status = 'accepted' THEN strength END AS strength, firm FROM elsewhere
    """)
    con.execute("CREATE OR REPLACE TABLE decided AS FROM current SEMI JOIN asked_pair USING (record_a, record_b)")
    con.execute(f"CREATE OR REPLACE TABLE new_pairing AS {kept_pairings()}")
    for table in ("link", "footing", "pairing"):
        con.execute(f"CREATE OR REPLACE VIEW asked_{table} AS FROM asked_pair")
    con.execute("CREATE OR REPLACE VIEW asked_key AS FROM handle")


def kept_pairings() -> str:
    """A query for the rows of the table `pairing` as it is kept: what was compared, and what must stay apart."""
    return f"""
        SELECT {_DECIDING}, veto, status, true AS compared FROM decided
        UNION ALL BY NAME SELECT record_a, record_b, veto, 'vetoed' AS status, false AS compared FROM apart
    """


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])
