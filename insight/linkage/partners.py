"""Which pairs touched records are in now, by the index of keys."""

from __future__ import annotations

from pathlib import Path

import duckdb

from insight.layers import rows
from insight.linkage.blocking import make_keys, make_largest
from insight.linkage.features import add_commons, make_features, read_columns
from insight.linkage.inputs import Inputs
from insight.linkage.read import load_records
from insight.linkage.rules import Linkage
from insight.linkage.statistics import Numbers

_HERE = Path(__file__).parent


def keys_with_handles() -> str:
    """A query for the rows of the index of keys: a record is named by the hash of its id."""
    return "SELECT hash(record_id) AS record, rule, key FROM key JOIN firm_id USING (position)"


def load(  # noqa: PLR0913  what is loaded of which records
    con: duckdb.DuckDBPyConnection,
    record_type: str,
    inputs: Inputs,
    frozen: Numbers,
    only: str,
    *,
    since: Path | None = None,
) -> None:
    """Makes `record`, `firm_id` and `feature` of the records in the table `only`; see `load_records`."""
    load_records(con, record_type, inputs.records, only, columns=read_columns(record_type), since=since)
    make_features(con, record_type, inputs.employer, frozen)
    add_commons(con, frozen.stated)


def find_partners(  # noqa: PLR0913, PLR0917  one argument for each thing that it looks at
    con: duckdb.DuckDBPyConnection, linkage: Linkage, index: Path, inputs: Inputs, frozen: Numbers, since: Path | None
) -> None:
    """Makes `partner(record, other, rule)`, by handle, `old_key` and `new_key`, from `touched`, and adds to `touched`.

    A key whose records come to be more than its rule allows, or no more than it does, adds or takes away pairs of
    records that did not change: they are touched too. That goes no further, for their own keys stay as they are.

    Args:
        con: Where `touched` is.
        linkage: Whose records they are.
        index: The table of keys of the version before.
        inputs: What is linked now.
        frozen: The frozen counts.
        since: The records of the version before, where none but those that changed are touched.
    """
    make_largest(con, linkage)
    load(con, linkage.record_type, inputs, frozen, "touched", since=since)
    make_keys(con, linkage)
    every = rows(index)
    con.execute(f"CREATE OR REPLACE TABLE new_key AS {keys_with_handles()}")
    con.execute("CREATE OR REPLACE TABLE handle AS SELECT hash(record_id) AS record FROM touched")
    con.execute(
        f"CREATE OR REPLACE TABLE old_key AS SELECT record, rule, key FROM {every} SEMI JOIN handle USING (record)"
    )
    _find_sharers(con, every)
    con.execute("""
        CREATE OR REPLACE TABLE crossed AS
        SELECT DISTINCT record FROM sharer SEMI JOIN (FROM rekeyed WHERE is_crossing) AS crossing USING (key)
        WHERE NOT is_touched
    """)
    if con.execute("SELECT count(*) FROM crossed").fetchall()[0][0]:
        con.execute(f"""
            INSERT INTO touched
            SELECT record_id FROM {rows(inputs.records)} SEMI JOIN crossed ON crossed.record = hash(record_id)
        """)
        con.execute("INSERT INTO handle FROM crossed")
        con.execute(
            f"CREATE OR REPLACE TABLE more AS SELECT record, rule, key FROM {every} SEMI JOIN crossed USING (record)"
        )
        con.execute("INSERT INTO old_key FROM more")
        con.execute("INSERT INTO new_key FROM more")
        _find_sharers(con, every)
    con.execute("""
        CREATE OR REPLACE TABLE partner AS
        SELECT DISTINCT new_key.record, sharing.record AS other, new_key.rule
        FROM new_key
        SEMI JOIN (FROM rekeyed WHERE is_live) AS live USING (key)
        JOIN (SELECT record, key FROM sharer WHERE NOT is_touched UNION ALL SELECT record, key FROM new_key) AS sharing
            ON sharing.key = new_key.key
        WHERE sharing.record <> new_key.record
    """)


def _find_sharers(con: duckdb.DuckDBPyConnection, every: str) -> None:
    """Makes `sharer(record, rule, key, is_touched)`, who had the keys of touched records, and `rekeyed`."""
    con.execute("CREATE OR REPLACE TABLE asked AS SELECT key FROM old_key UNION SELECT key FROM new_key")
    con.execute(f"""
        CREATE OR REPLACE TABLE sharer AS
        SELECT record, rule, key, record IN (SELECT record FROM handle) AS is_touched
        FROM {every} SEMI JOIN asked USING (key)
    """)
    con.execute((_HERE / "rekeyed.sql").read_text())


def place_pairs(con: duckdb.DuckDBPyConnection, linkage: Linkage) -> None:
    """Makes `pair(a, b)` and `found(a, b, rule)`, as a full build has them, from `partner` and `firm_id`."""
    first = len(linkage.blocks)
    con.execute("CREATE OR REPLACE TABLE placed AS SELECT hash(record_id) AS record, position FROM firm_id")
    for name, where, columns in (("pair", f"rule < {first}", ""), ("found", f"rule >= {first}", ", rule")):
        con.execute(f"""
            CREATE OR REPLACE TABLE {name} AS
            SELECT DISTINCT least(one.position, two.position) AS a, greatest(one.position, two.position) AS b{columns}
            FROM (FROM partner WHERE {where}) AS partner
            JOIN placed AS one ON one.record = partner.record
            JOIN placed AS two ON two.record = partner.other
        """)
