"""One measurement: actions made, one walked back, all verified, and a run of Dagster's beside them."""

from __future__ import annotations

import os
import random
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Final

from sqlalchemy import select

from bench.gate.actions import Made, Part, make
from bench.gate.company import Company, copied
from bench.watch import watch
from orchestration.errors import PrecedeError
from orchestration.ledger import lineage
from orchestration.ledger.signing import make as sign_head
from orchestration.ledger.trace import trace
from orchestration.ledger.verify import verify
from orchestration.store.engine import Store
from orchestration.store.tables import proposal
from orchestration.work.environment import location_environment

TRACES: Final = 50
RUNS: Final = 3


@dataclass(frozen=True)
class Kept:
    """What the ledger of those actions takes.

    Attributes:
        actions: How many there are.
        entries: How many entries.
        traces: How many actions were walked back.
        slowest_trace: Seconds that the slowest of them took.
        usual_trace: Seconds that half of them took at most.
        first: Verifying everything, each permit's signature among it, before a checkpoint was signed.
        verify: Verifying everything after that, when a checkpoint says of which permits that was done.
    """

    actions: int
    entries: int
    traces: int
    slowest_trace: float
    usual_trace: float
    first: Part
    verify: Part


@dataclass(frozen=True)
class Measured:
    """Everything.

    Attributes:
        company: Whom it was measured on.
        made: The actions, and what it took to make them.
        kept: What their ledger takes.
        run_seconds: Half of the runs of Dagster's took at most so long.
        beside: The same actions, fewer of them, in another database; none where none was named.
    """

    company: Company
    made: Made
    kept: Kept
    run_seconds: float
    beside: Made | None = None

    @property
    def ratio(self) -> float:
        """How many times faster an action is in a batch than in a run of its own."""
        made = self.made
        parts = [part.seconds / part.done for part in (made.decide, made.perform) if part.done]
        return self.run_seconds / sum(parts)


def measure(company: Company, folder: Path, actions: int, postgres: str | None = None) -> Measured:
    """Make actions and measure what they take.

    Args:
        company: Whose they are.
        folder: Where the store is made.
        actions: How many, at least.
        postgres: An empty Postgres database to make a tenth of them in too.

    Raises:
        PrecedeError: Something failed, or the ledger does not hold.
    """
    beside = None
    if postgres is not None:
        beside = make(company, _fresh(company, postgres), max(actions // 10, 1))
    file = folder / "actions.db"
    for path in (file, Path(f"{file}-wal"), Path(f"{file}-shm")):
        path.unlink(missing_ok=True)
    store = _fresh(company, f"sqlite:///{file}")
    made = make(company, store, actions)
    kept = _kept(company, store)
    store.close()
    return Measured(company, made, kept, _run(company, folder), beside)


def _fresh(company: Company, url: str) -> Store:
    """A store with the published graph and nothing else; what an earlier measurement left beside it is cleared."""
    for left in (company.settings.exchange, company.settings.checkpoints):
        shutil.rmtree(left, ignore_errors=True)
    return copied(company, url)


def _kept(company: Company, store: Store) -> Kept:
    first, after = Part(), Part()
    with lineage.instance_at(company.settings.dagster_home) as instance:
        with first.timed():
            found = verify(store, instance, company.settings)
        sign_head(store, company.settings, company.published_at)
        with after.timed():
            again = verify(store, instance, company.settings)
    if problems := [*found.problems, *again.problems]:
        raise PrecedeError(f"The ledger of what was measured does not hold: {problems[0]}")
    first.done = after.done = again.entries
    with store.read() as connection:
        every = list(connection.execute(select(proposal.c.action).order_by(proposal.c.action)).scalars())
    times = []
    for action in random.Random(1).sample(every, min(TRACES, len(every))):  # noqa: S311  an order, not a secret
        begun = monotonic()
        if (walked := trace(store, action)).problems:
            raise PrecedeError(f"The trace of {action} does not hold: {walked.problems[0]}")
        times.append(monotonic() - begun)
    return Kept(len(every), again.entries, len(times), max(times), median(times), first, after)


def _run(company: Company, folder: Path) -> float:
    """Seconds of a run of the job `act` that finds nothing to do, in a process as `precede run` starts it."""
    os.environ.pop("PRECEDE_STORE_URL", None)
    command = [sys.executable, "-m", "orchestration.cli.dagster", "run", "orchestration.definitions", "act"]
    environment = location_environment("orchestration", company.settings, os.environ)
    times = []
    for _ in range(RUNS):
        begun = monotonic()
        watch(command, environment, folder / "runs.log")
        times.append(monotonic() - begun)
    return median(times)
