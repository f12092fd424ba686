"""The figures that reconciling is held to, each a ratio or a bound, with what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bench.reconcile import Size
from bench.watch import Watched

GIGABYTE: Final = 1_000_000_000
SNAPSHOTS_A_DAY: Final = 24 * 60 // 5
"""One every five minutes."""
SNAPSHOTS_AN_HOUR: Final = SNAPSHOTS_A_DAY // 24


@dataclass(frozen=True)
class Bench:
    """Both sizes.

    Attributes:
        small: A tenth of the size, without plain Splink and without changes.
        size: The size.
    """

    small: Size
    size: Size


@dataclass(frozen=True)
class Aim:
    """One figure and how far it may go.

    Attributes:
        name: What it is.
        found: What was measured.
        most: The most it may be.
        unit: `x`, `GB` or `s`.
        of: What it was made of, in words.
    """

    name: str
    found: float
    most: float
    unit: str
    of: str

    @property
    def reached(self) -> bool:
        """Whether it is no more than it may be."""
        return self.found <= self.most


def aims(bench: Bench) -> list[Aim]:
    """Every figure that has a bound."""
    full, plain, change = bench.size.full, bench.size.plain, bench.size.change
    if plain is None or change is None:
        raise ValueError("found a size without plain Splink or without changes; needed both; measure them")
    splink = plain.work
    peak = max(full.job.peak, change.job.peak)
    rows = sum(bench.size.changed.values())
    each, each_small = (size.full.job.work / size.records for size in (bench.size, bench.small))
    return [
        Aim("linkage, against plain Splink", full.linkage / splink, 1.0, "x", _over(full.linkage, splink)),
        Aim("everything, against plain Splink", full.job.work / splink, 4.0, "x", _over(full.job.work, splink)),
        Aim("most memory of a step", peak / GIGABYTE, 6.0, "GB", f"in {_hungriest(full.job, change.job)}"),
        Aim(f"{rows:,} changed rows to a graph", change.job.work, 10.0, "s", f"of {bench.size.records:,} records"),
        Aim(
            "linkage of the changes, against full linkage",
            change.linkage / full.linkage,
            1 / 30,
            "x",
            _over(change.linkage, full.linkage),
        ),
        Aim(
            f"cost of a record, against that at {bench.small.records:,}",
            each / each_small,
            1.3,
            "x",
            f"{each * 1e6:.0f} µs over {each_small * 1e6:.0f} µs",
        ),
    ]


def kept(size: Size) -> int:
    """Bytes that a home comes to hold at a snapshot every five minutes, each after as many changes as were measured.

    The graphs that are kept however many are published, and of landed tables and stages what the last snapshot rests on
    and what was added in the hour that they are left for readers (docs/how-to/operate.md).
    """
    steps = size.disk["landing"] + size.disk["stages"]
    added = size.grown.get("landing", 0) + size.grown.get("stages", 0)
    return size.graphs_kept * size.graph + steps + SNAPSHOTS_AN_HOUR * added


def _over(one: float, other: float) -> str:
    return f"{one:.2f} s over {other:.2f} s"


def _hungriest(*jobs: Watched) -> str:
    return max((step for job in jobs for step in job.steps), key=lambda step: step.peak).name
