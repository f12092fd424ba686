"""What runs in the processes that are killed: the coordinator's own run for an agent."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from chaos import fuse
from orchestration.errors import PrecedeError
from orchestration.gate.keys import signing_key
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from orchestration.work.act import act
from tests.unit.gate.case import rules

REFUSED = 3
"""How a run ends that could not go on: locked out, say, or without room on the disk."""


def run(home: Path, environment: dict[str, str], length: int | None, lock_wait: float = 30.0) -> None:
    """Take in, decide, perform and deliver for finance, until the fuse has burnt down.

    Args:
        home: The coordinator's.
        environment: Variables to set first.
        length: Of the fuse.
        lock_wait: Seconds to wait for somebody who writes to the store.
    """
    os.environ.update(environment)
    counter = fuse.lay(length)
    settings = Settings(home=home)
    try:
        signing_key(settings.keys)
        store = open_store(settings, lock_wait=lock_wait)
        act(store, settings, "finance", rules=rules(), holds=lambda _pin: True)
        store.close()
    except (PrecedeError, OSError) as refused:
        with suppress(OSError):  # there may be no room to say so
            (home / "refused").write_text(str(refused))
        os._exit(REFUSED)
    with suppress(OSError):
        (home / "counted").write_text(str(counter.done))
