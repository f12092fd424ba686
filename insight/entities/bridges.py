"""Looking inside clusters: the one weak link by which two groups of records hold together.

Two groups that agree among themselves and are joined by a single link that barely cleared the accept threshold are more
likely two entities than one; the longer the chain, the likelier that one of its links is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import networkx as nx
import numpy as np

from insight.linkage.components import Integers, components

if TYPE_CHECKING:
    from insight.entities.cluster import Edges, Flags

LEAST: Final = 2
"""Records that each side of a bridge must have for it to part two groups; a cluster so has at least twice as many."""
_MODEL: Final = 2


def weak_bridges(size: int, edges: Edges, kept: Flags, weak: float) -> Integers:
    """Which links of the model below the weight `weak` are the only one between two groups of at least `LEAST`.

    Args:
        size: How many records there are.
        edges: All accepted links.
        kept: Of each, whether it holds so far.
        weak: The weight.
    """
    feeble = kept & (edges.strength == _MODEL) & (edges.weight < weak)
    if not feeble.any():
        return np.empty(0, dtype=np.int64)
    label = components(size, *edges.between(kept))
    large = np.bincount(label, minlength=size) >= 2 * LEAST
    suspected = np.zeros(size, dtype=np.bool_)
    suspected[label[edges.a[feeble]]] = True
    looked_at = np.flatnonzero(kept & (suspected & large)[label[edges.a]] & (edges.a != edges.b))
    inside: dict[int, list[int]] = {}
    for edge in looked_at.tolist():
        inside.setdefault(int(label[edges.a[edge]]), []).append(edge)
    found = [edge for links in inside.values() for edge in _bridges(edges, feeble, links)]
    return np.array(sorted(found), dtype=np.int64)


def _bridges(edges: Edges, feeble: Flags, links: list[int]) -> list[int]:
    """Of the links of one cluster, the weak ones that part it into two groups that are both large enough."""
    graph: nx.Graph[Any] = nx.Graph()
    parting: list[tuple[int, int]]
    between: dict[frozenset[int], list[int]] = {}
    for edge in links:
        ends = int(edges.a[edge]), int(edges.b[edge])
        graph.add_edge(*ends)
        between.setdefault(frozenset(ends), []).append(edge)
    found: list[int] = []
    parting = list(nx.bridges(graph))
    for one, other in parting:
        same = between[frozenset((one, other))]
        if not all(feeble[edge] for edge in same):
            continue
        graph.remove_edge(one, other)
        reached = len(nx.node_connected_component(graph, one))
        graph.add_edge(one, other)
        if min(reached, len(graph) - reached) >= LEAST:
            found += same
    return found
