"""How well clusters agree with the truth: pairwise, and B-cubed (Bagga and Baldwin, 1998)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Score:
    """Agreement of one clustering with the truth, each figure from 0 to 1.

    Attributes:
        records: Records that the truth knows.
        pair_precision: Of the pairs put together, the share that belongs together.
        pair_recall: Of the pairs that belong together, the share put together.
        b3_precision: Averaged over records: of its cluster, the share that is the same entity.
        b3_recall: Averaged over records: of its entity, the share that is in its cluster.
    """

    records: int
    pair_precision: float
    pair_recall: float
    b3_precision: float
    b3_recall: float

    @property
    def pair_f1(self) -> float:
        """The harmonic mean of the pairwise figures."""
        return _harmonic(self.pair_precision, self.pair_recall)

    @property
    def b3_f1(self) -> float:
        """The harmonic mean of the B-cubed figures."""
        return _harmonic(self.b3_precision, self.b3_recall)

    def as_dict(self) -> dict[str, float]:
        """Every figure by its name."""
        return asdict(self) | {"pair_f1": self.pair_f1, "b3_f1": self.b3_f1}


def _harmonic(one: float, other: float) -> float:
    return 2 * one * other / (one + other) if one + other else 0.0


def _pairs(size: int) -> int:
    return size * (size - 1) // 2


def score(truth: Mapping[str, str], clusters: Mapping[str, str]) -> Score:
    """Compare a clustering with the truth.

    Args:
        truth: Record to its true entity; must not be empty.
        clusters: Record to its cluster. A record of the truth that is missing here counts as alone, so that leaving
            out what is hard costs recall; records that the truth does not know are ignored.
    """
    found = {record: clusters.get(record, f"alone:{record}") for record in truth}
    entity_sizes = Counter(truth.values())
    cluster_sizes = Counter(found.values())
    overlaps = Counter((truth[record], found[record]) for record in truth)
    together = sum(_pairs(size) for size in overlaps.values())
    put_together = sum(_pairs(size) for size in cluster_sizes.values())
    belong_together = sum(_pairs(size) for size in entity_sizes.values())
    return Score(
        records=len(truth),
        pair_precision=together / put_together if put_together else 1.0,
        pair_recall=together / belong_together if belong_together else 1.0,
        b3_precision=sum(size * size / cluster_sizes[cluster] for (_, cluster), size in overlaps.items()) / len(truth),
        b3_recall=sum(size * size / entity_sizes[entity] for (entity, _), size in overlaps.items()) / len(truth),
    )
