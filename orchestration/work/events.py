"""Dagster's event log, kept open while a run writes to it, where it is SQLite.

Dagster opens the log for each event and closes it after. Who closes a database of SQLite last writes its journal back
and removes it, which takes longer than the event; with somebody there who holds it open nobody is last.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Final, Protocol, runtime_checkable

_OF_ALL_RUNS: Final = "index"
"""Where Dagster keeps what it asks of all runs' events, beside a database for each run."""


@runtime_checkable
class _Sharded(Protocol):
    """A log with a database for each run."""

    def path_for_shard(self, run_id: str) -> str:
        """Where it is."""


@contextmanager
def kept_open(storage: object, run_id: str) -> Iterator[None]:
    """Hold the databases that a run's events go to; nothing where the log is none of SQLite.

    Args:
        storage: The instance's event log storage.
        run_id: The run.
    """
    with ExitStack() as held:
        if isinstance(storage, _Sharded):
            for name in (_OF_ALL_RUNS, run_id):
                database = held.enter_context(closing(sqlite3.connect(storage.path_for_shard(name))))
                database.execute("SELECT count(*) FROM sqlite_master").fetchall()  # read, since it is opened only then
        yield
