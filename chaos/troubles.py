"""Troubles that are made alone, with nothing else going on: a full disk, a store that stays locked."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

from chaos.campaign import Campaign
from chaos.children import REFUSED
from chaos.counting import Count
from tests.serving import new_database

ROOM: Final = 96 * 1024 * 1024
"""Bytes of the disk that is filled."""
STEPS: Final = (0, 16, 64, 160, 400, 1000)
"""Kilobytes that are left on it, one run each."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What came of one trouble.

    Attributes:
        name: What it was, and on which database.
        happened: What could be seen of it: how many runs could not go on, or why it was skipped.
        count: What was counted when it was over; none where it could not be made.
        clean: Whether it happened and did no harm, or was skipped.
    """

    name: str
    happened: str
    count: Count | None
    clean: bool


def troubles(folder: Path, database: str, server: str | None, socket: Path, seed: int) -> list[Trouble]:
    """Make each of them on one database."""
    known: dict[str, Callable[[Path, str | None, Path, int], tuple[str, Count | None, bool]]] = {
        "full disk": _full,
        "locked store": _locked,
    }
    came = []
    for number, (name, make) in enumerate(known.items()):
        url = new_database(server, f"{seed}-{name}") if server and database == "postgres" else None
        place = folder / str(number)
        place.mkdir(parents=True)
        happened, counted, clean = make(place, url, socket, seed + number)
        came.append(Trouble(f"{name}, {database}", happened, counted, clean))
    return came


def _full(folder: Path, url: str | None, socket: Path, seed: int) -> tuple[str, Count | None, bool]:
    """Runs with a disk that has no room left for the home: the store of SQLite, the graphs and the tool's books."""
    try:
        with _small(folder / "disk") as disk:
            campaign = Campaign(disk, url, socket, seed)
            try:
                return _filled(campaign, disk)
            finally:
                campaign.close()
    except PermissionError as problem:
        return f"SKIPPED: no small disk can be made here ({problem})", None, True


def _filled(campaign: Campaign, disk: Path) -> tuple[str, Count, bool]:
    refused = 0
    for left in STEPS:
        campaign.ask()
        filler = disk / "filler"
        free = os.statvfs(disk)
        filler.write_bytes(b"\0" * max(0, free.f_bavail * free.f_frsize - left * 1024))
        refused += campaign.run(lock_wait=5).end(expected={0, 1, REFUSED}) != 0
        filler.unlink()
    counted, problems = campaign.counted()
    sound = counted.clean and not problems and refused > 0
    return f"{refused} of {len(STEPS)} runs had no room", counted, sound


def _locked(folder: Path, url: str | None, socket: Path, seed: int) -> tuple[str, Count, bool]:
    """A run that waits for a store which somebody else holds for longer than it waits."""
    campaign = Campaign(folder / "locked", url, socket, seed)
    try:
        campaign.measure()
        refused = 0
        for pause in (0.0, 0.05, 0.1):
            campaign.ask()
            running = campaign.run(lock_wait=0.5)
            time.sleep(pause)
            with _held(campaign):
                refused += running.end(expected={0, REFUSED}) == REFUSED
        counted, problems = campaign.counted()
    finally:
        campaign.close()
    return f"{refused} of 3 runs gave up", counted, counted.clean and not problems and refused > 0


@contextmanager
def _held(campaign: Campaign) -> Iterator[None]:
    """The store's one writer is somebody else, for as long as a run goes on."""
    if campaign.store_url.startswith("postgres"):
        with psycopg.connect(campaign.store_url) as connection:
            connection.execute("LOCK TABLE ledger_entry, outbox, decision IN ACCESS EXCLUSIVE MODE")
            yield
            connection.rollback()
        return
    with campaign.world.store.begin():
        yield


@contextmanager
def _small(path: Path) -> Iterator[Path]:
    """A disk of its own with little room.

    Raises:
        PermissionError: Only root may mount one.
    """
    path.mkdir(parents=True)
    made = subprocess.run(
        ["/bin/mount", "-t", "tmpfs", "-o", f"size={ROOM}", "none", str(path)],
        check=False,
        capture_output=True,
        text=True,
    )
    if made.returncode:
        raise PermissionError(made.stderr.strip() or "mount failed")
    try:
        yield path
    finally:
        subprocess.run(["/bin/umount", "--lazy", str(path)], check=False)
