"""Which value of a field survives when several records of one entity state it.

What is verified goes before what staff assert, and that before what only the public or Precede assert; then the value
that more records state, then the one touched last, then the first record id. Parts of one address, and of one person's
name, survive together from one record, so that no entity gets a street in one town and a postcode in another.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from orchestration.graph.model import RECORD_TYPES

ADDRESS: Final = ("address", "city", "region", "postcode")
BLOCKS: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "organisation": (ADDRESS,),
    "person": (("name", "given_name", "middle_name", "family_name"), ADDRESS),
}
"""Fields that survive together from one record: one that states any of them."""

COMBINED: Final[dict[str, str]] = {
    "opted_out": "bool_or(opted_out)",
    "created_at": "min(created_at)",
    "updated_at": "max(updated_at)",
    "identifiers": "list_sort(list_distinct(flatten(list(identifiers))))",
}
"""Fields whose golden value is not one record's: an objection anywhere counts, and identifiers add up."""


def golden_sql(record_type: str) -> str:
    """A query over `member` (records with their `entity_id`) with one row per entity: its golden record.

    Columns: `entity_id`, then `<field>` and `<field>_record`, the record the value came from, for each field.
    """
    shape = RECORD_TYPES[record_type]
    blocks = {field: block for block in BLOCKS[record_type] for field in block}
    chosen = [f"{_winner(block)} AS {block[0]}__from" for block in BLOCKS[record_type]]
    chosen += [f"{_survivor(field)} AS {field}__from" for field in shape.names if field not in blocks]
    columns: list[str] = []
    for field in shape.names:
        origin = f"{blocks.get(field, (field,))[0]}__from"
        columns.append(f"{f'{field}__all' if field in COMBINED else f'{origin}.{field}'} AS {field}")
        columns.append(f"CASE WHEN {origin}.{field} IS NOT NULL THEN {origin}.record_id END AS {field}_record")
    combined = [f"{sql} AS {field}__all" for field, sql in COMBINED.items()]
    agreement = ", ".join(_agreement(field) for field in shape.names)
    return f"""
        WITH ranked AS (SELECT *, {agreement} FROM member),
        picked AS (SELECT entity_id, {", ".join([*chosen, *combined])} FROM ranked GROUP BY entity_id)
        SELECT entity_id, {", ".join(columns)} FROM picked
    """


def _agreement(field: str) -> str:
    """How many records of the entity state the same value."""
    return f"CASE WHEN {field} IS NOT NULL THEN count(*) OVER (PARTITION BY entity_id, {field}) END AS {field}__n"


def _asserted(field: str) -> str:
    """How well a record's value of a field is asserted: verified, by staff, by the public or by Precede."""
    return f"""CASE WHEN list_contains(verified_fields, '{field}') THEN 0
                     WHEN list_contains(weak_fields, '{field}') THEN 2 ELSE 1 END"""


def _survivor(field: str) -> str:
    value = f"{{'{field}': {field}, 'record_id': record_id}}"
    order = f"({_asserted(field)}, -{field}__n, coalesce(-epoch(updated_at), 0), record_id)"
    return f"arg_min({value}, {order}) FILTER ({field} IS NOT NULL)"


def _winner(block: tuple[str, ...]) -> str:
    """The record that gives a block: the fullest of the best asserted, each judged by the first field that it states.

    Of two as full, the one that states the earlier field goes first: a street before a town alone.
    """

    def of_first(values: Iterable[str]) -> str:
        cases = " ".join(f"WHEN {field} IS NOT NULL THEN {value}" for field, value in zip(block, values, strict=True))
        return f"CASE {cases} END"

    parts = ", ".join(f"'{field}': {field}" for field in block)
    fullness = " + ".join(_fullness(field) for field in block)
    order = f"""(
        {of_first(_asserted(field) for field in block)}, -({fullness}), {of_first(str(at) for at in range(len(block)))},
        {of_first(f"-{field}__n" for field in block)}, coalesce(-epoch(updated_at), 0), record_id
    )"""
    return f"arg_min({{{parts}, 'record_id': record_id}}, {order}) FILTER (coalesce({', '.join(block)}) IS NOT NULL)"


def _fullness(field: str) -> str:
    """What a part of a block adds to its fullness: an initial counts half."""
    return f"CASE WHEN length({field}) > 1 THEN 2 ELSE coalesce(length({field}), 0) END"
