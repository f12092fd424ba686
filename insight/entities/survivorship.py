"""Which value of a field survives when several records of one entity state it: the rules.

`golden` obeys them. Whatever a person settled goes before any rule. Parts of one address, and of one person's name,
survive together from one record, so that no entity gets a street in one town and a postcode in another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from orchestration.graph.model import RECORD_TYPES

Priority = Mapping[str, Mapping[str, int]]
"""System to field to how early that system is believed of it, 1 first; what is not named comes last."""


class Criterion(StrEnum):
    """What is asked of two records that state a field, until one of them is better."""

    ASSERTED = "asserted"
    """Who asserts the value: verified, then staff, then the public or Precede."""
    PRIORITY = "priority"
    """Which system the user believes first of this field."""
    IDENTIFIED = "identified"
    """Whether the record firmly states an official number: it is of the thing itself, not of what somebody calls it."""
    COMPLETE = "complete"
    """How many parts the record states, an initial for half; of two as full, who states the earlier part."""
    FREQUENT = "frequent"
    """How many records of the entity state the same value."""
    RECENT = "recent"
    """When the record was last touched. Asked last of every field, before the first record id."""


ASSERTED, PRIORITY, IDENTIFIED, COMPLETE, FREQUENT, RECENT = Criterion

ADDRESS: Final = ("address", "city", "region", "postcode")
NAME: Final = ("name", "given_name", "middle_name", "family_name")


@dataclass(frozen=True, slots=True)
class Rule:
    """Fields that survive together from one record that states any of them, and by what it is chosen.

    Attributes:
        fields: The fields; who asserts the block, and how often it is stated, is judged by the first that is stated.
        by: What is asked, in this order.
    """

    fields: tuple[str, ...]
    by: tuple[Criterion, ...]


OTHERWISE: Final = (ASSERTED, PRIORITY, FREQUENT, RECENT)
"""What is asked of a field that the table below does not name."""

RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "organisation": (
        Rule(("legal_name",), (ASSERTED, PRIORITY, IDENTIFIED, FREQUENT, RECENT)),
        Rule(ADDRESS, (ASSERTED, PRIORITY, COMPLETE, FREQUENT, RECENT)),
        Rule(("owner",), (ASSERTED, PRIORITY, RECENT)),
    ),
    "person": (
        Rule(NAME, (ASSERTED, PRIORITY, COMPLETE, FREQUENT, RECENT)),
        Rule(ADDRESS, (ASSERTED, PRIORITY, COMPLETE, FREQUENT, RECENT)),
        Rule(("job_title",), (ASSERTED, PRIORITY, RECENT)),
    ),
}
"""The fields that are chosen in another way than most."""

COMBINED: Final[Mapping[str, str]] = {
    "opted_out": "bool_or(opted_out)",
    "created_at": "min(created_at)",
    "updated_at": "max(updated_at)",
    "identifiers": "list_sort(list_distinct(flatten(list(identifiers))))",
}
"""Fields whose golden value is not one record's: an objection anywhere counts, and identifiers add up."""

IDENTIFYING: Final[Mapping[str, tuple[str, ...]]] = {
    "organisation": ("vat_number", "company_number", "lei"),
    "person": (),
}
"""Fields that hold an official number."""


def rules(record_type: str) -> tuple[Rule, ...]:
    """The rule of every field of a record type, each field in one of them."""
    named = {field for rule in RULES[record_type] for field in rule.fields}
    others = (Rule((field,), OTHERWISE) for field in RECORD_TYPES[record_type].names if field not in named)
    return (*RULES[record_type], *others)
