"""One process at a time: a lock on a file, which ends with the process that holds it.

It keeps two runs of the same job from doing the same work twice. What must never happen twice is guarded by the store,
not by this.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from orchestration.errors import PrecedeError
from orchestration.locks import taken

WAIT: Final = 300.0
"""Seconds that a run waits for another one of its kind."""


@contextmanager
def alone(home: Path, work: str, *, wait: float = WAIT) -> Iterator[None]:
    """Hold the lock of a kind of work while the block runs.

    Args:
        home: The folder that Precede keeps everything in.
        work: What is done alone, such as `reconcile`.
        wait: Seconds to wait for whoever holds it.

    Raises:
        PrecedeError: Another process still held it after that time.
    """
    file = home / "locks" / f"{work}.lock"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as handle:
        deadline = time.monotonic() + wait
        while not taken(handle):
            if time.monotonic() >= deadline:
                raise PrecedeError(
                    f"Another process is busy with {work!r} in {home}; needed to be the only one; wait until it ends, "
                    "or end it."
                )
            time.sleep(0.2)
        yield
