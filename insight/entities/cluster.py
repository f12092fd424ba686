"""Accepted links become clusters, and a veto inside one keeps apart what it forbids.

Arrays in, arrays out: a record is its position in the sorted list of record ids, so that the order in which records and
links arrive changes nothing. What a link or a veto is belongs to `insight/linkage`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from insight.entities.bridges import weak_bridges
from insight.entities.groups import Groups
from insight.entities.support import Support, may_be_thin
from insight.linkage.components import Integers, components

Flags = npt.NDArray[np.bool_]

ALIAS, TIER, MODEL, PUBLIC = 0, 1, 2, 3
"""How strong a link is: a judgement or a source's own merge, a strong key, the model, the model with public values."""

KEPT, BY_VETO, BY_SIZE, BY_ANCHOR, BY_TWICE, BY_BRIDGE = 0, 1, 2, 3, 4, 5
"""What became of a link: it holds; a veto, the size of its cluster, the rule on public values, a second record of a
system that rarely has two, or being the one weak link between two groups, or one of too few, undid it."""

BELIEVABLE: Final = 60
"""Records in one cluster beyond which links of the model are no longer believed."""


@dataclass(frozen=True, slots=True)
class Edges:
    """Accepted links: the positions of the two records, the strength, and the match weight."""

    a: Integers
    b: Integers
    strength: Integers
    weight: npt.NDArray[np.float64]

    def between(self, chosen: Flags) -> tuple[Integers, Integers]:
        """The two ends of the chosen ones."""
        return self.a[chosen], self.b[chosen]


@dataclass(frozen=True, slots=True)
class Vetoes:
    """Forbidden pairs: the positions of the two records, and whether a person's judgement forbids it."""

    a: Integers
    b: Integers
    hard: Flags


@dataclass(frozen=True, slots=True)
class Records:
    """What is asked of each record.

    Attributes:
        anchored: Whether someone accountable asserts its name.
        rare: A number of its system where that rarely holds one entity twice, otherwise 0.
    """

    anchored: Flags
    rare: Integers

    def __len__(self) -> int:
        """How many there are."""
        return len(self.anchored)


@dataclass(frozen=True, slots=True)
class Clusters:
    """What became of records and links.

    Attributes:
        label: of each record, the position of the first record of its cluster.
        unbelievable: of each record, whether its cluster was too large and fell back to strong keys.
        attached: of each record, whether only links with public values hold it to what is anchored in its cluster.
        fate: of each link, `KEPT` or what undid it.
    """

    label: Integers
    unbelievable: Flags
    attached: Flags
    fate: Integers


def cluster(
    records: Records, edges: Edges, vetoes: Vetoes, *, believable: int = BELIEVABLE, weak: float = -np.inf
) -> Clusters:
    """The clusters of some records.

    A component is taken whole unless it holds a forbidden pair, a system that rarely has two of one entity has two of
    it, or public values join what firm links do not. Then links are taken from the strongest to the weakest: one that
    would bring together a forbidden pair is left out, and so is one of the model between two groups that each have a
    record of such a system, and one with public values between two groups that both have an anchored record. Of a
    component that is too large only aliases and strong keys are taken, and its records are marked; where public values
    alone make it too large, they are left out and nothing is marked, for a crowd of strangers is no fault of whom it
    names. Links of the model join two groups of several records only where there are enough of them (`support.py`), and
    what a single weak one holds together is parted there.

    Args:
        records: The records.
        edges: The accepted links.
        vetoes: The forbidden pairs.
        believable: The most records that one cluster may have.
        weak: The weight below which a link of the model may not hold two groups together by itself.
    """
    size = len(records)
    component = components(size, edges.a, edges.b)
    firm = edges.strength < PUBLIC
    group = components(size, *edges.between(firm))
    unbelievable = np.bincount(group, minlength=size)[group] > believable
    crowded = np.bincount(component, minlength=size)[component] > believable
    fate = np.full(len(edges.a), KEPT, dtype=np.int64)
    fate[unbelievable[edges.a] & (edges.strength == MODEL)] = BY_SIZE
    fate[crowded[edges.a] & (edges.strength == PUBLIC)] = BY_SIZE
    inside = component[vetoes.a] == component[vetoes.b]
    contested = np.zeros(size, dtype=np.bool_)
    contested[component[vetoes.a[inside]]] = True
    contested |= np.bincount(component[np.unique(group[records.anchored])], minlength=size) > 1
    contested |= _twice(records, edges, component)
    contested[component[may_be_thin(size, group, edges.a, edges.b, (fate == KEPT) & firm)]] = True

    chosen = np.flatnonzero((fate == KEPT) & contested[component[edges.a]])
    near = Vetoes(vetoes.a[inside], vetoes.b[inside], vetoes.hard[inside])
    for edge, cause in _refused(chosen, edges, near, records):
        fate[edge] = cause
    fate[weak_bridges(size, edges, fate == KEPT, weak)] = BY_BRIDGE
    kept = fate == KEPT
    label = components(size, *edges.between(kept))
    core = components(size, *edges.between(kept & firm))
    return Clusters(label, unbelievable, _attached(label, core, records.anchored), fate)


