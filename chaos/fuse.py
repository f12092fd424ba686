"""A fuse: the process is killed when it has done so many things with its databases, between any two of them."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, event
from sqlalchemy.pool import Pool

VARIABLE: Final = "CHAOS_FUSE"
"""Names the longest fuse that a tool server gets; each draws its own, and some get none."""


@dataclass
class Counter:
    """How many things were done so far."""

    done: int = 0


def lay(length: int | None, told: Path | None = None) -> Counter:
    """Count every statement, before and after it, every commit, and every connection given back.

    Args:
        length: At this many the process is gone, as by a power cut; never, where there is none.
        told: A folder in which it leaves its process id right before.
    """
    counter = Counter()

    def burn(*_: Any) -> None:  # noqa: ANN401  each event brings something else
        counter.done += 1
        if counter.done == length:
            if told is not None:
                (told / str(os.getpid())).touch()
            os.kill(os.getpid(), signal.SIGKILL)

    for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(Engine, name, burn)
    event.listen(Pool, "checkin", burn)
    return counter
