"""Which records have to be linked again because of what changed since."""

from __future__ import annotations

import duckdb

from insight import layers
from insight.linkage.inputs import Inputs
from insight.linkage.read import aliases
from insight.linkage.whole import judgements


def find_touched(con: duckdb.DuckDBPyConnection, record_type: str, was: Inputs, now: Inputs) -> bool:
    """Makes what changed since into tables; false where it cannot be known.

    - `touched(record_id)`: records to link again: those that changed, also in `rewritten`; people whose employer is
      another entity now; and the two records of each pair that is judged otherwise.
    - `realiased(record_id)`: records that a source merged or separated, by `was_alias` and `alias`.
    - `judgement(record_a, record_b, verdict)`: what people say of pairs.
    """
    found = layers.touched(now.records, was.records)
    if found is None:
        return False
    con.execute(f"CREATE OR REPLACE TABLE rewritten AS SELECT record_id FROM {found}")
    con.execute("CREATE OR REPLACE TABLE touched AS FROM rewritten")
    if now.employer is not None and now.employer != was.employer:
        moved = None if was.employer is None else layers.touched(now.employer, was.employer)
        if moved is None:
            return False
        con.execute(f"CREATE OR REPLACE TABLE moved AS SELECT record_id FROM {moved}")
        con.execute(f"""
            INSERT INTO touched SELECT record_id FROM {layers.rows(now.records)} AS staff
            SEMI JOIN moved ON moved.record_id = staff.organisation_record
        """)
    typed = {"record_type": record_type}
    for name, inputs in (("was_alias", was), ("alias", now)):
        con.execute(f"CREATE OR REPLACE TABLE {name} (from_record VARCHAR, to_record VARCHAR)")
        if inputs.aliases is not None:
            con.execute(f"INSERT INTO {name} {aliases(inputs.aliases)}", typed)
    con.execute("""
        CREATE OR REPLACE TABLE realiased AS
        SELECT DISTINCT unnest([from_record, to_record]) AS record_id
        FROM ((FROM alias EXCEPT FROM was_alias) UNION ALL (FROM was_alias EXCEPT FROM alias))
    """)
    for name, inputs in (("was_judged", was), ("judgement", now)):
        con.execute(f"CREATE OR REPLACE TABLE {name} (record_a VARCHAR, record_b VARCHAR, verdict VARCHAR)")
        if inputs.judgements is not None:
            con.execute(f"INSERT INTO {name} {judgements(inputs.judgements)}", typed)
    con.execute("""
        INSERT INTO touched SELECT unnest([record_a, record_b])
        FROM ((FROM judgement EXCEPT FROM was_judged) UNION ALL (FROM was_judged EXCEPT FROM judgement))
    """)
    con.execute("CREATE OR REPLACE TABLE touched AS SELECT DISTINCT record_id FROM touched")
    return True
