"""Accepted links become clusters, and a veto inside one keeps apart what it forbids.

Arrays in, arrays out: a record is its position in the sorted list of record ids, so that the order in which records and
links arrive changes nothing. What a link or a veto is belongs to `insight/linkage`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from insight.linkage.components import Integers, components

Flags = npt.NDArray[np.bool_]

ALIAS, TIER, MODEL, PUBLIC = 0, 1, 2, 3
"""How strong a link is: the source's own merge, a strong key, the model, the model with public values."""

KEPT, BY_VETO, BY_SIZE, BY_ANCHOR = 0, 1, 2, 3
"""What became of a link: it holds; a veto, the size of its cluster, or the rule on public values undid it."""

BELIEVABLE: Final = 60
"""Records in one cluster beyond which links of the model are no longer believed."""


@dataclass(frozen=True, slots=True)
class Edges:
    """Accepted links: the positions of the two records, the strength, and the match weight."""

    a: Integers
    b: Integers
    strength: Integers
    weight: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Clusters:
    """What became of records and links.

    Attributes:
        label: of each record, the position of the first record of its cluster.
        unbelievable: of each record, whether its cluster was too large and fell back to strong keys.
        attached: of each record, whether only links with public values hold it to what is anchored in its cluster.
        fate: of each link, `KEPT`, `BY_VETO`, `BY_SIZE` or `BY_ANCHOR`.
    """

    label: Integers
    unbelievable: Flags
    attached: Flags
    fate: Integers


def cluster(
    size: int, edges: Edges, vetoes: tuple[Integers, Integers], anchored: Flags, believable: int = BELIEVABLE
) -> Clusters:
    """The clusters of `size` records.

    A component is taken whole unless it holds a forbidden pair, or public values join what firm links do not. Then
    links are taken from the strongest to the weakest: one that would bring together a forbidden pair is left out, and
    so is one with public values between two groups that both have an anchored record. Of a component that is too large
    only aliases and strong keys are taken, and its records are marked; where public values alone make it too large,
    they are left out and nothing is marked, for a crowd of strangers is no fault of whom it names.

    Args:
        size: How many records there are.
        edges: The accepted links.
        vetoes: Positions of the two records of each forbidden pair.
        anchored: Of each record, whether someone accountable asserts its name.
        believable: The most records that one cluster may have.
    """
    component = components(size, edges.a, edges.b)
    firm = edges.strength < PUBLIC
    group = components(size, edges.a[firm], edges.b[firm])
    unbelievable = np.bincount(group, minlength=size)[group] > believable
    crowded = np.bincount(component, minlength=size)[component] > believable
    fate = np.full(len(edges.a), KEPT, dtype=np.int64)
    fate[unbelievable[edges.a] & (edges.strength == MODEL)] = BY_SIZE
    fate[crowded[edges.a] & (edges.strength == PUBLIC)] = BY_SIZE
    forbidden_a, forbidden_b = vetoes
    inside = component[forbidden_a] == component[forbidden_b]
    contested = np.zeros(size, dtype=np.bool_)
    contested[component[forbidden_a[inside]]] = True
    contested |= np.bincount(component[np.unique(group[anchored])], minlength=size) > 1

    chosen = np.flatnonzero((fate == KEPT) & contested[component[edges.a]])
    for edge, cause in _refused(chosen, edges, (forbidden_a[inside], forbidden_b[inside]), anchored):
        fate[edge] = cause
    kept = fate == KEPT
    label = components(size, edges.a[kept], edges.b[kept])
    core = components(size, edges.a[kept & firm], edges.b[kept & firm])
    return Clusters(label, unbelievable, _attached(label, core, anchored), fate)


def _attached(label: Integers, core: Integers, anchored: Flags) -> Flags:
    """Of each record, whether its firm group is one of several in its cluster and has no anchored record."""
    size = len(label)
    groups = np.bincount(label[np.unique(core)], minlength=size)
    held = np.bincount(core[anchored], minlength=size) > 0
    return np.asarray((groups[label] > 1) & ~held[core], dtype=np.bool_)


def _refused(
    chosen: Integers, edges: Edges, vetoes: tuple[Integers, Integers], anchored: Flags
) -> list[tuple[int, int]]:
    """Which of the chosen links do not hold, and why, when links are taken from the strongest to the weakest.

    The source's own merges are always taken: it knows its rows better than a rule does.
    """
    groups = _Groups(vetoes, anchored)
    low, high = np.minimum(edges.a, edges.b), np.maximum(edges.a, edges.b)
    order = np.lexsort((high[chosen], low[chosen], -edges.weight[chosen], edges.strength[chosen]))
    refused: list[tuple[int, int]] = []
    for edge in chosen[order].tolist():
        strength = edges.strength[edge]
        one, other = groups.root(int(edges.a[edge])), groups.root(int(edges.b[edge]))
        if one == other:
            continue
        if strength != ALIAS and groups.forbidden(one, other):
            refused.append((edge, BY_VETO))
        elif strength == PUBLIC and groups.both_anchored(one, other):
            refused.append((edge, BY_ANCHOR))
        else:
            groups.unite(one, other)
    return refused


class _Groups:
    """Disjoint groups of records, with the groups that each may not be united with."""

    def __init__(self, vetoes: tuple[Integers, Integers], anchored: Flags) -> None:
        self._parent: dict[int, int] = {}
        self._anchored: dict[int, bool] = {}
        self._every = anchored
        self._enemies: defaultdict[int, set[int]] = defaultdict(set)
        for one, other in zip(*(side.tolist() for side in vetoes), strict=True):
            self._enemies[one].add(other)
            self._enemies[other].add(one)

    def root(self, node: int) -> int:
        path = []
        while (above := self._parent.get(node, node)) != node:
            path.append(node)
            node = above
        for passed in path:
            self._parent[passed] = node
        return node

    def forbidden(self, one: int, other: int) -> bool:
        return other in self._enemies.get(one, ())

    def both_anchored(self, one: int, other: int) -> bool:
        return self._holds(one) and self._holds(other)

    def unite(self, one: int, other: int) -> None:
        first, second = min(one, other), max(one, other)
        self._anchored[first] = self._holds(first) or self._holds(second)
        self._parent[second] = first
        for enemy in self._enemies.pop(second, set()):
            self._enemies[enemy].discard(second)
            if enemy != first:
                self._enemies[enemy].add(first)
                self._enemies[first].add(enemy)

    def _holds(self, group: int) -> bool:
        return self._anchored.get(group, bool(self._every[group]))
