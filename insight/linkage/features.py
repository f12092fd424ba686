"""The columns that records are compared by, twice where it matters: as stated, and as firmly stated.

What only `public` or `precede` asserts is taken out of the second: `feature` has a row `<record id>` for each record,
and another, `<record id>!firm`, for each record with weak fields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import duckdb

from insight.layers import rows
from insight.linkage.statistics import TABLES, Numbers, count_uses
from insight.linkage.words import ROLE_MAILBOXES, TELLING, load_words
from orchestration.graph.model import RECORD_TYPES
from orchestration.sql import literal, quoted

_HERE = Path(__file__).parent
FIRM: Final = "!firm"
"""What the id of a record's firm row ends with."""

_ADDRESS: Final = ("k_postcode", "k_postcode_area", "k_street_number", "k_address")
_RESTS_ON: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "organisation": {
        "k_name": ("name",),
        "k_names": ("name", "legal_name", "trading_name"),
        "k_domain": ("website", "email"),
        "k_email_local": ("email",),
        "k_email_domain": ("email",),
        "k_company_number": ("company_number",),
        **dict.fromkeys(_ADDRESS, ("address", "postcode")),
        "k_city": ("city",),
        "parent_record": ("parent_key",),
    },
    "person": {
        "k_name": ("name", "given_name", "family_name"),
        "k_given": ("name", "given_name"),
        "k_middle": ("name", "middle_name"),
        "k_family": ("name", "family_name"),
        "k_suffix": ("name",),
        "k_organisation": ("organisation_name",),
        "k_email_local": ("email",),
        "k_email_domain": ("email",),
        "k_other_email_local": ("other_email",),
        "k_other_email_domain": ("other_email",),
        **dict.fromkeys(_ADDRESS, ("address", "postcode")),
        "k_city": ("city",),
        "organisation_record": ("organisation_key",),
    },
}
"""Which fields a derived column is made of: where one of them is weak, so is the column."""


@cache
def read_columns(record_type: str) -> frozenset[str]:
    """The columns of a record that features are made of; whatever else it states, links do not read."""
    queries = [_feature_sql(record_type), *((_HERE / f"{name}.sql").read_text() for name in TABLES[record_type][1:])]
    read = set(re.findall(r"\w+", " ".join(queries)))
    return frozenset(read | {"record_id", "system", "weak_fields"})


def make_features(
    con: duckdb.DuckDBPyConnection, record_type: str, employer: Path | None, frozen: Numbers | None = None
) -> int:
    """Makes `feature(position, is_firm, unique_id, ...)` and `firm_id(record_id, firm_id, position, firm_position)`.

    Positions count the rows of `feature`, those of records in the order of their ids and before all firm rows: two
    records stand in the order of their positions.

    Args:
        con: A connection that has `record`, and what `thaw` makes where there is something frozen.
        record_type: Whose columns to make.
        employer: The organisations' `crosswalk.parquet`, for people; their employer's entity is evidence.
        frozen: What was counted before; where it is not given, words and telephones are counted in these records.

    Returns:
        How many names of organisations are firmly stated, or were; 0 for people.
    """
    con.execute("CREATE OR REPLACE TABLE employer (record_id VARCHAR, entity_id VARCHAR)")
    if employer is not None:
        con.execute(f"INSERT INTO employer SELECT record_id, entity_id FROM {rows(employer)}")
    if frozen is None:
        stated = "FROM record WHERE len(weak_fields) = 0"
        con.execute(f"CREATE OR REPLACE VIEW firmly AS {stated} UNION ALL ({_firm_sql(record_type)})")
        count_uses(con, record_type)
    names = load_words(con, record_type, None if frozen is None else frozen.names)
    con.execute(
        """
        CREATE OR REPLACE TABLE firm_id AS
        SELECT record_id, record_id || $firm AS firm_id, rowid AS position,
               (SELECT count(*) FROM record) + row_number() OVER (ORDER BY rowid) - 1 AS firm_position
        FROM record WHERE len(weak_fields) > 0
        UNION ALL
        SELECT record_id, record_id, rowid, rowid FROM record WHERE len(weak_fields) = 0
    """,
        {"firm": FIRM},
    )
    con.execute("CREATE OR REPLACE VIEW stated AS FROM record")
    con.execute(f"CREATE OR REPLACE TABLE feature AS {_placed_sql(record_type, firm=False)}", _bound(record_type))
    con.execute(f"CREATE OR REPLACE VIEW stated AS {_firm_sql(record_type)}")
    con.execute(f"INSERT INTO feature {_placed_sql(record_type, firm=True)}", _bound(record_type))
    return names


def add_commons(con: duckdb.DuckDBPyConnection, stated: Mapping[str, int]) -> None:
    """Adds to `feature` a column `common_<term>`, log2 of the value's frequency, of each term whose rarity counts.

    Args:
        con: Where `feature` and `frequency` are.
        stated: Of each such term, how many records state it.
    """
    columns = [
        f"CASE WHEN feature.{quoted(term)} IS NOT NULL"
        f" THEN log2(coalesce(of_{term}.records, 1) / {max(count, 1)}) END"
        f" AS common_{term}"
        for term, count in stated.items()
    ]
    joins = [
        f"LEFT JOIN (SELECT value, records FROM frequency WHERE term = {literal(term)}) AS of_{term}"
        f" ON of_{term}.value = feature.{quoted(term)}::VARCHAR"
        for term in stated
    ]
    selected = ", ".join(["feature.*", *columns])
    con.execute(f"CREATE OR REPLACE TABLE feature AS SELECT {selected} FROM feature {' '.join(joins)}")


def _feature_sql(record_type: str) -> str:
    return (_HERE / f"{record_type}_feature.sql").read_text()


def _placed_sql(record_type: str, *, firm: bool) -> str:
    """The features of `stated` with their places."""
    return f"""
        SELECT {"firm_position" if firm else "position"}::INTEGER AS position, {str(firm).lower()} AS is_firm, made.*
        FROM ({_feature_sql(record_type)}) AS made
        JOIN firm_id ON firm_id.{"firm_id" if firm else "record_id"} = unique_id
    """


def _bound(record_type: str) -> dict[str, list[str]]:
    return {"role_mailboxes": ROLE_MAILBOXES} if record_type == "person" else {"telling": TELLING}


def _firm_sql(record_type: str) -> str:
    """Records that have weak fields, without the values of these, under the id of their firm row."""
    every = {name: (name,) for name in RECORD_TYPES[record_type].names} | _RESTS_ON[record_type]
    fields = {column: rests_on for column, rests_on in every.items() if column in read_columns(record_type)}
    replaced = [
        f"CASE WHEN NOT list_has_any(weak_fields, {list(rests_on)!r}) THEN {column} END AS {column}"
        for column, rests_on in fields.items()
    ]
    return f"""
        SELECT * REPLACE (record_id || '{FIRM}' AS record_id, {", ".join(replaced)})
        FROM record WHERE len(weak_fields) > 0
    """
