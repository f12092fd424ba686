"""Disagreements between records of one entity that matter.

Only values that somebody accountable asserts can disagree (not `public`, not `precede`), and only what remains after
formatting is taken away: `Net 30` and `30 days` say the same. Names and contact points may differ without harm, so they
are not in the table below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

BARE: Final = "regexp_replace(upper({field}), '[^0-9A-Z]', '', 'g')"
"""A number without its punctuation."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One field that records of an entity must agree on.

    Attributes:
        field: The field.
        key: SQL of what remains of `{field}` without its formatting; two values conflict where it differs.
        unless: SQL over `key_a`, `key_b`, `value_a` and `value_b` under which a difference does not matter.
    """

    field: str
    key: str = BARE
    unless: str = "false"


DISAGREEMENTS: Final[dict[str, tuple[Disagreement, ...]]] = {
    "organisation": (
        # the country prefix of a VAT number is formatting: a domestic invoice leaves it out
        Disagreement("vat_number", unless="ends_with(key_a, key_b) OR ends_with(key_b, key_a)"),
        Disagreement("company_number", unless="ltrim(key_a, '0') = ltrim(key_b, '0')"),
        Disagreement("lei"),
        Disagreement("country", key="upper({field})"),
        Disagreement(
            "payment_terms",
            key="coalesce(nullif(regexp_extract({field}, '[0-9]+'), '') || CASE WHEN {field} ILIKE '%eom%' OR {field} "
            "ILIKE '%end of month%' THEN ' eom' ELSE '' END, lower(trim({field})))",
        ),
    ),
    "person": (Disagreement("birth_date", key="{field}::VARCHAR"),),
}
"""What disagreements matter, for each record type."""


def conflict_sql(record_type: str) -> str:
    """A query over `member` (records with their `entity_id`) with one row per conflict, as the graph's table has it.

    Each pair of different values appears once, with the first record that states each.
    """
    return "\nUNION ALL BY NAME\n".join(_pairs(record_type, rule) for rule in DISAGREEMENTS[record_type])


def _pairs(record_type: str, rule: Disagreement) -> str:
    field = rule.field
    stated = f"""
        SELECT entity_id, {rule.key.format(field=field)} AS key, min(record_id) AS record_id,
               arg_min({field}::VARCHAR, record_id) AS value
        FROM member WHERE {field} IS NOT NULL AND NOT list_contains(weak_fields, '{field}')
        GROUP BY ALL
    """
    return f"""
        SELECT entity_id, '{record_type}' AS entity_type, '{field}' AS field,
               record_a, value_a, record_b, value_b
        FROM (
            SELECT a.entity_id, a.record_id AS record_a, a.value AS value_a, a.key AS key_a,
                   b.record_id AS record_b, b.value AS value_b, b.key AS key_b
            FROM ({stated}) AS a JOIN ({stated}) AS b
              ON a.entity_id = b.entity_id AND a.key <> b.key AND a.record_id < b.record_id
        )
        WHERE NOT ({rule.unless})
    """
