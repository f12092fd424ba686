"""The sentences that the page and the terminal share: what became of an agent's work, and what a report rests on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from orchestration.report.model import AgentReport, Incident, Listed, Numbers, Report, Stopped
from orchestration.report.words import lasting, moment, spoken

COLUMNS: Final = (
    ("proposals", "proposals"),
    ("allowed", "allowed"),
    ("in review", "reviewed"),
    ("denied", "denied"),
    ("done", "done"),
    ("failed", "failed"),
    ("unknown", "unknown"),
    ("undone", "undone"),
    ("tainted", "tainted"),
    ("sent to review", "held"),
    ("stops", "stops"),
)
"""What a column of the table of agents is called, and which of the numbers it shows."""


def rests_on(report: Report) -> Iterator[tuple[str, str]]:
    """What a report is made of, a name and a sentence each."""
    basis = report.basis
    yield "made", _at(basis.made_at, report)
    yield "ledger", f"up to entry {basis.entries:,}, hash {basis.head or 'none'}"
    if basis.signed_entries and basis.signed_at:
        yield "signed", f"up to entry {basis.signed_entries:,}, by the checkpoint of {_at(basis.signed_at, report)}"
    elif basis.verified is not None:
        yield "signed", "no checkpoint says that this is the ledger that it was"
    yield "graph", basis.snapshot or "none was published"
    yield "period", report.period


_ANSWERS: Final = {
    "approve": "approved",
    "edit": "edited",
    "reject": "rejected",
    "over": "fell away",
    "waiting": "in review",
}


def answer(action: Listed) -> str:
    """What a person said of an action that was sent to review; nothing where none was."""
    return "" if action.answer is None else _ANSWERS.get(action.answer, spoken(action.answer))


def outcome(action: Listed) -> str:
    """What became of an action's effect, in words."""
    said = [] if action.outcome is None else [spoken(action.outcome)]
    said += ["undone"] if action.undone else []
    return ", ".join([*said, *(f"its entity was since {how}" for how in action.tainted)])


def stopped_what(stop: Stopped) -> str:
    """What was stopped, in words."""
    return {"all": "everything", "action_type": f"actions of type {spoken(stop.name)}"}.get(stop.scope, stop.name)


def stood_still(stop: Stopped, zone: str) -> str:
    """Whether it was seen that nothing of it ran any more, how soon, and when that was."""
    if stop.proven is None:
        return "nobody looked"
    how = "proven after" if stop.proven else "not proven within"
    seen = moment(stop.looked_at, zone)
    return f"{how} {lasting(stop.stood_still_after)}" + (f", at {seen}" if seen else "")


_INCIDENTS: Final = {
    "no_entry": "no entry of the ledger has its key",
    "never_sent": "the ledger says that it was not sent yet",
    "said_failed": "the ledger says that it did not happen",
    "doubled": "another row has the same key",
}


def about_incident(incident: Incident) -> str:
    """What is wrong with a row that Precede's account wrote."""
    return _INCIDENTS.get(incident.how, spoken(incident.how))


def facts(agent: AgentReport) -> Iterator[tuple[str, str]]:
    """What an agent did, a name and a sentence each."""
    numbers = agent.numbers
    woken = f"{_times(numbers.wakes)}, for {numbers.shown:,} rows"
    rest = [
        f"{value:,} {says}"
        for value, says in (
            (numbers.declined, "declined"),
            (numbers.left_to_people, "left to a person"),
            (numbers.refused, "malformed"),
        )
        if value
    ]
    yield "woken", ", ".join([woken, *rest])
    yield "decided", f"{numbers.allowed:,} allowed, {numbers.reviewed:,} in review, {numbers.denied:,} denied"
    yield "effects", _listed(numbers, "effects", ("done", "failed", "unknown", "under_way", "confirmed", "tainted"))
    yield "undone", f"{numbers.undone:,}"
    people = _listed(numbers, "held", ("approved", "edited", "rejected", "fell_away", "voided", "waiting"))
    waited = f"; an answer took {lasting(agent.median_wait)} (median), {lasting(agent.longest_wait)} at most"
    yield "people", people + (waited if agent.median_wait is not None else "")
    if numbers.steps:
        yield "handoffs", _listed(numbers, "steps", ("retried", "failed_steps"))
    if numbers.incidents:
        yield "incidents", f"{numbers.incidents:,}"
    if numbers.stops or numbers.stopped_seconds:
        yield "stopped", f"{_times(numbers.stops)}, for {lasting(numbers.stopped_seconds)} of the period"


def _listed(numbers: Numbers, whole: str, parts: tuple[str, ...]) -> str:
    said = [
        f"{getattr(numbers, name):,} {_ANSWERS.get(name, spoken(name))}" for name in parts if getattr(numbers, name)
    ]
    return f"{getattr(numbers, whole):,}" + (f": {', '.join(said)}" if said else "")


def _at(at: datetime, report: Report) -> str:
    return f"{moment(at, report.zone)} ({report.zone})"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"
