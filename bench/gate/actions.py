"""Actions by the thousand, through all that an action goes through but Dagster and the tool; each part is timed.

Woken, answered, taken in, decided, performed, delivered: by what users run, a batch after the other.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic, process_time
from typing import Any, Final

from bench.gate.company import AGENT, Company
from orchestration.contracts import OutcomeState, Pin, Proposal, ProposalSet, SignedPermit, ToolResult, Verdict
from orchestration.errors import PrecedeError
from orchestration.gate.gate import Gate
from orchestration.gate.keys import CREDENTIAL, signing_key
from orchestration.gate.perform import Effect
from orchestration.gate.rules import load_rules
from orchestration.graph.current import open_current
from orchestration.ledger import lineage
from orchestration.store.engine import Store
from orchestration.work.exchange import Exchange
from orchestration.work.intake import take_in
from orchestration.work.outbox import deliver
from orchestration.work.triggers import run_triggers

_MINUTE: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)


@dataclass
class Part:
    """One part of the work on actions.

    Attributes:
        done: How many of them it was done to.
        seconds: How long it took.
        processor: How long it computed.
    """

    done: int = 0
    seconds: float = 0.0
    processor: float = 0.0

    @property
    def rate(self) -> float:
        """How many a second."""
        return self.done / self.seconds if self.seconds else 0.0

    @property
    def rate_of_processor(self) -> float:
        """How many a second of computing."""
        return self.done / self.processor if self.processor else 0.0

    @property
    def told(self) -> str:
        """What the rate was made of."""
        return f"{self.done:,} in {self.seconds:.1f} s, {self.processor:.1f} s of cpu"

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Time what is done inside."""
        begun, computed = monotonic(), process_time()
        yield
        self.seconds += monotonic() - begun
        self.processor += process_time() - computed


@dataclass
class Made:
    """What became of the actions.

    Attributes:
        decide: Their decisions: permits, evidence and ledger entries among it.
        perform: Using up permits for effects, without delivering them.
        deliver: Writing down what became of effects, without the tool's own time.
        verdicts: Verdict to decisions.
        reasons: Reason of those that were not allowed, to how many have it.
        now: The clock's time.
    """

    now: datetime
    decide: Part = field(default_factory=Part)
    perform: Part = field(default_factory=Part)
    deliver: Part = field(default_factory=Part)
    verdicts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)


class Done:
    """A tool server that does at once whatever it is told, and keeps nothing."""

    def call(
        self,
        tool_server: str,  # noqa: ARG002
        tool: str,  # noqa: ARG002
        arguments: Mapping[str, Any],  # noqa: ARG002
        effect_key: str,
        permit: SignedPermit,  # noqa: ARG002
    ) -> ToolResult:
        """Say that it is done."""
        return ToolResult(state=OutcomeState.DONE, reference=effect_key)


def make(company: Company, store: Store, actions: int, *, delivered: bool = True) -> Made:
    """As many actions, a batch after the other.

    Args:
        company: Whose they are.
        store: Where they are kept.
        actions: How many, at least.
        delivered: Whether their effects are delivered too.

    Raises:
        PrecedeError: There is not as much to do.
    """
    made = Made(now=company.published_at + _MINUTE)
    rules, exchange = load_rules(company.settings), Exchange(company.settings.exchange)
    key = signing_key(company.settings.keys, CREDENTIAL)
    business_date = company.published_at.date()
    with Gate(store, company.settings, rules, holds=_held(company)) as gate:
        while made.decide.done < actions:
            business_date += _DAY
            made.now += _MINUTE
            with open_current(store, company.settings) as graph:
                [wake] = run_triggers(
                    store,
                    exchange,
                    graph,
                    {AGENT: rules.agents[AGENT]},
                    business_date=business_date,
                    now=made.now,
                    pin=company.pin,
                    key=key,
                )
            if wake.batch is None:
                raise PrecedeError(f"No more to do after {made.decide.done:,} actions: {wake.state}. {wake.detail}")
            _answer(exchange, wake.batch.batch_id)
            take_in(store, exchange, key.public_key(), now=made.now)
            _work(gate, store, wake.batch.batch_id, made, delivered=delivered)
    return made


def _work(gate: Gate, store: Store, batch_id: str, made: Made, *, delivered: bool) -> None:
    with one_core():
        with made.decide.timed():
            decisions = gate.decide(batch_id, made.now)
        with made.perform.timed():
            effects = gate.perform_batch(batch_id, made.now)
    made.decide.done += len(decisions)
    made.perform.done += sum(isinstance(effect, Effect) for effect in effects)
    for decision in decisions:
        made.verdicts[decision.verdict.value] += 1
        if decision.verdict is not Verdict.ALLOW:
            made.reasons.update({reason.code for reason in decision.reasons})
    if delivered:
        with made.deliver.timed():
            made.deliver.done += len(deliver(store, Done(), lambda: made.now, batch_id=batch_id))


@contextmanager
def one_core() -> Iterator[None]:
    """Compute on one core alone, where the system lets that be said."""
    mine = os.sched_getaffinity(0)
    with suppress(OSError):
        os.sched_setaffinity(0, {max(mine)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, mine)


def _held(company: Company) -> Callable[[Pin], bool]:
    def holds(pin: Pin) -> bool:
        with lineage.instance_at(company.settings.dagster_home) as instance:
            return instance is not None and lineage.check_pin(instance, pin) is None

    return holds


def _answer(exchange: Exchange, batch_id: str) -> None:
    batch = exchange.read_batch(AGENT, batch_id)
    proposals = tuple(
        Proposal(
            row_id=row.row_id,
            action_type="send_payment_reminder",
            arguments={
                "organisation": row.entity_id,
                "invoice": str(row.values["invoice"]),
                "person": str(row.values["person"]),
                "mailbox": str(row.values["mailbox"]),
                "stage": int(row.values["stage"] or 0),
            },
            rationale=f"It is overdue, and stage {row.values['stage']} was not reached.",
        )
        for row in batch.rows
    )
    token = exchange.read_credential(AGENT, batch_id)
    exchange.answer(ProposalSet(batch_id=batch_id, agent=AGENT, proposals=proposals, credential=token))
