"""How a terminal shows a report: the same numbers as the page, without its pictures."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from orchestration.cli.reading import headed, table
from orchestration.report.model import VERDICTS, AgentReport, Basis, Report
from orchestration.report.page_words import (
    COLUMNS,
    about_incident,
    answer,
    facts,
    outcome,
    rests_on,
    stood_still,
    stopped_what,
)
from orchestration.report.words import moment, plainly, spoken

MOST = 6
"""Reasons of a kind that are listed."""


def show(report: Report, console: Console) -> None:
    """Print a report."""
    console.print(Text(f"What the agents did {report.period}"), soft_wrap=True)
    console.print(_verdict(report.basis), soft_wrap=True)
    console.print(headed("By agent", _agents(report)))
    for agent in report.agents:
        console.print(headed(plainly(agent.agent), _agent(agent)))
    console.print(headed("Stops", _stops(report)))
    console.print(headed("Incidents", _incidents(report)))
    console.print(headed("Walk back", _actions(report)), soft_wrap=True)
    console.print(headed("What this rests on", _basis(report)), soft_wrap=True)


def _verdict(basis: Basis) -> Text:
    if basis.verified is None:
        return Text("Not verified: nobody asked whether the record is what was written.", style="yellow")
    if basis.verified:
        return Text(f"The record verifies: {basis.entries:,} entries are as they were written.", style="green")
    says = f"The record does not verify, so these numbers prove nothing: {basis.problem_count:,} problems."
    return Text("\n".join([says, *(f"  {plainly(problem)}" for problem in basis.problems)]), style="red")


def _agents(report: Report) -> RenderableType:
    if not report.agents:
        return Text("No agent was woken, and nothing was proposed, decided or done. --since names another period.")
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("agent", *(name for name, _ in COLUMNS)):
        shown.add_column(name, justify="left" if name == "agent" else "right")
    rows = [(plainly(one.agent), one.numbers) for one in report.agents]
    for name, numbers in [*rows, ("all", report.total)] if len(rows) > 1 else rows:
        shown.add_row(name, *(f"{getattr(numbers, key):,}" for _, key in COLUMNS))
    return shown


def _agent(agent: AgentReport) -> RenderableType:
    shown = table("", "")
    shown.show_header = False
    shown.add_row("owner", plainly(agent.owner or "nobody: it has no card any more"))
    if agent.use_case:
        shown.add_row("use case", plainly(agent.use_case))
    for name, says in facts(agent):
        shown.add_row(name, says)
    for verdict, called in VERDICTS.items():
        if verdict != "allow" and agent.reasons[verdict]:
            shown.add_row(f"why {called}", "\n".join(_grounds(agent, verdict)))
    return shown


def _grounds(agent: AgentReport, verdict: str) -> Iterator[str]:
    for ground in agent.reasons[verdict][:MOST]:
        yield f"{ground.actions:,} {spoken(plainly(ground.name))}"
    if rest := len(agent.reasons[verdict]) - MOST:
        yield from [f"and {rest} other reasons"] if rest > 0 else []
    if policies := agent.policies[verdict][:MOST]:
        yield "by " + ", ".join(f"{plainly(one.name)} ({one.actions:,})" for one in policies)


def _stops(report: Report) -> RenderableType:
    if not report.stops:
        return Text("Nothing was stopped.")
    shown = table("what", "stopped", "went on", "stopped by", "stood still")
    for stop in report.stops:
        went_on = moment(stop.started_at, report.zone) or "not yet"
        what, stopped = plainly(stopped_what(stop)), moment(stop.stopped_at, report.zone)
        shown.add_row(what, stopped, went_on, plainly(stop.person), stood_still(stop, report.zone))
    return shown


def _incidents(report: Report) -> RenderableType:
    if not report.incidents:
        return Text("None was found.")
    shown = table("row", "found", "what is wrong", "whose")
    for one in report.incidents:
        whose = f"{plainly(one.agent or '')} {one.action}" if one.action else "nobody's"
        shown.add_row(plainly(one.record_id), moment(one.found_at, report.zone), about_incident(one), whose)
    rest = report.total.incidents - len(report.incidents)
    return Group(shown, Text(f"and {rest:,} more")) if rest else shown


def _actions(report: Report) -> RenderableType:
    if not report.actions:
        return Text("There is no action to walk back.")
    named = any(one.name for one in report.actions)
    shown = table("command", "what", "about", "became", whole=("command",) if named else ("command", "about"))
    for one in report.actions:
        about = f'"{plainly(one.name)}"' if one.name else one.entity_id
        became = ", ".join(filter(None, [one.verdict or "", answer(one), outcome(one)]))
        shown.add_row(one.trace, spoken(one.action_type), about, became)
    rest = f"and {report.actions_left_out:,} more; --actions lists more of each agent"
    return Group(shown, Text(rest)) if report.actions_left_out else shown


def _basis(report: Report) -> RenderableType:
    shown = table("", "")
    shown.show_header = False
    for name, says in rests_on(report):
        shown.add_row(name, says)
    for one in report.basis.missing:
        shown.add_row("missing", one.says)
    return shown
