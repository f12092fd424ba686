"""From answers to effects, for one agent: take in, decide, perform, deliver, and close the ledger over it.

Every step begins where the last run ended, so that a run that was killed anywhere is finished by the next one. What a
step means is said in its own module; this one only puts them in order.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import exists, or_, select, update

from orchestration.approval import queue
from orchestration.contracts import Pin
from orchestration.gate.gate import Gate
from orchestration.gate.keys import CREDENTIAL, signing_key
from orchestration.gate.rules import Rules, load_rules
from orchestration.gate.stopping import stopped
from orchestration.ledger import entries
from orchestration.ledger.entries import LedgerRange
from orchestration.settings import Settings
from orchestration.store import tables
from orchestration.store.engine import Store
from orchestration.store.presence import at_work, present
from orchestration.work.batch_report import BatchReport, report
from orchestration.work.due import UNFINISHED
from orchestration.work.exchange import Exchange
from orchestration.work.intake import take_in
from orchestration.work.outbox import Delivery, deliver
from orchestration.work.tools import Caller, ToolSession, load_servers, sent_once

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ActReport:
    """What a run came to for one agent.

    Attributes:
        agent: The agent's name.
        answers: Answers taken in, of every agent: they share the exchange.
        recovered: Effects of earlier runs that were settled by this one.
        batches: The batches that were worked on, oldest first; each is to be closed with `close_batch`.
    """

    agent: str
    answers: int
    recovered: tuple[Delivery, ...]
    batches: tuple[BatchReport, ...]


def act(  # noqa: PLR0913  each is a part of the world that is handed in
    store: Store,
    settings: Settings,
    agent: str,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    progress: Progress = lambda _: None,
    tools: Caller | None = None,
    once: Collection[tuple[str, str]] = frozenset(),
    rules: Rules | None = None,
    holds: Callable[[Pin], bool],
) -> ActReport:
    """Do all that waits to be done for one agent. Safe to run again, and beside another run.

    Args:
        store: The coordinator's store.
        settings: Where rules, key, graphs, exchange and tool servers are.
        agent: The agent's name.
        clock: The time, with its zone.
        progress: Is told a line after each step.
        tools: What calls the tools; the servers that the settings name, where it is not given.
        once: Server and name of each of those tools that is never called again; as the servers say, where no tools are
            given.
        rules: The rules, where they were read already.
        holds: Whether the event log still has the materialisation that a pin names.

    Raises:
        PrecedeError: A rule, the key or a tool server cannot be used. What was done until then stands.
    """
    rules = rules or load_rules(settings)
    key = signing_key(settings.keys, CREDENTIAL).public_key()
    answers = take_in(store, Exchange(settings.exchange), key, now=clock())
    progress(f"took {len(answers)} answers in")
    with ExitStack() as stack:
        stack.enter_context(present(store, at_work(agent)))  # until the tool servers have ended too
        if _stopped(store, agent):
            progress(f"{agent} is stopped: nothing is decided or delivered")
            return ActReport(agent, len(answers), (), ())
        if tools is None:
            servers = load_servers(settings.tools)
            tools, once = stack.enter_context(ToolSession(servers, settings, os.environ)), sent_once(servers)
        gate = stack.enter_context(Gate(store, settings, rules, holds=holds))
        recovered = deliver(store, tools, clock, agent=agent, once=once)
        if recovered:
            progress(f"settled {len(recovered)} effects of earlier runs")
        looked = gate.recheck(agent, clock())
        if looked.decisions:
            progress(f"looked at {looked.held} in review, decided {len(looked.decisions)} of them again")
        reports = []
        again = [decision.action for decision in looked.decisions]
        for batch_id in _unfinished(store, agent, again):
            if _stopped(store, agent):
                progress(f"{agent} was stopped: nothing more is decided or delivered")
                break
            decisions = gate.decide(batch_id, clock())
            progress(f"{batch_id}: decided {len(decisions)} proposals")
            _decided(store, batch_id)
            effects = gate.perform_batch(batch_id, clock())
            progress(f"{batch_id}: {len(effects)} permits used or refused")
            deliveries = deliver(store, tools, clock, batch_id=batch_id, once=once)
            progress(f"{batch_id}: delivered {len(deliveries)} effects")
            reports.append(report(store, batch_id))
    return ActReport(agent, len(answers), tuple(recovered), tuple(reports))


def close_batch(store: Store, batch_id: str, pin: Pin | None, covered: LedgerRange | None, now: datetime) -> int | None:
    """Close a batch, with the materialisation of `effects/<agent>` that tells of it.

    Args:
        store: The coordinator's store.
        batch_id: Its id; one that is closed already stays as it is.
        pin: The materialisation, found again in the event log; none for a batch of which there is nothing to tell.
        covered: The ledger's entries that the materialisation names.
        now: When it is closed.

    Returns:
        The number of the ledger's closing entry, if one was made.
    """
    batch = tables.batch
    with store.begin() as connection:
        closed = connection.execute(
            update(batch)
            .where(batch.c.batch_id == batch_id, batch.c.state.in_(UNFINISHED))
            .values(state="closed", effects_pin=None if pin is None else pin.model_dump(mode="json"))
        )
        if not closed.rowcount or pin is None or covered is None:
            return None
        return entries.batch_closed(connection, [batch_id], pin, covered, at=now)


def _stopped(store: Store, agent: str) -> bool:
    with store.read() as connection:
        return stopped(connection).agent(agent)


def _unfinished(store: Store, agent: str, again: Sequence[str]) -> list[str]:
    """An agent's batches that are not closed, and those of what was edited, approved or decided again since."""
    batch, proposal = tables.batch, tables.proposal
    decided = exists().where(tables.decision.c.action == proposal.c.action)
    waits = or_(~decided, queue.waits_for_its_effect(), proposal.c.action.in_(again))
    later = select(proposal.c.batch_id).where(proposal.c.agent == agent, waits)
    whose = or_(batch.c.state.in_(UNFINISHED), batch.c.batch_id.in_(later))
    query = select(batch.c.batch_id).where(batch.c.agent == agent, whose)
    with store.read() as connection:
        return list(connection.execute(query.order_by(batch.c.created_at, batch.c.batch_id)).scalars())


def _decided(store: Store, batch_id: str) -> None:
    batch = tables.batch
    answered = update(batch).where(batch.c.batch_id == batch_id, batch.c.state == "answered")
    with store.begin() as connection:
        connection.execute(answered.values(state="decided"))
