"""`python -m bench.approvals`: what becomes of approvals that wait four hours while everything about an entity changes.

A company of debtors changes at so many changes a day and entity, a graph is published every so many minutes, and each
time everything that is held is looked at. To some of what was approved something happens of which the action reads
something. At the end a policy changes, and nothing that was approved may survive that.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from collections import Counter
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from bench.approved import Approved
from bench.churn import IRRELEVANT, RELEVANT, ROWS, Company
from orchestration.settings import Settings
from orchestration.store.engine import open_store

app = typer.Typer(add_completion=False)
SURVIVE: Final = 0.95
"""The share that is to survive what the action does not read."""
WITHIN: Final = 60.0
"""Seconds within which what changed is to be void."""


@dataclass
class Simulated:
    """What a simulation came to.

    Attributes:
        debtors: How many there were.
        source_rows: How many rows the graph was made of.
        hours: How long approvals waited.
        graphs: How many were published meanwhile.
        approved: How many approvals were given.
        changes: What changed to how many debtors, by kind.
        untouched: Approvals to which nothing happened that the action reads.
        survived: How many of these could still be used at the end.
        happened: What happened to approvals that the action reads, by kind.
        voided: How many of these were void after the next graph, by kind.
        looks: Seconds that each look took, with opening the graph.
        after_policy: Approvals that survived a changed policy.
    """

    debtors: int
    source_rows: int
    hours: float
    graphs: int = 0
    approved: int = 0
    changes: Counter[str] = field(default_factory=Counter)
    untouched: int = 0
    survived: int = 0
    happened: Counter[str] = field(default_factory=Counter)
    voided: Counter[str] = field(default_factory=Counter)
    looks: list[float] = field(default_factory=list)
    after_policy: int = 0

    @property
    def share(self) -> float:
        """Which share survived what the action does not read."""
        return self.survived / self.untouched if self.untouched else 0.0

    @property
    def reached(self) -> bool:
        """Whether everything is as it must be."""
        sound = self.happened == self.voided and not self.after_policy
        return sound and self.share >= SURVIVE and max(self.looks, default=WITHIN) < WITHIN


def simulate(  # noqa: PLR0913  what the simulation is of
    folder: Path, *, debtors: int, held: int, hours: float, every: float, per_day: float, relevant: float, seed: int = 7
) -> Simulated:
    """Let approvals wait while the company changes.

    Args:
        folder: A home of its own.
        debtors: How many there are.
        held: How many proposals are held and approved.
        hours: How long they wait.
        every: Minutes from graph to graph.
        per_day: Changes a day and debtor of which the action reads nothing.
        relevant: The share of approvals to which something happens that the action reads.
        seed: What chance begins with.
    """
    chance, begun = random.Random(seed), datetime.now(UTC)  # noqa: S311  a simulation, not a secret
    settings, steps = Settings(home=folder), max(1, round(hours * 60 / every))
    found = Simulated(debtors, debtors * ROWS, hours)
    with closing(open_store(settings)) as store:
        company = Company(store, settings, debtors)
        company.publish(begun)
        numbers = chance.sample(range(1, debtors + 1), held)
        with closing(Approved(store, settings, numbers, begun)) as approved:
            found.approved = approved.live(begun)
            hit = chance.sample(numbers, round(held * relevant))
            due = {number: chance.randrange(steps) for number in hit}
            for step in range(steps):
                now = begun + timedelta(minutes=every * (step + 1))
                _irrelevant(company, chance, per_day * every / 1440, found)
                struck: dict[str, list[int]] = {}
                for number in (each for each in hit if due[each] == step):
                    struck.setdefault(chance.choice(list(RELEVANT)), []).append(number)
                for kind, some in struck.items():
                    company.change(kind, some)
                company.publish(now)
                found.graphs += 1
                start = monotonic()
                approved.look(now)
                found.looks.append(monotonic() - start)
                for kind, some in struck.items():
                    found.happened[kind] += len(some)
                    found.voided[kind] += len(some) - approved.live(now, some)
            end = begun + timedelta(hours=hours)
            found.untouched = held - len(hit)
            found.survived = approved.live(end, sorted(set(numbers) - set(hit)))
            approved.change_policy()
            approved.look(end)
            found.after_policy = approved.live(end)
    return found


def _irrelevant(company: Company, chance: random.Random, mean: float, found: Simulated) -> None:
    """Let each debtor change as often as chance has it, in ways of which the action reads nothing."""
    number = round(chance.gauss(company.debtors * mean, (company.debtors * mean) ** 0.5))
    for kind in IRRELEVANT:
        some = [chance.randint(1, company.debtors) for _ in range(max(0, number) // len(IRRELEVANT))]
        company.change(kind, some)
        found.changes[kind] += len(some)


@app.command()
def main(  # noqa: PLR0913  what the simulation is of
    *,
    debtors: Annotated[int, typer.Option(min=10, help="Debtors; each is five source rows.")] = 100_000,
    held: Annotated[int, typer.Option(min=1, help="Proposals that are held and approved.")] = 1_000,
    hours: Annotated[float, typer.Option(help="How long approvals wait.")] = 4,
    every: Annotated[float, typer.Option(help="Minutes from graph to graph.")] = 15,
    per_day: Annotated[float, typer.Option(help="Changes a day and debtor that the action does not read.")] = 5,
    relevant: Annotated[float, typer.Option(help="Share of approvals to which something happens that it reads.")] = 0.2,
    as_object: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Simulate how approvals survive, and measure how long it takes to find those that do not."""
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="precede-bench-") as made, console.status("Approvals wait"):
        found = simulate(
            Path(made), debtors=debtors, held=held, hours=hours, every=every, per_day=per_day, relevant=relevant
        )
    if as_object:
        sys.stdout.write(json.dumps(as_dict(found), indent=2) + "\n")
    else:
        Console().print(table(found))
    raise typer.Exit(not found.reached)


def as_dict(found: Simulated) -> dict[str, Any]:
    """Everything, as one object."""
    return asdict(found) | {"share": found.share, "slowest_look": max(found.looks), "reached": found.reached}


def table(found: Simulated) -> Table:
    """What came of it, a line each."""
    shown = Table(
        title=f"{found.approved:,} approvals wait {found.hours:g} hours; {found.debtors:,} debtors, "
        f"{found.source_rows:,} source rows, {found.graphs} graphs",
        box=None,
        padding=(0, 2, 0, 0),
    )
    for column in ("", "found", "aim", ""):
        shown.add_column(column, no_wrap=True)
    each = sum(found.changes.values()) / found.debtors
    ok = {True: "reached", False: "NOT reached"}
    shown.add_row(
        f"survived {each:.2f} changes a debtor that are not read",
        f"{found.share:.1%}",
        "≥ 95 %",
        ok[found.share >= SURVIVE],
    )
    for kind, number in sorted(found.happened.items()):
        void = found.voided[kind]
        shown.add_row(f"void after: {kind}", f"{void} of {number}", "all", ok[void == number])
    shown.add_row("survived a changed policy", f"{found.after_policy}", "0", ok[not found.after_policy])
    slowest = max(found.looks)
    shown.add_row("slowest look at all that is held", f"{slowest:.2f} s", "< 60 s", ok[slowest < WITHIN])
    return shown


if __name__ == "__main__":
    app()
