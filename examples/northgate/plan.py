"""What is to be made: how many records, from which seed, for which day, with which way of making dirt."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Final, Literal

from examples.northgate.dirt import WAYS

if TYPE_CHECKING:
    from examples.northgate.dirt import Dirt

RECORDS: Final = 6_000
SEED: Final = 20261102
AS_OF: Final = date(2026, 11, 2)

_RECORDS_PER_FAMILY: Final = 6.6


@dataclass(frozen=True)
class Plan:
    """The arguments of a build.

    Attributes:
        records: About how many organisation and person rows the three systems hold together.
        seed: The same seed gives the same content.
        as_of: The day Northgate's books stand at; invoices fall due on both sides of it.
        way: Which way of making dirt.
    """

    records: int = RECORDS
    seed: int = SEED
    as_of: date = field(default=AS_OF)
    way: Literal["A", "B"] = "A"

    @property
    def dirt(self) -> Dirt:
        """The way of making dirt."""
        return WAYS[self.way]

    @property
    def families(self) -> int:
        """How many firms or groups of firms there are."""
        return max(20, round(self.records / _RECORDS_PER_FAMILY))

    def variables(self) -> dict[str, object]:
        """What the SQL reads with `getvariable`."""
        return {
            "seed": self.seed,
            "as_of": self.as_of,
            "families": self.families,
            "private_people": max(10, self.records // 80),
            **self.dirt.world,
        }
