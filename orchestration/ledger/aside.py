"""What the store's rows say of a large ledger, read by other processes while this one walks along the chain.

All have to see one state of the store, and each has a read transaction of its own. Whatever the ledger tells of is
written together with an entry, so two of them see the same where the last entry is the same; where it is not, because
somebody wrote between, a process reads nothing, and this one reads it for itself. So it does where one is killed, or
cannot be started. What there is to read lies in parts: the others take them from the front, and this one, once it has
walked the chain, takes from the end whatever nobody took yet.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from multiprocessing.connection import Connection as Line
from multiprocessing.connection import Pipe
from threading import Thread
from typing import Final, NamedTuple

from sqlalchemy import URL, Connection, func, select

from orchestration.collecting import uncollected
from orchestration.errors import StoreError
from orchestration.ledger import agreement, kept, pins
from orchestration.ledger.counted import miscounted
from orchestration.ledger.subjects import EVIDENCE, PARTS, Said
from orchestration.store.engine import Store
from orchestration.store.tables import ledger_entry, ledger_payload

MANY: Final = 20_000
"""Entries from which another process is worth starting, which takes it about half a second."""
MOST: Final = 3
"""Other processes at most: there is not more to do beside the walk than they can."""
STRETCH: Final = 1_000
"""Actions whose evidence is one part to read."""
_GOING: Final = 5.0
"""Seconds that a process has to end by itself."""
_COUNTS: Final = "counts"
Head = tuple[object, ...]
"""Number and hash of the last entry, and how many payloads there are: an erasure takes some away, with an entry."""
Part = tuple[str, kept.Bounds]


class Read(NamedTuple):
    """What rows say."""

    said: Said
    problems: list[str]
    """What is wrong with them beside that."""
    pins: dict[bytes, list[str]]
    """Pins that are kept with evidence, as `kept.Kept` has them."""


class Aside:
    """What there is to read of a store, with whoever reads it.

    Attributes:
        pins: What performed effects rested on, as it is kept with evidence; known once all is read.
    """

    def __init__(self, connection: Connection) -> None:
        """Prepare; nothing is read yet."""
        self._connection = connection
        self._parts = deque(parts(connection, STRETCH))
        self._read: list[Read] = []
        self.pins: list[bytes] = []
        self._others: list[tuple[subprocess.Popen[bytes], Line, Thread]] = []

    def start(self, url: URL, here: Head) -> None:
        """Let one more process read."""
        line, theirs = Pipe()
        with theirs, suppress(OSError):
            command = [sys.executable, "-P", "-m", "orchestration.ledger.aside", str(theirs.fileno())]
            process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)  # noqa: S603  our own interpreter and module
            reader = Thread(target=self._take, args=(line, (url, here)), daemon=True)
            self._others.append((process, line, reader))
            reader.start()

    def read(self) -> Read:
        """What all rows say, once all of it is read."""
        while (part := self._last()) is not None:
            self._read.append(read(self._connection, part))
        for _, _, reader in self._others:
            reader.join()
        if self._parts:  # of a process that was killed
            return self.read()
        whole = Read({}, [], defaultdict(list))
        for found in self._read:
            whole.problems.extend(found.problems)
            for name, each in found.said.items():
                whole.said.setdefault(name, each).update(each)
            for text, actions in found.pins.items():
                whole.pins[text].extend(actions)
        meant = whole.said.get(PARTS["intent"][0], {})
        self.pins = [text for text, actions in whole.pins.items() if not meant.keys().isdisjoint(map(str, actions))]
        return whole

    def close(self) -> None:
        """Let the others go."""
        for process, line, reader in self._others:
            if reader.is_alive():  # something failed here, and nobody waits for what they read
                process.kill()
            reader.join()
            line.close()  # nothing is asked for any more
            try:
                process.wait(_GOING)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _last(self) -> Part | None:
        try:
            return self._parts.pop()
        except IndexError:
            return None

    def _take(self, line: Line, first: object) -> None:
        """Have parts read by another process, one after the other; a part that is not read is put back."""
        part: Part | None = None
        with suppress(IndexError, OSError, EOFError):  # all are taken; or it was killed or saw another state
            try:
                line.send(first)
                while self._parts:
                    part = self._parts.popleft()
                    line.send(part)
                    self._read.append(Read(*line.recv()))
                    part = None
            finally:
                if part is not None:
                    self._parts.append(part)


@contextmanager
def beside(store: Store, connection: Connection) -> Iterator[Aside]:
    """What the store's rows say, being read meanwhile where that is worth it.

    Args:
        store: The store, which other processes open too.
        connection: On it, in the read transaction that the same state is read in.
    """
    here = head(connection)
    many = isinstance(here[0], int) and here[0] >= MANY
    reading = Aside(connection)
    for _ in range(min(cores() - 1, MOST) if many else 0):
        reading.start(store.url, here)
    try:
        yield reading
    finally:
        reading.close()


def cores() -> int:
    """How many processors there are for this process."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def parts(connection: Connection, size: int) -> list[Part]:
    """All that there is to read of a store, the longest parts first."""
    everything: kept.Bounds = (None, None)
    rows = [(name, everything) for name in (*agreement.READ, _COUNTS)]
    return rows + [(EVIDENCE, bounds) for bounds in kept.stretches(connection, size)]


def read(connection: Connection, part: Part) -> Read:
    """One part of it."""
    name, bounds = part
    if name == _COUNTS:
        return Read({}, [*miscounted(connection), *pins.edited(connection)], {})
    if name == EVIDENCE:
        evidence = kept.read(connection, bounds)
        return Read({EVIDENCE: evidence.said}, [], evidence.pins)
    return Read(agreement.READ[name](connection, None), [], {})


def head(connection: Connection) -> Head:
    """Where the ledger ends."""
    last = connection.execute(
        select(ledger_entry.c.seq, ledger_entry.c.hash).order_by(ledger_entry.c.seq.desc()).limit(1)
    ).one_or_none()
    payloads = connection.execute(select(func.count()).select_from(ledger_payload)).scalar_one()
    return (*last, payloads) if last else (0, "", payloads)


def serve(line: Line) -> None:
    """In another process: read whatever part is asked for, unless the ledger ends elsewhere by now."""
    with line, suppress(EOFError, OSError, StoreError):  # nothing is asked for any more, or nothing can be read
        url, expected = line.recv()
        with closing(Store(url)) as store, store.read() as connection, uncollected():
            same = head(connection) == expected
            while same:
                line.send(tuple(read(connection, line.recv())))  # a plain one: this module has another name there


if __name__ == "__main__":
    serve(Line(int(sys.argv[1])))
