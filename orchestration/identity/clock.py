"""What time it is at least: a clock that was set back brings nothing to life that had ended."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from orchestration.store.tables import ledger_entry


def latest(connection: Connection, now: datetime) -> datetime:
    """The time to judge an end by: the machine's, or that of the ledger's last entry where that is later."""
    last = select(ledger_entry.c.at).order_by(ledger_entry.c.seq.desc()).limit(1)
    recorded: datetime | None = connection.execute(last).scalar_one_or_none()
    return now if recorded is None else max(now, recorded)
