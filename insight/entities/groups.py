"""Disjoint groups of records that grow while links are taken, and what keeps two of them apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt


class Groups:
    """Groups named by their first record, with the groups that each may not be united with.

    Args:
        forbidden: Pairs that a veto keeps apart, and whether a person said so.
        anchored: Of each record, whether someone accountable asserts its name.
        rare: Of each record, a number of its system where that rarely holds one entity twice, otherwise 0.
    """

    def __init__(
        self,
        forbidden: Iterable[tuple[int, int, bool]],
        anchored: npt.NDArray[np.bool_],
        rare: npt.NDArray[np.integer[Any]],
    ) -> None:
        self._parent: dict[int, int] = {}
        self._anchored: dict[int, bool] = {}
        self._every = anchored
        self._rare = rare
        self._systems: dict[int, frozenset[int]] = {}
        self._enemies: defaultdict[int, dict[int, bool]] = defaultdict(dict)
        for one, other, hard in forbidden:
            for mine, theirs in ((one, other), (other, one)):
                self._enemies[mine][theirs] = hard or self._enemies[mine].get(theirs, False)

    def root(self, node: int) -> int:
        """The group of a record."""
        path = []
        while (above := self._parent.get(node, node)) != node:
            path.append(node)
            node = above
        for passed in path:
            self._parent[passed] = node
        return node

    def forbidden(self, one: int, other: int, *, even_merges: bool) -> bool:
        """Whether a veto keeps two groups apart, or where `even_merges`, whether a person does."""
        hard = self._enemies.get(one, {}).get(other)
        return hard is not None and (hard or not even_merges)

    def both_anchored(self, one: int, other: int) -> bool:
        """Whether both groups have a record whose name someone accountable asserts."""
        return self._holds(one) and self._holds(other)

    def share_a_system(self, one: int, other: int) -> bool:
        """Whether each has a record of a system that rarely holds one entity twice."""
        return not self._held(one).isdisjoint(self._held(other))

    def unite(self, one: int, other: int) -> None:
        """Make one group of two."""
        first, second = min(one, other), max(one, other)
        self._anchored[first] = self._holds(first) or self._holds(second)
        self._systems[first] = self._held(first) | self._held(second)
        self._parent[second] = first
        for enemy, hard in self._enemies.pop(second, {}).items():
            self._enemies[enemy].pop(second, None)
            if enemy != first:
                for mine, theirs in ((enemy, first), (first, enemy)):
                    self._enemies[mine][theirs] = hard or self._enemies[mine].get(theirs, False)

    def _holds(self, group: int) -> bool:
        return self._anchored.get(group, bool(self._every[group]))

    def _held(self, group: int) -> frozenset[int]:
        if group in self._systems:
            return self._systems[group]
        return frozenset({int(self._rare[group])} - {0})
