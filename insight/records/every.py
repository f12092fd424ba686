"""All records of all sources, one step after the other: what the assets do, without Dagster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from insight.landing import LandedTable
from insight.records import aliases, conform, rejected
from insight.records.record_set import AliasSet, RecordSet, RejectedSet
from insight.sources.source import Source
from orchestration.graph.model import SHAPES
from orchestration.settings import Settings


@dataclass(frozen=True, slots=True)
class Records:
    """Record sets by shape, the sources' own merges, and the rows that became nothing."""

    shapes: dict[str, RecordSet]
    aliases: AliasSet
    rejected: RejectedSet

    @property
    def quarantines(self) -> list[Path]:
        """Every file of quarantined rows."""
        return [*(one.quarantine for one in self.shapes.values()), self.rejected.quarantine]


def build(
    sources: Sequence[Source], landed: Sequence[LandedTable], settings: Settings, *, sample: int | None = None
) -> Records:
    """The records of every shape; of those that no source states there are none.

    Args:
        sources: All sources.
        landed: What was landed of them.
        settings: Where stages are kept.
        sample: How many rows of each system and shape to take, for a look; all by default.

    Raises:
        SourceError: A `.sql` does not run or returns what it must not.
    """
    shapes: dict[str, RecordSet] = {}
    merged: AliasSet | None = None
    for name, shape in SHAPES.items():
        shapes[name] = conform.build(shape, sources, landed, shapes, merged, settings, sample=sample)
        if merged is None:
            merged = aliases.build(sources, landed, shapes[name], settings)
    assert merged is not None  # noqa: S101  SHAPES is not empty
    return Records(shapes, merged, rejected.build(sources, landed, settings))
