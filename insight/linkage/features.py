"""The columns that records are compared by, twice where it matters: as stated, and as firmly stated.

What only `public` or `precede` asserts is taken out of the second: `feature` has a row `<record id>` for each record,
and another, `<record id>!firm`, for each record with weak fields.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import duckdb

from insight.linkage.words import ROLE_MAILBOXES, TELLING, load_words
from orchestration.graph.model import RECORD_TYPES

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


def make_features(con: duckdb.DuckDBPyConnection, record_type: str, employer: Path | None) -> None:
    """Makes `feature(unique_id, ...)` and `firm_id(record_id, firm_id)` from `record`.

    Args:
        con: A connection that has `record`.
        record_type: Whose columns to make.
        employer: The organisations' `crosswalk.parquet`, for people; their employer's entity is evidence.
    """
    load_words(con, record_type)
    con.execute("CREATE OR REPLACE TABLE employer (record_id VARCHAR, entity_id VARCHAR)")
    if employer is not None:
        con.execute("INSERT INTO employer SELECT record_id, entity_id FROM read_parquet(?)", [str(employer)])
    if record_type == "person":
        con.execute((_HERE / "phone_use.sql").read_text())
    con.execute("CREATE OR REPLACE VIEW stated AS FROM record")
    con.execute(f"CREATE OR REPLACE TABLE feature AS {_feature_sql(record_type)}", _bound(record_type))
    con.execute(f"CREATE OR REPLACE VIEW stated AS {_firm_sql(record_type)}")
    con.execute(f"INSERT INTO feature {_feature_sql(record_type)}", _bound(record_type))
    con.execute(f"""
        CREATE OR REPLACE TABLE firm_id AS
        SELECT record_id, CASE WHEN len(weak_fields) > 0 THEN record_id || '{FIRM}' ELSE record_id END AS firm_id
        FROM record
    """)


def _feature_sql(record_type: str) -> str:
    return (_HERE / f"{record_type}_feature.sql").read_text()


def _bound(record_type: str) -> dict[str, list[str]]:
    return {"role_mailboxes": ROLE_MAILBOXES} if record_type == "person" else {"telling": TELLING}


def _firm_sql(record_type: str) -> str:
    """Records that have weak fields, without the values of these, under the id of their firm row."""
    fields = {name: (name,) for name in RECORD_TYPES[record_type].names} | _RESTS_ON[record_type]
    replaced = [
        f"CASE WHEN NOT list_has_any(weak_fields, {list(rests_on)!r}) THEN {column} END AS {column}"
        for column, rests_on in fields.items()
    ]
    return f"""
        SELECT * REPLACE (record_id || '{FIRM}' AS record_id, {", ".join(replaced)})
        FROM record WHERE len(weak_fields) > 0
    """
