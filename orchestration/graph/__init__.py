"""The published entity graph: its schema, how it is written and how it is read."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestration.graph.current import open_current
    from orchestration.graph.reader import EntityGraph

__all__ = ["EntityGraph", "open_current"]


def __getattr__(name: str) -> Any:  # noqa: ANN401  what is asked for
    if name == "open_current":
        from orchestration.graph.current import open_current  # noqa: PLC0415  the store takes half a second to import

        return open_current
    if name == "EntityGraph":
        from orchestration.graph.reader import EntityGraph  # noqa: PLC0415

        return EntityGraph
    raise AttributeError(name)
