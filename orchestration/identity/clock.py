"""What time it is at least: a clock that was set back brings nothing to life that had ended."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select

from orchestration.store.tables import ledger_entry

_LATEST = select(func.max(ledger_entry.c.at))


def latest(connection: Connection, now: datetime) -> datetime:
    """The time to judge an end by: the machine's, or that of the ledger's latest entry where that is later.

    Not of its last one: what is recorded after a clock was set back has the early time.
    """
    recorded: datetime | None = connection.execute(_LATEST).scalar_one_or_none()
    return now if recorded is None else max(now, recorded)
