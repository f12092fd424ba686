"""What time it is at least: a clock that was set back brings nothing to life that had ended.

The other way round, a clock that was ahead for a while ends everything until its time has come; what it recorded cannot
be taken away. So an operator says that it was ahead, and time is judged by what is recorded from then on.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, func, select

from orchestration.ledger.chain import append
from orchestration.store.tables import ledger_entry

CLOCK: Final = "clock"
"""The kind of entry by which an operator says that the clock was ahead."""
_SET_RIGHT: Final = select(func.max(ledger_entry.c.seq)).where(ledger_entry.c.kind == CLOCK)
_LATEST: Final = select(func.max(ledger_entry.c.at))
_SINCE: Final = (
    select(ledger_entry.c.seq, ledger_entry.c.at)
    .where(ledger_entry.c.seq >= bindparam("since"))
    .order_by(ledger_entry.c.at.desc())
    .limit(1)
)


class Ahead(NamedTuple):
    """The latest entry, where it is later than it is now."""

    entry: int
    at: datetime


def latest(connection: Connection, now: datetime) -> datetime:
    """The time to judge an end by: the machine's, or that of the ledger's latest entry where that is later.

    Not of its last one: what is recorded after a clock was set back has the early time.
    """
    since: int | None = connection.execute(_SET_RIGHT).scalar_one()
    if since is None:
        recorded: datetime | None = connection.execute(_LATEST).scalar_one()
    else:
        recorded = connection.execute(_SINCE, {"since": since}).one().at
    return now if recorded is None else max(now, recorded)


def set_right(connection: Connection, *, operator: str, reason: str, now: datetime) -> Ahead | None:
    """Record that the clock was ahead, so that what was recorded until now ends nothing any more.

    Args:
        connection: Inside `Store.begin()`.
        operator: Who says so.
        reason: How they know.
        now: The time that is right.

    Returns:
        The entry that was furthest ahead; none where there is none, and then nothing is recorded.
    """
    since = connection.execute(_SET_RIGHT).scalar_one() or 0
    found = connection.execute(_SINCE, {"since": since}).one_or_none()
    if found is None or found.at <= now:
        return None
    body = {"furthest": found.seq, "was": found.at}
    append(connection, CLOCK, body, at=now, payload={"operator": operator, "reason": reason})
    return Ahead(found.seq, found.at)
