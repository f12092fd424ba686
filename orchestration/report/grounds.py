"""What a report rests on: the ledger and whether it verifies, who answers for agents, and what is missing.

A report whose record does not verify is still made, and says so before anything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, exists, func, select

from orchestration.errors import ConfigurationError
from orchestration.registry import AgentCard, load_agents
from orchestration.report.gather import basis as ledger_head
from orchestration.report.model import Basis, Missing
from orchestration.report.period import Period
from orchestration.settings import Settings
from orchestration.store import tables

if TYPE_CHECKING:
    from orchestration.ledger.verify import Verification

MOST_PROBLEMS: Final = 10


def cards(settings: Settings) -> Mapping[str, AgentCard]:
    """The cards of the agents as they are now; none where their folder cannot be read, of which the report says so."""
    try:
        return {name: agent.card for name, agent in load_agents(settings.agents).items()}
    except (ConfigurationError, OSError):
        return {}


def basis(connection: Connection, period: Period, found: Verification | None, now: datetime) -> Basis:
    """What a report rests on.

    Args:
        connection: On the store, in the transaction that the audit tables are made in.
        period: The period of the report.
        found: What verification found; none where it was not asked.
        now: The time.
    """
    head = ledger_head(connection, now)
    said = Basis(
        made_at=now,
        snapshot=head["snapshot"],
        entries=head["entries"],
        head=head["head"],
        verified=None if found is None else found.ok,
        missing=tuple(_missing(connection, period, now)),
    )
    if found is None:
        return said
    return said.model_copy(
        update={
            "problems": found.problems[:MOST_PROBLEMS],
            "problem_count": len(found.problems),
            "lineage": found.lineage,
            "signed_entries": found.covered,
            "signed_at": found.signed_at,
        }
    )


def _missing(connection: Connection, period: Period, now: datetime) -> Iterator[Missing]:
    if period.until > now:
        yield Missing(what="rest_of_the_period", number=1, says="The period is not over yet.")
    decision, evidence, proposal, erasure = (
        tables.decision,
        tables.evidence,
        tables.proposal,
        tables.erasure,
    )
    within = (decision.c.decided_at >= period.since, decision.c.decided_at < period.until)
    gone = ~exists().where(evidence.c.action == decision.c.action)
    lost = connection.execute(select(func.count(decision.c.action.distinct())).where(*within, gone)).scalar_one()
    if lost:
        yield Missing(
            what="evidence",
            number=lost,
            says=f"Actions without the evidence that they rested on: {lost:,}; its time was over, or it was erased.",
        )
    asked = exists().where(decision.c.action == proposal.c.action)
    undecided = select(func.count()).where(
        proposal.c.proposed_at >= period.since, proposal.c.proposed_at < period.until, ~asked
    )
    if number := connection.execute(undecided.select_from(proposal)).scalar_one():
        yield Missing(what="decisions", number=number, says=f"{number:,} proposals of the period are not decided yet.")
    if number := connection.execute(select(func.count()).select_from(erasure)).scalar_one():
        yield Missing(
            what="erased_people",
            number=number,
            says=f"People who were erased: {number:,}; what they were sent counts here, and cannot be walked back.",
        )
