"""One home and everything that happens to it: runs that are killed, servers that are dropped, locks, and new graphs."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

import psycopg
import yaml

from chaos import children, fuse
from chaos.counting import Count, count
from orchestration.ledger.verify import verify
from orchestration.settings import PROJECT, Settings
from orchestration.store.engine import open_store
from tests.integration.gate.world import ERP, Debtor, World

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["chaos.children"])
MORE: Final = 3
"""Debtors that are new for each run, so that each has something to do."""
LONGEST: Final = 120.0
"""Seconds after which a run that does not end is a failure."""
WAYS: Final = ("statement", "statement", "moment", "server", "server")
"""How a kill is chosen: a run between two statements, a run at any moment, a tool server in the middle of a call."""
# the effect key is not unique here: a tool that wrote twice would be seen to
BOOKS: Final = ERP.replace("custrecord_effect_key TEXT UNIQUE", "custrecord_effect_key TEXT")


class Campaign:
    """A home, its store, its books, and the kills.

    Args:
        folder: Where all of it is; the home is a folder in it.
        store_url: A Postgres database; a SQLite file in the home, where there is none.
        socket: Where tool servers are started (`chaos.warm`).
        seed: What chance begins with.
    """

    def __init__(self, folder: Path, store_url: str | None, socket: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.home, self.place = folder / "home", folder
        for name in ("started", "killed"):
            (folder / name).mkdir(parents=True)
        self.environment = {"PRECEDE_TOOLS": str(_servers(folder, socket)), "CHAOS_PLACE": str(folder)}
        if store_url is not None:
            self.environment["PRECEDE_STORE_URL"] = store_url
        self.store_url = store_url or str(self.home / "store.db")
        with self._named():
            self.world = World(self.home, open_store(Settings(home=self.home)), debtors=0)
        self.books = self.home / "northgate" / "erp.db"
        self.books.parent.mkdir(parents=True)
        with closing(sqlite3.connect(self.books)) as connection, connection:
            connection.executescript(BOOKS)
        self.kills: Counter[str] = Counter()
        self.troubles: Counter[str] = Counter()
        self.lengths = (200, 12)
        """How much a run and a tool server do at most: where their fuses end."""

    def close(self) -> None:
        """Let the store go."""
        self.world.store.close()

    # --- the world meanwhile ---

    def ask(self) -> None:
        """More debtors on a new graph, and a proposal for each."""
        known = len(self.world.debtors)
        new = [Debtor(number) for number in range(known + 1, known + 1 + MORE)]
        self.world.debtors += new
        with closing(sqlite3.connect(self.books, timeout=30)) as connection, connection:
            for debtor in new:
                connection.execute("INSERT INTO \"transaction\" VALUES (?, 'CustInvc', ?, 0)", (debtor.number,) * 2)
                line = (debtor.number, str(debtor.amount_open))
                connection.execute("INSERT INTO transaction_line VALUES (?, 'T', ?)", line)
        self.world.publish()
        batch_id = self.world.wake()
        for debtor in new:
            self.world.propose(batch_id, debtor)

    def publish(self) -> None:
        """The same graph once more."""
        self.world.publish()
        self.troubles["graphs published meanwhile"] += 1

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Somebody else holds the store, or the books, for a moment."""
        self.troubles["locks held meanwhile"] += 1
        if self.chance.random() < 0.5:  # noqa: PLR2004  as often as not
            with closing(sqlite3.connect(self.books, timeout=30, isolation_level=None)) as other:
                other.execute("BEGIN EXCLUSIVE")
                yield
                other.execute("ROLLBACK")
        elif self.store_url.startswith("postgres"):
            with psycopg.connect(self.store_url) as connection:
                connection.execute("LOCK TABLE ledger_entry IN ACCESS EXCLUSIVE MODE")
                yield
                connection.rollback()
        else:
            with closing(sqlite3.connect(self.store_url, timeout=30, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                yield
                other.execute("ROLLBACK")

    # --- runs ---

    def run(self, length: int | None = None, server: int | None = None, lock_wait: float = 30.0) -> Running:
        """Start a run for finance, with a fuse of its own and one in its tool server."""
        environment = {**self.environment, fuse.VARIABLE: str(server or 0)}
        process = FORKS.Process(target=children.run, args=(self.home, environment, length, lock_wait))
        process.start()
        return Running(process, self.home / "refused")

    def finish(self) -> None:
        """Run to the end, with nothing in the way."""
        for _ in range(2):  # what a server's death left unknown is asked for by the run after
            self.run().end(expected={0})

    def measure(self) -> None:
        """How much a run with nothing in its way does, so that fuses end anywhere in it."""
        self.ask()
        self.finish_once()
        self.lengths = (int((self.home / "counted").read_text()), self.lengths[1])

    def finish_once(self) -> None:
        """One run to the end."""
        self.run().end(expected={0})

    def strike(self) -> None:
        """One run that is killed, or whose tool server is."""
        self.ask()
        way = self.chance.choice(WAYS)
        statements, calls = self.lengths
        length = self.chance.randint(1, statements) if way == "statement" else None
        server = calls * MORE if way == "server" and self.chance.random() < 0.7 else None  # noqa: PLR2004
        before, dead = self._servers("started"), self._servers("killed")
        running = self.run(length, server)
        trouble = self.chance.random()
        if trouble < 0.2:  # noqa: PLR2004  one in five
            with self.locked():
                time.sleep(self.chance.uniform(0.05, 0.4))
        elif trouble < 0.5:  # noqa: PLR2004  and three in ten
            self.publish()
        if way == "moment":
            time.sleep(self.chance.uniform(0.0, 0.5))
            self.kills["run at a moment"] += running.kill()
        elif way == "server" and server is None:
            self.kills["server at a moment"] += self._drop(running, before)
        ended = running.end(expected={0, -signal.SIGKILL})
        self.kills["run between statements"] += way == "statement" and ended == -signal.SIGKILL
        if server is not None:
            self.kills["server within a call"] += len(self._servers("killed") - dead)

    def _servers(self, what: str) -> set[str]:
        """The process id of every tool server that was ever started, or that killed itself."""
        return {each.name for each in (self.place / what).iterdir()}

    def _drop(self, running: Running, before: set[str]) -> int:
        """Kill the tool server of a run, once it has one."""
        until = time.monotonic() + 5
        while running.alive and time.monotonic() < until:
            if new := self._servers("started") - before:
                time.sleep(self.chance.uniform(0.0, 0.15))
                with suppress(ProcessLookupError):
                    os.kill(int(new.pop()), signal.SIGKILL)
                    return 1
                return 0
            time.sleep(0.005)
        return 0

    def counted(self) -> tuple[Count, tuple[str, ...]]:
        """What there is when everything was finished, and what verification says beside it."""
        self.finish()
        with self._named():
            problems = verify(self.world.store, None, self.world.settings).problems
        return count(self.books, self.store_url, [debtor.number for debtor in self.world.debtors]), problems

    @contextmanager
    def _named(self) -> Iterator[None]:
        before = os.environ.pop("PRECEDE_STORE_URL", None)
        if url := self.environment.get("PRECEDE_STORE_URL"):
            os.environ["PRECEDE_STORE_URL"] = url
        try:
            yield
        finally:
            os.environ.pop("PRECEDE_STORE_URL", None)
            if before is not None:
                os.environ["PRECEDE_STORE_URL"] = before


class Running:
    """A run that was started; `why` is where it says why it could not go on."""

    def __init__(self, process: multiprocessing.process.BaseProcess, why: Path) -> None:
        self._process, self._why = process, why

    @property
    def alive(self) -> bool:
        """Whether it goes on."""
        return self._process.is_alive()

    def kill(self) -> int:
        """Kill it; how many were killed."""
        if not self.alive:
            return 0
        self._process.kill()
        self._process.join(LONGEST)
        return int(self._process.exitcode == -signal.SIGKILL)

    def end(self, expected: set[int]) -> int:
        """Wait for its end; how it ended.

        Raises:
            RuntimeError: It ended otherwise than it may, or not at all.
        """
        self._process.join(LONGEST)
        code = self._process.exitcode
        if code is None or code not in expected:
            self._process.kill()
            why = self._why.read_text() if self._why.exists() else "nothing was said"
            raise RuntimeError(f"a run ended with {code} ({why}); needed one of {sorted(expected)}")
        return code


def _servers(folder: Path, socket: Path) -> Path:
    """The product's own file of tool servers, in which the ERP's is started warm."""
    said = yaml.safe_load((PROJECT / "examples" / "northgate" / "tools" / "servers.yml").read_text(encoding="utf-8"))
    erp = said["servers"]["erp"]
    erp["arguments"] = ["-S", "-E", str(Path(__file__).with_name("start.py")), str(socket)]
    erp["env"] = [fuse.VARIABLE, "CHAOS_PLACE"]
    path = folder / "servers.yml"
    path.write_text(yaml.safe_dump(said), encoding="utf-8")
    return path
