"""Published graphs, open, with the slices of them that were looked up.

A snapshot never changes, so what was read of it for a batch still holds when one of its effects is performed, as long
as the pointer still names that snapshot. That is asked of the store, inside the transaction, each time. The file is
believed as long as it is the one that was published: its digest is taken when it is opened, and again when it looks
touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Self

from orchestration.action_types import ActionType
from orchestration.contracts import Reason
from orchestration.errors import NoGraph
from orchestration.gate.known import NO_GRAPH, Ask, GraphFacts, StoreFacts
from orchestration.gate.load import References, load_graph
from orchestration.graph.digests import file_digest
from orchestration.graph.reader import EntityGraph

_TRIES: Final = 3
"""How often a file may look touched between its digest and its opening; getting its second name touches it once."""


class _Mark(NamedTuple):
    """By what a file looks the same; any change of content or name shows in it."""

    inode: int
    size: int
    modified: int
    changed: int

    @classmethod
    def of(cls, path: Path) -> Self:
        found = path.stat()
        return cls(found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


@dataclass(frozen=True, slots=True)
class _Slice:
    actions: frozenset[str]
    facts: GraphFacts


class Graphs:
    """The graphs that decisions are made on; close it after use.

    Args:
        home: `PRECEDE_HOME`, which the paths of snapshots are relative to.
        action_types: What proposals can refer to.
    """

    def __init__(self, home: Path, action_types: Mapping[str, ActionType]) -> None:
        self._home = home
        self._action_types = action_types
        self._graph: EntityGraph | None = None
        self._mark: _Mark | None = None
        self._slice: _Slice | None = None
        self.missing = NO_GRAPH
        """Why `current` found none, where it did not."""

    def current(self, store: StoreFacts) -> EntityGraph | None:
        """The current graph; none where there is none, it cannot be read, or it is not the file that was published."""
        if store.snapshot_id is None:
            self.missing = NO_GRAPH
            return None
        path = self._home / store.path
        try:
            if self._graph is None or self._graph.snapshot_id != store.snapshot_id or self._mark != _Mark.of(path):
                self.close()
                self._graph = self._opened(path, store.file_digest)
        except (NoGraph, OSError):
            self.close()
            self.missing = NO_GRAPH
        return self._graph

    def _opened(self, path: Path, digest: str) -> EntityGraph | None:
        """The graph, where it was the published file from before its digest was taken until after it was opened."""
        for _ in range(_TRIES):
            mark = _Mark.of(path)
            if file_digest(path) != digest:
                break
            graph = EntityGraph(path)
            if _Mark.of(path) == mark:
                self._mark = mark
                return graph
            graph.close()
        self.missing = Reason(code="graph_changed", detail="The graph's file is not the one that was published.")
        return None

    def glance(self, store: StoreFacts, asks: Iterable[Ask]) -> GraphFacts | None:
        """As `facts`, without the source rows behind them, and not kept: to see whether anything has changed."""
        graph = self.current(store)
        wanted = References.of(asks, self._action_types)
        return None if graph is None else load_graph(graph, wanted, evidence=False)

    def facts(self, store: StoreFacts, asks: Iterable[Ask]) -> GraphFacts | None:
        """What the current graph says of everything that those proposals refer to."""
        graph = self.current(store)
        if graph is None:
            return None
        wanted = {ask.action: ask for ask in asks}
        if self._slice is None or not wanted.keys() <= self._slice.actions:
            facts = load_graph(graph, References.of(wanted.values(), self._action_types))
            self._slice = _Slice(frozenset(wanted), facts)
        return self._slice.facts

    def close(self) -> None:
        """Let the file go."""
        if self._graph is not None:
            self._graph.close()
        self._graph = self._slice = None
