"""The published entity graph: its schema, how it is written and how it is read."""

from orchestration.graph.current import open_current
from orchestration.graph.reader import EntityGraph

__all__ = ["EntityGraph", "open_current"]
