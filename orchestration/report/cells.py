"""A report as tables of plain text, which a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from orchestration.report.model import Day, Incident, Listed, Numbers, Report, Stopped
from orchestration.report.words import plainly

_RUN: Final = frozenset("=+-@|%")
"""What a cell begins with, in any width, that some spreadsheet takes for a formula or a command."""


def tables(report: Report) -> dict[str, str]:
    """File name to content: agents, the reasons and policies of decisions, days, stops, incidents and actions."""
    numbers = tuple(Numbers.model_fields)
    return {
        "agents.csv": _written(
            ("agent", "owner", "use_case", *numbers, "median_wait", "longest_wait"),
            (
                {**one.model_dump(exclude={"numbers", "reasons", "policies"}), **one.numbers.model_dump()}
                for one in report.agents
            ),
        ),
        "grounds.csv": _written(
            ("agent", "verdict", "kind", "name", "actions"),
            (
                {"agent": one.agent, "verdict": verdict, "kind": kind, **ground.model_dump()}
                for one in report.agents
                for kind, given in (("reason", one.reasons), ("policy", one.policies))
                for verdict, grounds in given.items()
                for ground in grounds
            ),
        ),
        "days.csv": _written(tuple(Day.model_fields), (one.model_dump() for one in report.days)),
        "stops.csv": _written(tuple(Stopped.model_fields), (one.model_dump() for one in report.stops)),
        "incidents.csv": _written(tuple(Incident.model_fields), (one.model_dump() for one in report.incidents)),
        "actions.csv": _written(
            tuple(Listed.model_fields),
            (one.model_dump() for one in report.actions),
        ),
    }


def cell(value: object) -> str:
    """A value as the text of a cell; a text that a spreadsheet would run has an apostrophe before it."""
    if isinstance(value, str):
        said = plainly(value)
        return f"'{said}" if unicodedata.normalize("NFKC", said[:1]) in _RUN else said
    if isinstance(value, list | tuple):
        return cell(" ".join(map(str, value)))
    if isinstance(value, datetime | date):
        return value.isoformat()
    return "" if value is None else str(value)


def _written(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([cell(row[name]) for name in columns])
    return file.getvalue()
