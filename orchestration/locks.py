"""A lock on a file: whoever has it has it alone, and it ends with the process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


def taken(handle: IO[str]) -> bool:
    """Whether an open file could be locked for its holder alone, now; the lock ends when it is closed."""
    try:
        fcntl.flock(handle.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def held(path: Path) -> Iterator[bool]:
    """Hold a file alone while the block runs, where nobody else does, and remove it then; whether that is so.

    Who removes it holds it. Who locks it just then has a file that is no more, and somebody else may have made it anew
    and hold it by that time: it is opened again, so that there is one file that whoever has the lock holds.
    """
    while True:
        with path.open("a") as handle:
            mine = taken(handle)
            if mine and not _there(handle, path):
                continue
            try:
                yield mine
            finally:
                if mine:
                    path.unlink(missing_ok=True)
            return


def free(path: Path) -> bool:
    """Whether nobody holds a file at this moment, alone or with others; one that is not there nobody does."""
    while True:
        try:
            with path.open("r+") as handle:
                if not taken(handle):
                    return False
                if _there(handle, path):
                    return True
        except FileNotFoundError:
            return True


def _there(handle: IO[str], path: Path) -> bool:
    """Whether an open file is the one that the path names."""
    try:
        return os.path.samestat(os.fstat(handle.fileno()), path.stat())
    except FileNotFoundError:
        return False
