"""What a way of making dirt is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import duckdb


@dataclass(frozen=True)
class Dirt:
    """How rows come to differ from the truth.

    Attributes:
        spoil: Makes `organisation_row` and `person_row` of `organisation_seen` and `person_seen`.
        rates: How often each slip happens, by its name.
        held: For each table, the share of rows that hold each of `fields`.
        fields: The columns of `held`, in order.
        world: Shares that shape the world itself: groups, shared places, movers, staff.
    """

    spoil: Callable[[duckdb.DuckDBPyConnection], None]
    rates: Mapping[str, float]
    held: Mapping[str, tuple[float, ...]]
    fields: tuple[str, ...] = (
        "has_vat", "has_number", "has_phone", "has_email", "has_website", "has_address", "has_mobile",
        "has_twin",
    )  # fmt: skip
    world: Mapping[str, float] = field(default_factory=dict)
