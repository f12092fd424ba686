"""Disagreements between records of one entity that matter.

Only values that somebody accountable asserts can disagree (not `public`, not `precede`), and only what remains after
formatting is taken away: `Net 30` and `30 days` say the same. Trading names and contact points may differ without harm,
so they are not in the table below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import duckdb
import pyarrow as pa

from insight.arriving import make_table
from insight.records.fields.organisations import compared

BARE: Final = "regexp_replace(upper({field}), '[^0-9A-Z]', '', 'g')"
"""A number without its punctuation."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One field that records of an entity must agree on.

    Attributes:
        field: The field.
        key: SQL of what remains of `{field}` without its formatting; two values conflict where it differs.
        unless: SQL over `key_a`, `key_b`, `value_a`, `value_b`, `system_a` and `system_b` under which a difference does
            not matter.
        stated: SQL under which a record states it at all.
        source: The relation of records that has what `key` asks for.
    """

    field: str
    key: str = BARE
    unless: str = "false"
    stated: str = "true"
    source: str = "member"


DISAGREEMENTS: Final[dict[str, tuple[Disagreement, ...]]] = {
    "organisation": (
        # the country prefix of a VAT number is formatting: a domestic invoice leaves it out
        Disagreement("vat_number", unless="ends_with(key_a, key_b) OR ends_with(key_b, key_a)"),
        Disagreement("company_number", unless="ltrim(key_a, '0') = ltrim(key_b, '0')"),
        Disagreement("lei"),
        # As names are compared for linking: without legal form, spelling and a clerk's remarks. A slip of the pen, or
        # one name within the other, is no second company.
        Disagreement(
            "legal_name",
            key="k_legal_name",
            source="member JOIN legal_name USING (legal_name)",
            unless="jaro_winkler_similarity(key_a, key_b) >= 0.9 OR contains(key_a, key_b) OR contains(key_b, key_a)",
        ),
        Disagreement("country", key="upper({field})"),
        # A record with payment terms is an account that is billed, so that its address is where bills go. Two of them
        # in one system are two sites; in two systems they are one account of which one has not moved. A slip in a
        # postcode is none.
        Disagreement(
            "address",
            key="concat_ws(' ', replace(k_postcode, ' ', ''), k_street_number)",
            stated="payment_terms IS NOT NULL AND k_postcode IS NOT NULL AND k_street_number IS NOT NULL "
            "AND NOT list_contains(weak_fields, 'payment_terms') AND NOT list_contains(weak_fields, 'postcode')",
            unless="system_a = system_b OR (split_part(key_a, ' ', 2) = split_part(key_b, ' ', 2) "
            "AND levenshtein(split_part(key_a, ' ', 1), split_part(key_b, ' ', 1)) <= 2)",
        ),
        Disagreement(
            "payment_terms",
            key="coalesce(nullif(regexp_extract({field}, '[0-9]+'), '') || CASE WHEN {field} ILIKE '%eom%' OR {field} "
            "ILIKE '%end of month%' THEN ' eom' ELSE '' END, lower(trim({field})))",
        ),
    ),
    "person": (Disagreement("birth_date", key="{field}::VARCHAR"),),
}
"""What disagreements matter, for each record type."""


def make_conflicts(con: duckdb.DuckDBPyConnection, record_type: str) -> None:
    """Makes `conflict` from `member` (records with their `entity_id`) and `held_value`, what people settled."""
    con.execute("CREATE OR REPLACE TABLE several AS SELECT entity_id FROM member GROUP BY ALL HAVING count(*) > 1")
    if record_type == "organisation":
        _compare_names(con)
    con.execute(f"CREATE OR REPLACE TABLE conflict AS {conflict_sql(record_type)}")


def _compare_names(con: duckdb.DuckDBPyConnection) -> None:
    """Makes `legal_name(legal_name, k_legal_name)`: legal names of entities that have several, as they are compared."""
    names = con.execute("""
        SELECT DISTINCT unnest(names) FROM (
            SELECT list(DISTINCT legal_name) AS names FROM member SEMI JOIN several USING (entity_id)
            WHERE legal_name IS NOT NULL AND NOT list_contains(weak_fields, 'legal_name') GROUP BY entity_id
        ) WHERE len(names) > 1
    """).fetchall()
    stated = [row[0] for row in names]
    keys = [compared(name) for name in stated]
    make_table(con, "legal_name", legal_name=pa.array(stated, pa.string()), k_legal_name=pa.array(keys, pa.string()))


def conflict_sql(record_type: str) -> str:
    """A query over `member` (records with their `entity_id`) with one row per conflict, as the graph's table has it.

    Each pair of different values appears once for each two systems that state them, with the first record of each. What
    a person settled (`held_value`) is no conflict.
    """
    return "\nUNION ALL BY NAME\n".join(_pairs(record_type, rule) for rule in DISAGREEMENTS[record_type])


def same_value(record_type: str, field: str) -> str:
    """SQL over `member` and `value` that says whether a record states that value of a field, formatting apart."""
    rule = next((rule for rule in DISAGREEMENTS[record_type] if rule.field == field), None)
    exact = f"{field}::VARCHAR = value"
    if rule is None or "{field}" not in rule.key:
        return exact
    return f"({exact} OR {rule.key.format(field=f'{field}::VARCHAR')} = {rule.key.format(field='value')})"


def _pairs(record_type: str, rule: Disagreement) -> str:
    field = rule.field
    stated = f"""
        SELECT entity_id, system, {rule.key.format(field=field)} AS key, min(record_id) AS record_id,
               arg_min({field}::VARCHAR, record_id) AS value
        FROM {rule.source} SEMI JOIN several USING (entity_id)
        WHERE {field} IS NOT NULL AND NOT list_contains(weak_fields, '{field}') AND {rule.stated}
        GROUP BY ALL
    """
    return f"""
        SELECT entity_id, '{record_type}' AS entity_type, '{field}' AS field,
               record_a, value_a, record_b, value_b, system_a, system_b
        FROM (
            SELECT a.entity_id, a.record_id AS record_a, a.value AS value_a, a.key AS key_a, a.system AS system_a,
                   b.record_id AS record_b, b.value AS value_b, b.key AS key_b, b.system AS system_b
            FROM ({stated}) AS a JOIN ({stated}) AS b
              ON a.entity_id = b.entity_id AND a.key <> b.key AND a.record_id < b.record_id
            ANTI JOIN (SELECT entity_id FROM held_value WHERE field = '{field}') AS held ON held.entity_id = a.entity_id
        )
        WHERE NOT ({rule.unless})
    """
