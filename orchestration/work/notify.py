"""Telling people what happened, through a program of theirs: never on the way to an effect, and never lost.

`notify` writes down what is to be told, in the transaction in which it came to be. `send` hands it to the program that
`PRECEDE_NOTIFY` names, later and by whoever runs next; what it does not take is tried again, each time after a longer
wait. It may be told twice where a sender died, never not at all. Without such a program it is kept, and shown as not
sent.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select, update
from tenacity import RetryCallState, Retrying, wait_exponential

from orchestration.canonical import canonical, plain
from orchestration.settings import Settings
from orchestration.store.engine import Store
from orchestration.store.tables import notification
from orchestration.work.environment import BASICS

TIMEOUT: Final = 10.0
"""Seconds that the program may take for one notification."""
AT_ONCE: Final = 100
"""Notifications that one call of `send` tries."""
_PASSED: Final = (*BASICS, "HOME")
_WAIT: Final = wait_exponential(multiplier=30, max=3600)
_LONGEST: Final = 500  # characters of what the program said that are kept


@dataclass(frozen=True, slots=True)
class Sending:
    """What one call of `send` came to.

    Attributes:
        sent: How many the program took.
        unsent: How many are still to be sent.
        error: Why it ended before they were; empty where it did not.
    """

    sent: int
    unsent: int
    error: str = ""


def notify(connection: Connection, kind: str, body: Mapping[str, Any], now: datetime) -> int:
    """Write down that people are to be told something; its number.

    Args:
        connection: Inside `Store.begin()`: it is told if and only if that commits.
        kind: What it is, such as `stop`.
        body: Ids, codes, counts, and what an operator said; never an entity's name or contact point.
        now: When it came to be.
    """
    values = {"kind": kind, "body": plain(body), "created_at": now, "next_at": now}
    made = connection.execute(insert(notification).values(values).returning(notification.c.notification_id))
    return int(made.scalar_one())


def due(connection: Connection, now: datetime) -> int:
    """How many notifications may be tried now."""
    query = select(func.count()).select_from(notification)
    return int(connection.execute(query.where(*_due(now))).scalar_one())


def unsent(connection: Connection) -> int:
    """How many notifications were not sent yet."""
    query = select(func.count()).select_from(notification).where(notification.c.sent_at.is_(None))
    return int(connection.execute(query).scalar_one())


def send(store: Store, settings: Settings, now: datetime) -> Sending:
    """Hand what waits to the program, the oldest first, until it fails once: then it is tried again later.

    Args:
        store: The coordinator's store.
        settings: Which program.
        now: The time; what is not due yet by then is left.

    Raises:
        ConfigurationError: `PRECEDE_NOTIFY` cannot be read.
        StoreError: The store cannot be written.
    """
    command, sent, error = settings.notify, 0, ""
    while command and not error and sent < AT_ONCE and (row := _claim(store, now)) is not None:
        error = _tell(command, row)
        said = {"error": error[:_LONGEST]} if error else {"error": "", "sent_at": now}
        with store.begin() as connection:
            this = update(notification).where(notification.c.notification_id == row.notification_id)
            connection.execute(this.values(said))
        sent += not error
    with store.read() as connection:
        return Sending(sent, unsent(connection), error)


def wait_after(attempts: int) -> timedelta:
    """How long to wait after that many attempts: half a minute at first, an hour at most."""
    state = RetryCallState(Retrying(), None, (), {})
    state.attempt_number = attempts
    return timedelta(seconds=_WAIT(state))


def _due(now: datetime) -> tuple[Any, ...]:
    return notification.c.sent_at.is_(None), notification.c.next_at <= now


def _claim(store: Store, now: datetime) -> Row[Any] | None:
    """The oldest that is due, put off by then: another sender leaves it, and finds it again if this one dies."""
    query = select(notification).where(*_due(now)).order_by(notification.c.notification_id).limit(1)
    with store.begin() as connection:
        row = connection.execute(query).one_or_none()
        if row is not None:
            attempts = row.attempts + 1
            this = update(notification).where(notification.c.notification_id == row.notification_id)
            connection.execute(this.values(attempts=attempts, next_at=now + wait_after(attempts)))
        return row


def _tell(command: tuple[str, ...], row: Row[Any]) -> str:
    """Run the program on one notification; why it failed, or nothing."""
    with (
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as said,
    ):  # pipes could be held open by a child of it
        given.write(canonical({**row.body, "id": row.notification_id, "kind": row.kind, "at": row.created_at}))
        given.seek(0)
        try:
            child = subprocess.Popen(  # noqa: S603  the operator's own program, without a shell
                command,
                stdin=given,
                stdout=said,
                stderr=said,
                env={name: os.environ[name] for name in _PASSED if name in os.environ},
                start_new_session=True,
            )
        except OSError as problem:
            return f"{command[0]} could not be started ({problem.strerror})."
        try:
            code = child.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            return f"{command[0]} took longer than {TIMEOUT:g} seconds."
        said.seek(0)
        words = said.read(_LONGEST).decode("utf-8", "replace").split()
    return f"{command[0]} ended with {code}: {' '.join(words) or 'it said nothing'}" if code else ""
