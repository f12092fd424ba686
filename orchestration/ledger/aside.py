"""What the store's rows say of a large ledger, read by a second process while the first one walks along the chain.

Both have to see one state of the store, and each has a read transaction of its own. Whatever the ledger tells of is
written together with an entry, so both see the same where the last entry is the same; where it is not, because somebody
wrote between the two, what the second one read counts for nothing and the first one reads for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import starmap
from multiprocessing import current_process, get_context
from typing import Final

from sqlalchemy import URL, Connection, func, select

from orchestration.collecting import uncollected
from orchestration.errors import StoreError
from orchestration.ledger import agreement, kept
from orchestration.ledger.subjects import EVIDENCE, GONE, Subject, Told
from orchestration.store.engine import Store
from orchestration.store.tables import ledger_entry, ledger_payload

MANY: Final = 50_000
"""Entries from which a second process is worth starting, which takes it about a second."""
Head = tuple[object, ...]
"""Number and hash of the last entry, and how many payloads there are: an erasure takes some away, with an entry."""
_Read = tuple[list[str], list[str], list[str]]


@contextmanager
def told(store: Store, connection: Connection) -> Iterator[Callable[[], dict[Subject, str] | None]]:
    """What the store's rows say, as it will be known: nothing where it has to be read here.

    Args:
        store: The store, which the second process opens too.
        connection: On it, in the read transaction that the same state is read in.
    """
    here = head(connection)
    large = isinstance(here[0], int) and here[0] >= MANY
    if not large or current_process().daemon:  # such a process may start none
        yield lambda: None
        return
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        reading = pool.submit(read, store.url, here)
        yield lambda: _taken(reading)


def head(connection: Connection) -> Head:
    """Where the ledger ends."""
    last = connection.execute(
        select(ledger_entry.c.seq, ledger_entry.c.hash).order_by(ledger_entry.c.seq.desc()).limit(1)
    ).one_or_none()
    payloads = connection.execute(select(func.count()).select_from(ledger_payload)).scalar_one()
    return (*last, payloads) if last else (0, "", payloads)


def read(url: URL, expected: Head) -> _Read | None:
    """In the second process: parts, keys and digests; none where the ledger ends elsewhere by now."""
    store = Store(url)
    try:
        with store.read() as connection, uncollected():
            if head(connection) != expected:
                return None
            said = list(agreement.told_by_store(connection, {}))
    finally:
        store.close()
    subjects = [subject for subject, _ in said]
    return [each.part for each in subjects], [each.key for each in subjects], [digest for _, digest in said]


def as_told(connection: Connection, ledger: Mapping[Subject, Told], store: dict[Subject, str]) -> dict[Subject, str]:
    """What the store says, read without knowing the ledger: evidence that earlier versions told of as they told it."""
    for subject, told in ledger.items():
        earlier = subject.part == EVIDENCE and told.digest != GONE and not told.digest.startswith(kept.STORED)
        if earlier and subject in store:
            store[subject] = kept.canonically(connection, subject.key)
    return store


def _taken(reading: Future[_Read | None]) -> dict[Subject, str] | None:
    try:
        found = reading.result()
    except (BrokenProcessPool, StoreError, OSError):  # it could not be started or was killed, which proves nothing
        return None
    if found is None:
        return None
    parts, keys, digests = found
    return dict(zip(starmap(Subject, zip(parts, keys, strict=True)), digests, strict=True))
