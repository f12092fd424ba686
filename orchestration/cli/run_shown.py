"""What `precede run` tells a person at its end: tables, plain words, and what to try next."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from orchestration.cli.reading import headed, indented, spoken
from orchestration.cli.summary import Summary

MOST = 6
"""Lines of a list before the rest is counted together."""


def show(summary: Summary, console: Console, *, performed_now: int, link: Path, example: str | None) -> None:
    """Print a summary.

    Args:
        summary: The numbers.
        console: Where to.
        performed_now: How many effects this run had.
        link: The name under which the current graph can always be opened.
        example: An entity's name to look for in the commands to try, where there is one.
    """
    parts = (
        ("What was read", _sources(summary)),
        ("What it is about", _entities(summary)),
        ("What lacks standing, and why", _reasons(summary)),
        ("Where systems disagree", _counted(summary.conflicts, ("entity", "entities"), "No conflicts.")),
        ("What could not be used", _counted(summary.quarantine, ("row", "rows"), "Every row could be used.")),
        ("What agents proposed", _actions(summary, performed_now)),
        ("What to try next", _next_steps(link, example)),
    )
    for title, body in parts:
        console.print(headed(title, body), soft_wrap=True)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right")
    return table


def _sources(summary: Summary) -> RenderableType:
    table = _table("system", "rows", "records", "facts", "supporting rows", "quarantined")
    for system, counts in summary.sources.items():
        numbers = (counts.rows, counts.records, counts.facts, counts.supporting, counts.quarantined)
        table.add_row(system, *(f"{number:,}" for number in numbers))
    return table


def _entities(summary: Summary) -> RenderableType:
    records = sum(counts.records for counts in summary.sources.values())
    entities = sum(summary.entities.values())
    table = _table("type", "entities", "have standing", "share")
    for entity_type, number in summary.entities.items():
        standing = summary.standing[entity_type]
        table.add_row(entity_type, f"{number:,}", f"{standing:,}", f"{standing / number:.0%}" if number else "")
    return Group(
        Text(f"{records:,} records stand for {entities:,} entities. An agent may act only where"),
        Text("an entity has standing: it is reconciled, without doubt or disagreement."),
        table,
    )


def _reasons(summary: Summary) -> RenderableType:
    table = _table("reason", *summary.reasons)
    found = {reason for reasons in summary.reasons.values() for reason in reasons}
    for reason in sorted(found, key=lambda name: -sum(reasons.get(name, 0) for reasons in summary.reasons.values())):
        table.add_row(spoken(reason), *(f"{reasons.get(reason, 0):,}" for reasons in summary.reasons.values()))
    return table if found else Text("Every entity has standing.")


def _counted(counts: Mapping[str, int], of: tuple[str, str], none: str) -> RenderableType:
    if not counts:
        return Text(none)
    table = _table("", of[1])
    table.show_header = False
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    for name, number in ordered[:MOST]:
        table.add_row(spoken(name), f"{number:,}")
    if rest := ordered[MOST:]:
        table.add_row(f"{len(rest)} other kinds", f"{sum(number for _, number in rest):,}")
    total = sum(counts.values())
    return Group(Text(f"{total:,} {of[total != 1]}"), table)


def _actions(summary: Summary, performed_now: int) -> RenderableType:
    actions = summary.actions
    lines: list[RenderableType] = [
        *(Text(f"{what} is stopped: {why}", style="yellow") for what, why in summary.stopped.items()),
        Text(f"{actions.performed:,} performed in all, {performed_now:,} of them in this run"),
        Text(f"{actions.review:,} in review" + (": `precede review list` shows them" if actions.review else "")),
        *_because(actions.review_reasons),
        Text(f"{actions.denied:,} denied, some for more than one reason"),
        *_because(actions.denied_reasons),
    ]
    if actions.answered:
        lines.append(Text(f"{actions.answered:,} in review before and not any more: rejected, edited, or void since"))
    if actions.unsettled:
        lines.append(Text(f"{actions.unsettled:,} allowed whose outcome is not known to be done"))
    if actions.unproposed:
        lines.append(Text(f"{sum(actions.unproposed.values()):,} times an agent woke and proposed nothing"))
        lines += _because(actions.unproposed)
    return Group(*lines)


def _because(reasons: Mapping[str, int]) -> list[RenderableType]:
    if not reasons:
        return []
    table = _table("", "")
    table.show_header = False
    for name, number in reasons.items():
        table.add_row(spoken(name), f"{number:,}")
    return [indented(table)]


def _next_steps(link: Path, example: str | None) -> RenderableType:
    name = example or "TEXT"
    commands = (
        (f"precede find {shlex.quote(name)}", "look an entity up"),
        ("precede actions", "every action, its decision and its reasons"),
        ("precede trace ACTION", "from an effect back to its source rows"),
        ("precede ledger verify", "prove that nobody edited the record"),
        ("precede ui", "the same in Dagster, with schedule and sensors on"),
    )
    width = max(len(command) for command, _ in commands)
    lines = [f".venv/bin/{command:{width}}   {says}" for command, says in commands]
    return Text("\n".join([*lines, f"Any DuckDB client opens the graph, read-only: {link}"]))
