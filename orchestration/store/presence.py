"""Who is at work now: a lock that ends with whoever holds it, for proving that nobody is.

A row can say that something runs long after its process died. A lock cannot: a file's on SQLite, where every process is
on this machine, and one of the server's session on Postgres, wherever the process is.
"""

from __future__ import annotations

import fcntl
import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, text

from orchestration import locks
from orchestration.store.engine import Store

_LOOK: Final = 0.02  # seconds between two tries


def at_work(agent: str) -> str:
    """What deciding and delivering for an agent is called."""
    return f"act {agent}"


def calling(action_type: str) -> str:
    """What calling a tool for a type of action is called."""
    return f"call {action_type}"


def taking_back(action: str) -> str:
    """What taking the effect of an action back is called."""
    return f"undo {action}"


@contextmanager
def only(store: Store, work: str) -> Iterator[bool]:
    """Be at a kind of work while the block runs, where nobody else is; whether that is so.

    Args:
        store: Whose work it is.
        work: What; letters that a file's name can have. It is nothing that somebody is `present` at.

    Raises:
        StoreError: The store cannot be reached.
    """
    if store.is_sqlite:
        with locks.held(_file(store, work)) as mine:  # the file goes then: there is one for each action
            yield mine
    else:
        with store.aside() as connection:
            mine = _held(connection, work)
            try:
                yield mine
            finally:
                if mine:
                    _let_go(connection, work)


@contextmanager
def present(store: Store, work: str) -> Iterator[None]:
    """Be at a kind of work while the block runs, beside anybody else who is.

    Args:
        store: Whose work it is.
        work: What, such as `act finance`; letters that a file's name can have.

    Raises:
        StoreError: The store cannot be reached.
    """
    if store.is_sqlite:
        with _file(store, work).open("a") as handle:
            fcntl.flock(handle.fileno(), fcntl.LOCK_SH)
            yield
    else:
        with store.aside() as connection:
            connection.execute(text("SELECT pg_advisory_lock_shared(:key)"), {"key": _key(work)})
            try:
                yield
            finally:
                connection.execute(text("SELECT pg_advisory_unlock_shared(:key)"), {"key": _key(work)})


def absent(store: Store, work: str, wait: float = 0.0) -> bool:
    """Whether nobody was at a kind of work at one moment between now and the end of the wait.

    Args:
        store: Whose work it is.
        work: What.
        wait: Seconds to wait for that moment.
    """
    deadline = time.monotonic() + wait
    if store.is_sqlite:
        return _until(lambda: locks.free(_file(store, work)), deadline)
    with store.aside() as connection:
        return _until(lambda: _unheld(connection, work), deadline)


def _until(free: Callable[[], bool], deadline: float) -> bool:
    while not free():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_LOOK)
    return True


def _unheld(connection: Connection, work: str) -> bool:
    if not _held(connection, work):
        return False
    _let_go(connection, work)
    return True


def _held(connection: Connection, work: str) -> bool:
    return bool(connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _key(work)}).scalar_one())


def _let_go(connection: Connection, work: str) -> None:
    connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _key(work)})


def _file(store: Store, work: str) -> Path:
    folder = Path(store.url.database or "").parent / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{work.replace(' ', '-')}.lock"


def _key(work: str) -> int:
    return int.from_bytes(hashlib.sha256(f"precede {work}".encode()).digest()[:8], signed=True)