def _twice(records: Records, edges: Edges, component: Integers) -> Flags:
    """Of each position, whether it names a component where a system that rarely has two has two groups of records."""
    size = len(records)
    found = np.zeros(size, dtype=np.bool_)
    if not records.rare.any():
        return found
    strong = components(size, *edges.between(edges.strength < MODEL))
    for system in np.unique(records.rare[records.rare > 0]):
        found |= np.bincount(component[np.unique(strong[records.rare == system])], minlength=size) > 1
    return found


def _attached(label: Integers, core: Integers, anchored: Flags) -> Flags:
    """Of each record, whether its firm group is one of several in its cluster and has no anchored record."""
    size = len(label)
    groups = np.bincount(label[np.unique(core)], minlength=size)
    held = np.bincount(core[anchored], minlength=size) > 0
    return np.asarray((groups[label] > 1) & ~held[core], dtype=np.bool_)


def _refused(chosen: Integers, edges: Edges, vetoes: Vetoes, records: Records) -> list[tuple[int, int]]:
    """Which of the chosen links do not hold, and why, when links are taken from the strongest to the weakest.

    The source's own merges are taken against a rule, which it knows its rows better than, and not against a person.
    """
    groups = Groups(
        list(zip(vetoes.a.tolist(), vetoes.b.tolist(), vetoes.hard.tolist(), strict=True)),
        records.anchored,
        records.rare,
    )
    firm = chosen[edges.strength[chosen] < PUBLIC]
    support = Support(edges.a[firm], edges.b[firm])
    low, high = np.minimum(edges.a, edges.b), np.maximum(edges.a, edges.b)
    order = np.lexsort((high[chosen], low[chosen], -edges.weight[chosen], edges.strength[chosen]))
    refused: list[tuple[int, int]] = []

    def too_thin(edge: int) -> bool:
        """Take an edge, unless it is refused or has too little beside it."""
        strength = int(edges.strength[edge])
        one, other = groups.root(int(edges.a[edge])), groups.root(int(edges.b[edge]))
        if one == other:
            return False
        if groups.forbidden(one, other, even_merges=strength == ALIAS):
            refused.append((edge, BY_VETO))
        elif strength >= MODEL and groups.share_a_system(one, other):
            refused.append((edge, BY_TWICE))
        elif strength == PUBLIC and groups.both_anchored(one, other):
            refused.append((edge, BY_ANCHOR))
        elif strength == MODEL and not support.suffices(one, other, groups.root):
            return True
        else:
            groups.unite(one, other)
            support.unite(one, other)
        return False

    public = edges.strength[chosen[order]] == PUBLIC
    thin = list(filter(too_thin, chosen[order][~public].tolist()))
    while len(again := list(filter(too_thin, thin))) < len(thin):
        thin = again  # groups have grown since, and with them what lies between them
    for edge in chosen[order][public].tolist():
        too_thin(edge)  # after all others: what strangers say is no support for what the model says
    return refused + [(edge, BY_BRIDGE) for edge in thin]
