"""The figures that the gate and the ledger are held to, with what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bench.gate.measure import Measured


@dataclass(frozen=True)
class Aim:
    """One figure and how far it has to reach.

    Attributes:
        name: What it is.
        found: What was measured.
        bound: What it has to be; none where it is told for information.
        side: Whether it has to be at least the bound, or at most.
        unit: `/s`, `ms`, `s` or `x`.
        of: What it was made of, in words.
    """

    name: str
    found: float
    bound: float | None
    side: Literal["at least", "at most"]
    unit: str
    of: str

    @property
    def holds(self) -> bool | None:
        """Whether it reaches the bound; none where there is none."""
        if self.bound is None:
            return None
        return self.found >= self.bound if self.side == "at least" else self.found <= self.bound


def aims(measured: Measured) -> list[Aim]:
    """Every figure, those with a bound first."""
    made, kept = measured.made, measured.kept
    return [
        Aim("decisions on one core", made.decide.rate, 2_000, "at least", "/s", made.decide.told),
        Aim("effects performed in a batch", made.perform.rate, 500, "at least", "/s", made.perform.told),
        Aim("slowest trace", kept.slowest_trace * 1e3, 100, "at most", "ms", f"of {kept.traces} at random"),
        Aim("verify", kept.verify.seconds, 5, "at most", "s", f"{kept.entries:,} entries; {kept.verify.told}"),
        Aim(
            "against a Dagster run for each action",
            measured.ratio,
            None,
            "at least",
            "x",
            f"{measured.run_seconds:.2f} s for a run that finds nothing to do",
        ),
        Aim("deliveries written down", made.deliver.rate, None, "at least", "/s", made.deliver.told),
        Aim("first verify, no checkpoint yet", kept.first.seconds, None, "at most", "s", kept.first.told),
    ]
