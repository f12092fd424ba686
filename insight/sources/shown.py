"""What a look at sources showed, as a person reads it."""

from __future__ import annotations

from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from insight.sources.check import Report
from orchestration.cli.reading import headed, spoken, table

_MOST: Final = 25
_WIDE: Final = 36


def render(report: Report, sample: int | None) -> RenderableType:
    """A report from what was read to what to do about it.

    Args:
        report: The report.
        sample: How many rows of each `.sql` were taken; None where all were.
    """
    of = "every row" if sample is None else f"up to {sample:,} rows of each .sql"
    parts = [
        headed("What was read", _tables(report)),
        headed(f"What conforms, of {of}", _shapes(report)),
        headed("What would be quarantined, and why", _findings(report, "quarantined", "Nothing.")),
        headed("What records would be kept without", _findings(report, "noted", "Nothing.")),
    ]
    if silent := [one for one in report.tables if one.unaccounted]:
        lines = [Text(f"{one.unaccounted:,} rows of {one.system}/{one.table}", style="red") for one in silent]
        advice = (
            "Make a record or fact of them, say what they complete (supported_by), name them in supporting.sql or "
            "reject.sql, or take the table out."
        )
        parts.append(headed("Rows that no .sql speaks for: nothing would be published", Group(*lines, Text(advice))))
    if report.warnings:
        parts.append(headed("Warnings", Group(*(Text(one, style="yellow") for one in report.warnings))))
    return Group(*parts)


def _tables(report: Report) -> RenderableType:
    shown = table("system", "table", "rows", "deleted there", "without a key of their own")
    for one in report.tables:
        shown.add_row(one.system, one.table, *(_number(count) for count in (one.rows, one.deleted, one.keyless)))
    return shown


def _shapes(report: Report) -> RenderableType:
    shown = table("system", "becomes", "conform", "quarantined", "values left out")
    for one in report.shapes:
        numbers = (one.conform, one.quarantined, one.noted)
        shown.add_row(one.system, spoken(one.shape), *(_number(count) for count in numbers))
    return shown


def _findings(report: Report, what: str, none: str) -> RenderableType:
    found = [one for one in report.findings if one.what == what]
    if not found:
        return Text(none)
    shown = table("system", "of", "reason", "times", "for example", "in")
    for one in found[:_MOST]:
        example = one.example if len(one.example or "") <= _WIDE else f"{one.example[:_WIDE]}..."
        of = "" if one.shape == "any" else spoken(one.shape)
        shown.add_row(one.system, of, one.reason, f"{one.count:,}", example, one.record_id)
    rest = Text(f"and {len(found) - _MOST:,} more kinds; --json has them all", style="dim")
    return Group(shown, rest) if len(found) > _MOST else shown


def _number(count: int) -> str:
    return f"{count:,}" if count else ""
