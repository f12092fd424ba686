"""How good the linkage is, from a few hundred judgements: precision and recall of pairs, with intervals that hold.

Pairs are sampled by stratum: pairs that stand in one entity, by what put them there, and compared pairs that do not, by
weight. Of each stratum the share that is one entity is estimated with the exact interval of Clopper and Pearson, for
errors are rare and Wilson's holds them too seldom; the strata are summed by the method of Zou and Donner (2008), which
adds the squares of the distances from estimate to bound.

Three parts of recall cannot be judged and are bounded. Pairs of a stratum that the model holds for hardly possible are
not sampled; they hold between none and `LEANING` times the one-entity pairs that the model expects there. Pairs that
were never compared are bounded by how many pairs only one blocking rule found, and how many only two (Chao, 1987): with
f1 and f2 of them, about f1 * f1 / (2 * f2) were found by none; rules that look for like things miss like things, so
between none and `DEPENDENT` times as many, and more for chance. Recall runs from what is left when all of these are
as many as they may be to what it is when they are as few.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from insight.linkage.tuning.intervals import Z, exact

LEANING: Final = 5.0
DEPENDENT: Final = 3.0


@dataclass(frozen=True, slots=True)
class Stratum:
    """Pairs that are alike in how sure linkage is of them.

    Attributes:
        name: What they are.
        together: Whether they stand in one entity.
        size: How many there are.
        expected: How many of them the model expects to be one entity.
        sampled: How many were judged.
        same: How many of those were judged to be one entity.
    """

    name: str
    together: bool
    size: int
    expected: float
    sampled: int = 0
    same: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """An estimate with its 95 % interval."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Quality:
    """Precision and recall of pairs, and how many judgements they rest on."""

    precision: Found
    recall: Found
    judged: int


def quality(strata: Sequence[Stratum], once: int, twice: int) -> Quality:
    """Precision and recall of the pairs that stand in one entity.

    Args:
        strata: All pairs that were compared or stand in one entity.
        once: Pairs in one entity that one blocking rule found.
        twice: Pairs in one entity that two found.
    """
    together = [one for one in strata if one.together]
    total = sum(one.size for one in together)
    right = _sum([one for one in together if one.sampled])
    unjudged = sum(one.size for one in together if not one.sampled)
    right = Found(right.estimate + unjudged, right.low, right.high + unjudged)
    apart = [one for one in strata if not one.together]
    missed = _sum([one for one in apart if one.sampled])
    rest = sum(one.expected for one in apart if not one.sampled)
    most = sum(min(LEANING * one.expected, one.size) for one in apart if not one.sampled)
    none, none_most = unseen(once, twice)
    missing = Found(missed.estimate + rest + none, missed.low, missed.high + most + none_most)
    precision = Found(*(_part(one, total - one) for one in (right.estimate, right.low, right.high)))
    recall = Found(
        _part(right.estimate, missing.estimate), _part(right.low, missing.high), _part(right.high, missing.low)
    )
    return Quality(precision, recall, sum(one.sampled for one in strata))


def unseen(once: int, twice: int) -> tuple[float, float]:
    """About how many pairs no blocking rule found, and how many at most."""
    about = once * once / (2 * twice) if twice else once * (once - 1) / 2
    by_chance = Z * math.sqrt(max(about, 1.0)) * (1 + once / max(2 * twice, 1))
    return about, DEPENDENT * about + by_chance + 2


def _sum(strata: Sequence[Stratum]) -> Found:
    """How many pairs of judged strata are one entity."""
    middle = low = high = 0.0
    for one in strata:
        share = one.same / one.sampled
        least, most = exact(one.same, one.sampled)
        # of a stratum that was judged to the last pair, nothing is left to chance
        left = 1 - one.sampled / one.size if one.size > one.sampled else 0.0
        middle += one.size * share
        low += left * (one.size * (share - least)) ** 2
        high += left * (one.size * (most - share)) ** 2
    return Found(middle, max(middle - math.sqrt(low), 0.0), middle + math.sqrt(high))


def _part(one: float, other: float) -> float:
    whole = max(one, 0.0) + max(other, 0.0)
    return min(max(one, 0.0) / whole, 1.0) if whole else 1.0
