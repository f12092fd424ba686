"""What an agent's `feedback.sql` says on a graph: the figures by which its owner sees whether it is worth its while.

Nothing is decided on them, and no figure keeps an agent from acting.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

import duckdb

from orchestration.errors import AgentError, PrecedeError
from orchestration.graph.confined import said_by
from orchestration.graph.current import open_current
from orchestration.registry import Agent
from orchestration.settings import Settings
from orchestration.store.engine import Store


class FeedbackGraph(Protocol):
    """What feedback needs of a graph: `EntityGraph` has it."""

    def rows(self, sql: str, parameters: list[Any] | Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """The rows of a query, which can neither write nor leave the file."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: its name, its unit and its value; none where there is nothing to measure yet."""

    metric: str
    unit: str
    value: float | None


def feedback_page(store: Store, settings: Settings, agent: Agent) -> dict[str, float | str]:
    """What an agent's feedback says on the current graph, as metadata: all of it as text, and each number by itself.

    Where it cannot be asked, the text is a sentence that says why.
    """
    try:
        with open_current(store, settings) as graph:
            figures = figures_of(agent, graph)
    except PrecedeError as error:
        return {"feedback": f"It could not be asked. {error}"}
    numbers = {f"feedback/{one.metric} ({one.unit})": one.value for one in figures if one.value is not None}
    lines = (f"{one.metric}: {'nothing yet' if one.value is None else f'{one.value:g} {one.unit}'}" for one in figures)
    return {"feedback": "\n".join(lines) or "It returned no row.", **numbers}


def figures_of(agent: Agent, graph: FeedbackGraph) -> list[Figure]:
    """The figures that an agent's feedback gives on a graph, in its order.

    Raises:
        AgentError: The file cannot be read, does not run on this graph, or returns something else than figures.
    """
    where = str(agent.feedback)
    try:
        rows = graph.rows(agent.feedback.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise AgentError(where, str(error), "a readable file in UTF-8") from error
    except duckdb.Error as error:
        raise AgentError(where, said_by(error), "one SELECT on the published graph") from error
    return [_figure(where, row) for row in rows]


def _figure(where: str, row: Mapping[str, Any]) -> Figure:
    if set(row) != {"metric", "unit", "value"}:
        raise AgentError(where, f"the columns {', '.join(row)}", "metric, unit and value")
    value = row["value"]
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | None):
        raise AgentError(where, f"{value!r} as the value of {row['metric']}", "a number")
    known = None if value is None or not math.isfinite(value) else float(value)
    return Figure(str(row["metric"]), str(row["unit"]), known)
