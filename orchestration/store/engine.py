"""The one way to open the store: a SQLite file by default, Postgres by URL, with the same promises.

A write transaction is alone: SQLite's `BEGIN IMMEDIATE`, and on Postgres an advisory lock that lasts as long as the
transaction. So what a writer reads stays true until it commits, and the ledger has no gap. A read transaction sees
one state from beginning to end, blocks nobody and cannot write.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError

from orchestration.errors import StoreError
from orchestration.settings import Settings
from orchestration.store import migrate
from orchestration.store.refusals import explained
from orchestration.store.written import written

LOCK_WAIT: Final = 30.0
"""Seconds that a writer waits for another one."""
WRITER_LOCK: Final = 7_232_014_519
"""The advisory lock that a write transaction holds on Postgres."""
_POSTGRES: Final = frozenset({"postgres", "postgresql", "postgresql+psycopg"})
_WRITES: Final = "precede_writes"  # execution option that tells a write transaction from a read one


class Store:
    """The coordinator's tables, open. Make one with `open_store`."""

    def __init__(self, url: URL, *, lock_wait: float = LOCK_WAIT) -> None:
        """Prepare an engine; nothing is opened yet.

        Args:
            url: Where the store is, as `store_url` returns it.
            lock_wait: Seconds to wait for another writer.
        """
        self.url = url
        self.lock_wait = lock_wait
        self._engine = _sqlite(url, lock_wait) if self.is_sqlite else _postgres(url)
        self._letting_go = weakref.finalize(self, self._engine.dispose)

    @property
    def is_sqlite(self) -> bool:
        """Whether the store is a file of this machine."""
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A write transaction: alone until it ends, committed at the end of the block, rolled back on an error.

        Raises:
            StoreError: The store cannot be written, or another writer held it for longer than `lock_wait`.
        """
        with explained(self.url), self._engine.connect() as connection:
            connection.execution_options(**{_WRITES: True})
            with connection.begin():
                if not self.is_sqlite:
                    connection.execute(text(f"SET LOCAL lock_timeout = {int(self.lock_wait * 1000)}"))
                    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": WRITER_LOCK})
                yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read transaction: one state of the store from beginning to end; a write in it is refused.

        Raises:
            StoreError: The store cannot be read, or a table was held for longer than `lock_wait`.
        """
        options = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with explained(self.url), self._engine.connect() as connection:
            connection.execution_options(**options)
            with connection.begin():
                if not self.is_sqlite:  # somebody may hold a table, and nobody waits for that for ever
                    connection.execute(text(f"SET LOCAL lock_timeout = {int(self.lock_wait * 1000)}"))
                yield connection

    @contextmanager
    def aside(self) -> Iterator[Connection]:
        """A connection outside of every transaction, for the locks of its session; nothing is written over it.

        Raises:
            StoreError: The store cannot be reached.
        """
        with explained(self.url), self._engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    def close(self) -> None:
        """Let go of every connection; happens by itself when nobody holds the store any more."""
        self._letting_go()


def open_store(settings: Settings, *, create: bool = True, lock_wait: float = LOCK_WAIT) -> Store:
    """The store that the settings name, at the newest version of its tables.

    Any number of processes may open a store that does not exist yet: one makes it, the others wait for that.

    Args:
        settings: Where the store is.
        create: Whether to make a store where there is none; a command that only reads says no.
        lock_wait: Seconds to wait for another writer.

    Raises:
        StoreError: There is no store and none may be made; or it cannot be opened, or is newer than this Precede.
    """
    url = store_url(settings.store_url)
    store = Store(url, lock_wait=lock_wait)
    try:
        _open(store, create=create)
    except BaseException:
        store.close()
        raise
    return store


def store_url(given: str) -> URL:
    """The URL of a store, with the driver that Precede brings.

    Raises:
        StoreError: It names no SQLite file and no Postgres database.
    """
    try:
        url = make_url(given)
    except ArgumentError as error:
        raise StoreError(
            "PRECEDE_STORE_URL is not a database URL; needed `sqlite:///path/to/file` or "
            "`postgresql://user:password@host/database`; correct it, or unset it to use a file in PRECEDE_HOME."
        ) from error
    if url.drivername in _POSTGRES:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername in {"sqlite", "sqlite+pysqlite"} and url.database not in {None, "", ":memory:"}:
        return url.set(drivername="sqlite")
    raise StoreError(
        f"PRECEDE_STORE_URL names {url.render_as_string(hide_password=True)}; needed a SQLite file or a Postgres "
        "database; correct it, or unset it to use a file in PRECEDE_HOME."
    )


def _open(store: Store, *, create: bool) -> None:
    file = Path(store.url.database or "") if store.is_sqlite else None
    if file is not None and not _exists(file):
        if not create:
            raise _nothing_here(store.url)
        _make_file(file)
    with store.read() as connection:
        version = migrate.version(connection)
    if version == migrate.HEAD:
        return
    if version is None and not create:
        raise _nothing_here(store.url)
    if file is not None:
        with explained(store.url):
            _keep_a_write_ahead_log(store)
    with store.begin() as connection:
        migrate.to_head(connection, store.url.render_as_string(hide_password=True))


def _nothing_here(url: URL) -> StoreError:
    return StoreError(
        f"Nothing has run here yet: there is no store at {url.render_as_string(hide_password=True)}; needed the one "
        "that a first run makes; start with `precede run`."
    )


def _exists(file: Path) -> bool:
    try:
        return file.stat().st_size >= 0
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _no_leave(file, error) from error


def _make_file(file: Path) -> None:
    """Make the file readable by its owner alone: it holds what agents proposed and whom they wrote to."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError as error:
        raise _no_leave(file, error) from error


def _no_leave(file: Path, error: OSError) -> StoreError:
    return StoreError(
        f"The store {file} could not be opened: {error.strerror}; needed a folder that this user may write to; give "
        "this user that leave, or point PRECEDE_HOME elsewhere."
    )


def _keep_a_write_ahead_log(store: Store) -> None:
    """Switch to the write-ahead log, in which readers and the writer do not wait for each other.

    SQLite does not wait for its busy timeout here, so that a second process tries again itself.
    """
    migrate.patiently(lambda: _set_journal(store.url, store.lock_wait), store.lock_wait)


def _set_journal(url: URL, lock_wait: float) -> None:
    engine = create_engine(url, connect_args={"timeout": lock_wait}, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL").scalar_one()
    finally:
        engine.dispose()


def _sqlite(url: URL, lock_wait: float) -> Engine:
    engine = create_engine(url, connect_args={"timeout": lock_wait}, json_serializer=written)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:  # noqa: ANN401  the driver's own connection
        connection.isolation_level = None  # the driver would begin transactions of its own kind
        for pragma in ("foreign_keys=ON", "synchronous=FULL", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql(f"PRAGMA query_only={'OFF' if writes else 'ON'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgres(url: URL) -> Engine:
    return create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 10}, json_serializer=written)
