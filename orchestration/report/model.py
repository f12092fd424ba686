"""What a report says: the one form from which the table, the JSON and the page are made."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from orchestration.contracts import Contract

VERDICTS: Final = {"allow": "allowed", "review": "sent to review", "deny": "denied"}


class Ground(Contract):
    """For how many actions a reason or a policy was given."""

    name: str
    actions: int


class Numbers(Contract):
    """What happened in the period: of one agent, or of all of them together."""

    wakes: int = 0
    shown: int = 0
    """Rows that the agent was woken for."""
    declined: int = 0
    """Rows that it proposed nothing for."""
    left_to_people: int = 0
    """Rows of which it said that a person must look."""
    refused: int = 0
    """Rows whose answer was malformed."""
    unanswered: int = 0
    """Wakes that wait for an answer."""
    steps: int = 0
    """Handoffs from one step to the next."""
    retried: int = 0
    failed_steps: int = 0
    proposals: int = 0
    undecided: int = 0
    """Proposals of the period that the gate has not been asked about."""
    allowed: int = 0
    reviewed: int = 0
    """Actions whose last decision in the period holds them for a person."""
    denied: int = 0
    held: int = 0
    """Actions that were sent to review in the period, whatever came of it."""
    approved: int = 0
    edited: int = 0
    rejected: int = 0
    fell_away: int = 0
    """Waits that ended without a person's answer, since it was decided anew."""
    voided: int = 0
    """Approvals that something took away before they were used."""
    waiting: int = 0
    """Actions that still waited for a person at the end of the period."""
    effects: int = 0
    done: int = 0
    failed: int = 0
    unknown: int = 0
    under_way: int = 0
    confirmed: int = 0
    """Effects that a later graph showed in their system."""
    undone: int = 0
    """Effects that were taken back in the period, whenever they were meant."""
    tainted: int = 0
    """Effects whose entity is judged otherwise by now."""
    incidents: int = 0
    """Rows of Precede's account that its effects do not account for; in the total also those of nobody's effect."""
    stops: int = 0
    """Of the agent, or of all; in the total also those of action types, each once."""
    stopped_seconds: float = 0.0
    """For how long, within the period."""


class AgentReport(Contract):
    """One agent in the period."""

    agent: str
    owner: str | None
    """Who answers for it by its card; none where there is no card any more."""
    use_case: str | None
    numbers: Numbers
    median_wait: float | None
    """Seconds that a person's answer took; none where nobody answered."""
    longest_wait: float | None
    reasons: dict[str, tuple[Ground, ...]]
    """Verdict to the reasons given for it, the commonest first; an action may have several."""
    policies: dict[str, tuple[Ground, ...]]
    """Verdict to the policies that decided so."""


class Day(Contract):
    """One day of the period in its zone."""

    day: date
    allowed: int = 0
    reviewed: int = 0
    denied: int = 0
    effects: int = 0


class Stopped(Contract):
    """One stop of an agent, of an action type, or of everything."""

    scope: str
    name: str
    stopped_at: datetime
    started_at: datetime | None
    person: str
    proven: bool | None
    """Whether nothing of it ran or was delivered any more; none where nobody looked."""
    looked_at: datetime | None
    """When that was looked at last."""
    stood_still_after: float | None
    """Seconds after the stop until that was seen, or was no longer waited for."""


class Incident(Contract):
    """One way in which a row that Precede's account wrote is not accounted for."""

    record_id: str
    how: str
    """`no_entry`, `never_sent`, `said_failed` or `doubled`."""
    action: str | None
    """Whose effect the row says that it is; none where no effect of that key was ever meant."""
    agent: str | None
    found_at: datetime


class Listed(Contract):
    """One action, with how to walk it back."""

    action: str
    agent: str
    action_type: str
    entity_id: str
    name: str | None = None
    """What the current graph calls the entity, where names were asked for."""
    last_at: datetime
    """When something happened to it last, of what counts here."""
    verdict: str | None
    answer: str | None = None
    """What came of its last wait for a person: `waiting`, `approve`, `edit`, `reject` or `over`; none: none waited."""
    reasons: tuple[str, ...]
    policies: tuple[str, ...]
    outcome: str | None
    undone: bool
    tainted: tuple[str, ...]
    trace: str
    """The command that walks it back to its source rows."""


class Missing(Contract):
    """Something that the numbers cannot tell of."""

    what: str
    number: int
    says: str


class Basis(Contract):
    """What a report rests on."""

    made_at: datetime
    snapshot: str | None
    """The graph that was current."""
    entries: int
    """Of the ledger, up to which the report tells."""
    head: str
    verified: bool | None
    """Whether `precede ledger verify` found nothing wrong; none where it was not asked."""
    problems: tuple[str, ...] = ()
    """The first that it found."""
    problem_count: int = 0
    lineage: bool = False
    """Whether Dagster's event log was there to compare with."""
    signed_entries: int = 0
    """Up to this one a checkpoint says that this is the ledger that it was."""
    signed_at: datetime | None = None
    missing: tuple[Missing, ...] = ()


class Report(Contract):
    """What the agents did in a period."""

    since: datetime
    until: datetime
    zone: str
    period: str
    basis: Basis
    total: Numbers
    agents: tuple[AgentReport, ...]
    days: tuple[Day, ...]
    stops: tuple[Stopped, ...]
    incidents: tuple[Incident, ...]
    """The latest, as many as actions of an agent were asked for; the total says how many there are."""
    actions: tuple[Listed, ...]
    """Of each agent as many as were asked for, those that somebody should look at among them."""
    actions_left_out: int
