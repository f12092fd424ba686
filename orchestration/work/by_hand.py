"""The processes of runs that the command line started: each holds a file while it lives, so that it can be ended.

Dagster ends what its code servers started, and knows nothing of these. A process id alone could be another process's by
now; while the file is held, it is the one that wrote it.
"""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

GRACE: Final = 3.0
"""Seconds that a process is given to end by itself."""
_LOOK: Final = 0.05


@contextmanager
def running(dagster_home: Path, run_id: str) -> Iterator[None]:
    """Hold a run's file while the block runs."""
    file = _file(dagster_home, run_id)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="ascii") as handle:
        fcntl.flock(handle.fileno(), fcntl.LOCK_EX)
        handle.write(str(os.getpid()))
        handle.flush()
        try:
            yield
        finally:
            file.unlink(missing_ok=True)


def end(dagster_home: Path, run_id: str) -> bool:
    """End a run's process, at first kindly; whether it is over.

    Raises:
        PermissionError: It is another user's.
    """
    for kind, seconds in ((signal.SIGTERM, GRACE), (signal.SIGKILL, GRACE)):
        pid = _held_by(dagster_home, run_id)
        if pid is None:
            return True
        with suppress(ProcessLookupError):
            os.kill(pid, kind)
        deadline = time.monotonic() + seconds
        while _held_by(dagster_home, run_id) is not None and time.monotonic() < deadline:
            time.sleep(_LOOK)
    return _held_by(dagster_home, run_id) is None


def _held_by(dagster_home: Path, run_id: str) -> int | None:
    """The process that holds a run's file; none where it is over."""
    try:
        with _file(dagster_home, run_id).open(encoding="ascii") as handle:
            said = handle.read()
            return int(said) if _held(handle) and said.isdigit() else None
    except FileNotFoundError:
        return None


def _held(handle: IO[str]) -> bool:
    try:
        fcntl.flock(handle.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _file(dagster_home: Path, run_id: str) -> Path:
    return dagster_home / "by_hand" / f"{run_id}.pid"
