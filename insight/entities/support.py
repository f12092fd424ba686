"""Whether enough links lie between two groups of records to make one of them.

Links are wrong now and then, and the more records a cluster has, the more of them it has to be wrong: one record that
is taken for two people makes one of both. But where a group of five records and another of eight are one entity, more
than a link or two of the forty between them will have been found. So two groups of several records are joined by links
of the model where these are at least a tenth of all that could lie between them. A single record needs one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from insight.linkage.components import Integers

SHARE: Final = 0.1
"""The share of the pairs between two groups that must be linked."""
_LEAST: Final = 7
"""Records of the smallest cluster that one link could hold together in spite of that: three and four."""


class Support:
    """The links between groups that grow.

    Args:
        a: One record of each link.
        b: The other.
    """

    def __init__(self, a: Integers, b: Integers) -> None:
        self._near: defaultdict[int, list[int]] = defaultdict(list)
        for one, other in zip(a.tolist(), b.tolist(), strict=True):
            self._near[one].append(other)
            self._near[other].append(one)
        self._members: dict[int, list[int]] = {}

    def suffices(self, one: int, other: int, root: Callable[[int], int]) -> bool:
        """Whether the links between two groups are enough.

        Args:
            one: A group, named by its first record.
            other: The other.
            root: The group that a record is in.
        """
        mine, theirs = self._of(one), self._of(other)
        needed = SHARE * len(mine) * len(theirs)
        if needed <= 1 or min(len(mine), len(theirs)) == 1:
            return True
        few, aim = (mine, other) if len(mine) <= len(theirs) else (theirs, one)
        return sum(root(near) == aim for record in few for near in self._near[record]) >= needed

    def unite(self, one: int, other: int) -> None:
        """Make one group of two."""
        first, second = min(one, other), max(one, other)
        self._members[first] = self._of(first) + self._of(second)
        self._members.pop(second, None)

    def _of(self, group: int) -> list[int]:
        return self._members.get(group, [group])


def may_be_thin(
    size: int, component: Integers, a: Integers, b: Integers, kept: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Of each position, whether it names a component in which two groups could be joined by too few links.

    Args:
        size: How many records there are.
        component: Of each record, the first record of its component.
        a: One record of each link.
        b: The other.
        kept: Of each link, whether it holds so far.
    """
    large = np.bincount(component, minlength=size) >= _LEAST
    inside = np.flatnonzero(kept & large[component[a]])
    if not len(inside):
        return large & False
    low, high = np.minimum(a[inside], b[inside]), np.maximum(a[inside], b[inside])
    links = np.bincount(component[np.unique(low * size + high) // size], minlength=size)
    records = np.bincount(component, minlength=size)
    # where all pairs are linked, no two groups can have few links between them
    return np.asarray(large & (links < records * (records - 1) // 2), dtype=np.bool_)
