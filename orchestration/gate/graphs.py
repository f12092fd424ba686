"""Published graphs, open, with the slices of them that were looked up.

A snapshot never changes, so what was read of it for a batch still holds when one of its effects is performed, as long
as the pointer still names that snapshot. That is asked of the store, inside the transaction, each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from orchestration.action_types import ActionType
from orchestration.errors import NoGraph
from orchestration.gate.known import Ask, GraphFacts, StoreFacts
from orchestration.gate.load import References, load_graph
from orchestration.graph.reader import EntityGraph


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
        self._slice: _Slice | None = None

    def current(self, store: StoreFacts) -> EntityGraph | None:
        """The current graph; none where there is none, or it cannot be read."""
        if store.snapshot_id is None:
            return None
        if self._graph is None or self._graph.snapshot_id != store.snapshot_id:
            self.close()
            try:
                self._graph = EntityGraph(self._home / store.path)
            except NoGraph:
                return None
        return self._graph

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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
