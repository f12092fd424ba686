"""The whole storm: campaigns over both databases, two at a time, until there were enough kills."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from chaos.campaign import Campaign
from chaos.counting import Count
from chaos.troubles import Trouble, troubles
from orchestration.settings import PROJECT
from tests.serving import new_database, postgres

DATABASES: Final = ("sqlite", "postgres")
EACH: Final = 25
"""Kills of one campaign, about."""
AT_ONCE: Final = 2
"""Campaigns that go on at once, each in a process of its own."""
STARTING: Final = 30.0
"""Seconds that the warm process may take to be there."""


@dataclass
class Storm:
    """What came of it.

    Attributes:
        seed: What chance began with.
        kills: By database, how many of each kind.
        troubles: By database, what else happened meanwhile.
        counts: By database, what was counted.
        problems: What `precede ledger verify` says, of all campaigns.
        single: What came of each trouble that was made alone.
        seconds: How long it all took.
    """

    seed: int
    kills: dict[str, Counter[str]] = field(default_factory=dict)
    troubles: dict[str, Counter[str]] = field(default_factory=dict)
    counts: dict[str, Count] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    single: list[Trouble] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def killed(self) -> int:
        """All kills."""
        return sum(sum(each.values()) for each in self.kills.values())

    @property
    def clean(self) -> bool:
        """Whether nothing was lost, doubled, used twice or left out."""
        counted = [*self.counts.values(), *(one.count for one in self.single if one.count is not None)]
        return all(each.clean for each in counted) and not self.problems and all(one.clean for one in self.single)


def storm(folder: Path, kills: int, seed: int, databases: tuple[str, ...], progress: Callable[[str], None]) -> Storm:
    """Let campaigns happen until there were that many kills."""
    started, came = time.monotonic(), Storm(seed)
    with ExitStack() as stack:
        socket = stack.enter_context(warm(folder))
        server = stack.enter_context(postgres()) if "postgres" in databases else None
        pool = stack.enter_context(ProcessPoolExecutor(AT_ONCE, multiprocessing.get_context("spawn")))
        number = 0
        while came.killed < kills:
            left = kills - came.killed
            some = []
            for _ in range(min(2 * AT_ONCE, max(len(databases), left // EACH))):
                number += 1
                database = databases[number % len(databases)]
                url = new_database(server, f"{seed}-{number}") if server and database == "postgres" else None
                aim = min(EACH, max(1, left // len(databases)))
                some.append((database, pool.submit(_campaign, folder / str(number), url, socket, seed + number, aim)))
            for database, future in some:
                campaign_kills, campaign_troubles, counted, problems = future.result()
                came.kills.setdefault(database, Counter()).update(campaign_kills)
                came.troubles.setdefault(database, Counter()).update(campaign_troubles)
                came.counts[database] = came.counts.get(database, Count()) + counted
                came.problems += problems
                progress(f"{came.killed} of {kills} kills after {time.monotonic() - started:.0f} s")
        for database in databases:
            came.single += troubles(folder / f"troubles-{database}", database, server, socket, seed)
    came.seconds = time.monotonic() - started
    return came


def _campaign(
    folder: Path, url: str | None, socket: Path, seed: int, kills: int
) -> tuple[Counter[str], Counter[str], Count, tuple[str, ...]]:
    campaign = Campaign(folder, url, socket, seed)
    try:
        campaign.measure()
        for _ in range(8 * kills):  # a strike may miss: the run was over before
            if campaign.kills.total() >= kills:
                break
            campaign.strike()
        counted, problems = campaign.counted()
    finally:
        campaign.close()
    return campaign.kills, campaign.troubles, counted, problems


@contextmanager
def warm(folder: Path) -> Iterator[Path]:
    """The process that tool servers are forked from; where it listens."""
    path = folder / "warm.sock"
    process = subprocess.Popen([sys.executable, "-m", "chaos.warm", str(path)], cwd=PROJECT)
    try:
        until = time.monotonic() + STARTING
        while not path.exists():
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("the process that tool servers are forked from did not start")
            time.sleep(0.05)
        yield path
    finally:
        process.kill()
        process.wait()
