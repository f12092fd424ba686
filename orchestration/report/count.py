"""Counting a period from the audit tables: SQL in, a report out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import duckdb

from orchestration.registry import AgentCard
from orchestration.report.gather import TABLES
from orchestration.report.model import (
    VERDICTS,
    AgentReport,
    Basis,
    Day,
    Ground,
    Incident,
    Listed,
    Numbers,
    Report,
    Stopped,
)
from orchestration.report.period import Period
from orchestration.sql import quoted

_QUERIES: Final = Path(__file__).parent / "numbers"

Row = dict[str, Any]
Ask = Callable[[str], list[Row]]


def count(
    tables: duckdb.DuckDBPyConnection, period: Period, basis: Basis, cards: Mapping[str, AgentCard], *, most: int
) -> Report:
    """What the agents did in a period.

    Args:
        tables: A connection whose current database holds the audit tables.
        period: The period.
        basis: What the tables rest on.
        cards: The agents' cards as they are now.
        most: Actions of each agent that are listed.
    """
    ask = asking(tables, period, most)
    grounds = ask("ground")
    agents = [_agent(row, cards, [one for one in grounds if one["agent"] == row["agent"]]) for row in ask("agent")]
    listed = ask("listed")
    stops = [Stopped.model_validate(row) for row in ask("stop")]
    found_incidents = ask("incident")
    of_all = {
        "stops": sum(one.stopped_at >= period.since for one in stops),
        "incidents": _every(found_incidents),
    }
    found = {row["day"]: row for row in ask("day")}
    return Report(
        since=period.since,
        until=period.until,
        zone=period.zone,
        period=str(period),
        basis=basis,
        total=_sum([one.numbers for one in agents]).model_copy(update=of_all),
        agents=tuple(agents),
        days=tuple(Day.model_validate(found.get(day, {"day": day})) for day in period.days),
        stops=tuple(stops),
        incidents=tuple(Incident.model_validate(_said(row)) for row in found_incidents),
        actions=tuple(_listed(row) for row in listed),
        actions_left_out=_every(listed) - len(listed),
    )


def only(tables: duckdb.DuckDBPyConnection, agent: str) -> None:
    """Leave what is one agent's in tables that were made for nobody else."""
    for name in TABLES:
        others = "scope = 'agent' AND name <> $agent" if name == "stop" else "agent <> $agent"
        tables.execute(f"DELETE FROM {quoted(name)} WHERE {others}", {"agent": agent})


def asking(tables: duckdb.DuckDBPyConnection, period: Period, most: int) -> Ask:
    """How the queries of `numbers` are asked of a period: by name, each row a dictionary."""
    bound = {"since": period.since, "until": period.until, "zone": period.zone, "most": most}

    def ask(name: str) -> list[Row]:
        query = (_QUERIES / f"{name}.sql").read_text(encoding="utf-8")
        used = {key: value for key, value in bound.items() if f"${key}" in query}
        found = tables.execute(query, used)
        columns = [column[0] for column in found.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]

    decided = (_QUERIES / "decided.sql").read_text(encoding="utf-8")
    times = {"since": period.since, "until": period.until}
    tables.execute(f"CREATE OR REPLACE TEMP TABLE decided AS {decided}", times)
    return ask


def _agent(row: Row, cards: Mapping[str, AgentCard], grounds: Sequence[Row]) -> AgentReport:
    card = cards.get(row["agent"])
    said = {name: value for name, value in row.items() if name in Numbers.model_fields and value is not None}
    return AgentReport(
        agent=row["agent"],
        owner=card.owner if card else None,
        use_case=card.use_case if card else None,
        numbers=Numbers.model_validate(said),
        median_wait=row["median_wait"],
        longest_wait=row["longest_wait"],
        reasons=_by_verdict(grounds, "reason"),
        policies=_by_verdict(grounds, "policy"),
    )


def _by_verdict(grounds: Sequence[Row], kind: str) -> dict[str, tuple[Ground, ...]]:
    given = [row for row in grounds if row["kind"] == kind and row["name"]]
    return {
        verdict: tuple(Ground(name=row["name"], actions=row["actions"]) for row in given if row["verdict"] == verdict)
        for verdict in VERDICTS
    }


def _listed(row: Row) -> Listed:
    return Listed.model_validate({**_said(row), "trace": f"precede trace {row['action']}"})


def _said(row: Row) -> Row:
    """A row of a list that may be cut, without how long it is."""
    return {name: value for name, value in row.items() if name != "every"}


def _every(rows: Sequence[Row]) -> int:
    """How many rows there are of a list, of which some may be cut."""
    return int(rows[0]["every"]) if rows else 0


def _sum(numbers: Sequence[Numbers]) -> Numbers:
    return Numbers.model_validate({name: sum(getattr(one, name) for one in numbers) for name in Numbers.model_fields})
