"""Processes that do the same at once, each a fork of a server that has everything imported."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from typing import Final

from tests.integration.gate import children
from tests.integration.gate.world import Debtor, World

FORKS: Final = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.integration.gate.children"])


@contextmanager
def delivering(world: World, debtors: int, started: int) -> Iterator[list[ForkServerProcess]]:
    """Eight processes that deliver what is meant for so many debtors; the block begins when so many are delivered.

    They have ended when it has.
    """
    world.debtors = [Debtor(number) for number in range(1, debtors + 1)]
    world.publish()
    world.make_erp()
    batch_id, _ = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        gate.perform_batch(batch_id, world.now)
    # told where the store is: the server of forks knows what was so when the first of its processes began
    given = (os.environ.get("PRECEDE_STORE_URL"), children.deliver_slowly, world.settings.home)
    processes = [FORKS.Process(target=children.told, args=given) for _ in range(8)]
    for process in processes:
        process.start()
    deadline = time.monotonic() + 60
    while len(world.reminders()) < started and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        yield processes
    finally:
        for process in processes:
            process.join(120)
