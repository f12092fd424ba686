"""What an agent's `trigger.sql` returns on a graph, as rows that the agent may see.

A row's digest covers its values and the version of everything they name, so that a row comes again when its entity,
its contact or its invoice has changed, and not because the graph was published anew.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, Protocol

from orchestration.canonical import digest
from orchestration.contracts import EntityId
from orchestration.errors import AgentError
from orchestration.registry import Agent

ENTITY: Final = "entity_id"
"""The column that every trigger returns: whom the row is about."""

Value = str | int | float | bool | None


class TriggerGraph(Protocol):
    """What a trigger needs of a graph: `EntityGraph` has it."""

    def run_trigger(self, sql: str, business_date: date) -> list[dict[str, Any]]:
        """The rows of a trigger."""

    def rows(self, sql: str, parameters: list[Any] | Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """The rows of a query."""


@dataclass(frozen=True, slots=True)
class Woken:
    """One row that a trigger returned: its entity, what the agent may see, and what makes it the same row again."""

    entity_id: EntityId
    values: dict[str, Value]
    digest: str


def rows_of(agent: Agent, graph: TriggerGraph, business_date: date) -> list[Woken]:
    """The rows that an agent's trigger returns, in its order, equal ones once.

    Raises:
        AgentError: The file cannot be read, or returns other columns or values than it may.
        ConfigurationError: It is not one `SELECT` that runs on this graph.
    """
    try:
        sql = agent.trigger.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AgentError(str(agent.trigger), str(error), "a readable file in UTF-8") from error
    found = graph.run_trigger(sql, business_date)
    _check_columns(agent, found)
    rows = [(_entity(agent, row), _visible(agent, row)) for row in found]
    versions = _versions(graph, rows)
    woken = (_woken(agent.card.name, entity_id, values, versions) for entity_id, values in rows)
    return list({row.digest: row for row in woken}.values())


def _check_columns(agent: Agent, found: list[dict[str, Any]]) -> None:
    if not found:
        return
    columns = [name for name in found[0] if name != ENTITY]
    allowed = set(agent.card.columns)
    if ENTITY not in found[0]:
        raise AgentError(str(agent.trigger), f"the columns {', '.join(columns)}", f"a column {ENTITY} among them")
    if allowed and allowed != set(columns):
        raise AgentError(
            str(agent.trigger),
            f"the columns {', '.join(columns)}",
            f"those of agent.yml: {', '.join(agent.card.columns)}",
        )


def _entity(agent: Agent, row: Mapping[str, Any]) -> EntityId:
    if not isinstance(row[ENTITY], str):
        raise AgentError(str(agent.trigger), f"{row[ENTITY]!r} as {ENTITY}", "the id of an entity in every row")
    return EntityId(row[ENTITY])


def _visible(agent: Agent, row: Mapping[str, Any]) -> dict[str, Value]:
    return {name: _plain(agent, name, value) for name, value in row.items() if name != ENTITY}


def _plain(agent: Agent, name: str, value: object) -> Value:
    match value:
        case float() if not math.isfinite(value):
            raise AgentError(str(agent.trigger), f"{value} in column {name}", "a finite number")
        case None | str() | bool() | int() | float():
            return value
        case Decimal():
            return format(value, "f")
        case datetime():
            return value.astimezone(UTC).isoformat() if value.tzinfo else value.isoformat()
        case date():
            return value.isoformat()
        case _:
            raise AgentError(
                str(agent.trigger), f"a {type(value).__name__} in column {name}", "text, a number, a date or a boolean"
            )


def _versions(graph: TriggerGraph, rows: Iterable[tuple[EntityId, dict[str, Value]]]) -> dict[str, str]:
    """The version of every entity, and the row hashes of what every record and fact was made of, that the rows name."""
    named = {text for entity_id, values in rows for text in (entity_id, *values.values()) if isinstance(text, str)}
    if not named:
        return {}
    found = graph.rows(
        """
        WITH named AS (SELECT unnest($named) AS id),
        made_of AS (
            SELECT id, source_row_id(id) AS record_id FROM named
            UNION ALL
            SELECT id, supporting_record FROM named JOIN support ON support.record_id = id
        )
        SELECT entity_id AS id, version FROM entity WHERE entity_id IN (FROM named)
        UNION ALL
        SELECT id, string_agg(row_hash, ' ' ORDER BY record_id)
        FROM made_of JOIN source_rows((SELECT list(DISTINCT record_id) FROM made_of)) USING (record_id)
        GROUP BY id
        """,
        {"named": sorted(named)},
    )
    return {row["id"]: row["version"] for row in found}


def _woken(agent: str, entity_id: EntityId, values: dict[str, Value], versions: Mapping[str, str]) -> Woken:
    named = {text for text in (entity_id, *values.values()) if isinstance(text, str)}
    rests_on = {
        "agent": agent,
        "entity": entity_id,
        "values": values,
        "versions": {text: versions[text] for text in named & versions.keys()},
    }
    return Woken(entity_id, values, digest(rests_on))
