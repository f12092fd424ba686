"""What a child process does in a race for the store."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from orchestration.ledger.chain import append
from orchestration.settings import Settings
from orchestration.store.engine import open_store

PROCESSES = 8


def append_some(home: Path, name: int, count: int) -> int:
    """Open the store, made by whoever came first, and append that many entries, each in its own transaction."""
    store = open_store(Settings(home=home))
    for number in range(count):
        with store.begin() as connection:
            append(connection, "race", {"process": name, "number": number}, at=datetime.now(UTC), payload={"n": number})
    store.close()
    return count


def race(home: Path, count: int) -> None:
    """Let eight fresh processes append at once."""
    with ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn")) as pool:
        done = [pool.submit(append_some, home, name, count) for name in range(PROCESSES)]
    assert [each.result() for each in done] == [count] * PROCESSES
