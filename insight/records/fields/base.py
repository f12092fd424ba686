"""What every field function takes and gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple


class Normal(NamedTuple):
    """A value in its normal form, or None with the problem that it has; a value may have a problem too."""

    value: Any
    problem: str | None = None


NOTHING = Normal(None)
"""What a blank is: no value and no problem."""


@dataclass(frozen=True, slots=True)
class Locale:
    """Where a value was written: what it means where it does not say so itself."""

    region: str = "GB"
    timezone: str = "UTC"
    date_order: str = "dmy"
