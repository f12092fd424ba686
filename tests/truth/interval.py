"""How far a share may be from the one that was seen: the exact interval of Clopper and Pearson (1934)."""

from __future__ import annotations

from dataclasses import dataclass

from insight.linkage.tuning.intervals import exact


@dataclass(frozen=True)
class Share:
    """Some of a number of things, with the 95 % interval of the share.

    Attributes:
        count: How many.
        of: Out of how many; where there is none, nothing is known and the interval is everything.
    """

    count: int
    of: int

    @property
    def value(self) -> float:
        """The share that was seen, from 0 to 1; 0 of none."""
        return self.count / self.of if self.of else 0.0

    @property
    def low(self) -> float:
        """The lower end of the interval."""
        return exact(self.count, self.of)[0]

    @property
    def high(self) -> float:
        """The upper end of the interval."""
        return exact(self.count, self.of)[1]

    def as_dict(self) -> dict[str, float]:
        """Every figure by its name."""
        return {"count": self.count, "of": self.of, "value": self.value, "low": self.low, "high": self.high}
