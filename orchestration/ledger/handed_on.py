"""What ledger and store say of handoffs: all those of one answer together, in the order of its log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, select

from orchestration.canonical import digest
from orchestration.ledger.subjects import HANDOFFS, Subject
from orchestration.store.tables import handoff

COLUMNS: Final = ("row_id", "step", "attempts", "state", "output_digest")
"""What the agent's side said of a handoff; the rest is the coordinator's."""


def told_by_answer(body: Mapping[str, Any], payload: Mapping[str, Any]) -> Iterator[tuple[Subject, str, int]]:
    """What the entry of an answer says of its handoffs; nothing where there are none, or its payload was erased."""
    if body.get("handoffs") and "handoffs" in payload:
        yield Subject(HANDOFFS, str(body.get("batch"))), digest([body.get("at"), payload.get("handoffs")]), 0


def told_by_store(connection: Connection) -> Iterator[tuple[Subject, str]]:
    """What the store's rows say of the handoffs of each batch."""
    query = select(handoff).order_by(handoff.c.batch_id, handoff.c.number).execution_options(yield_per=1000)
    with connection.execute(query) as found:
        for batch_id, rows in groupby(found.mappings(), itemgetter("batch_id")):
            yield Subject(HANDOFFS, batch_id), _digest(list(rows))


def _digest(rows: Sequence[Mapping[Any, Any]]) -> str:
    """As the answer told it; of rows of several times, or whose numbers have a gap, something that no answer told."""
    times, numbers = {row["taken_at"] for row in rows}, [row["number"] for row in rows]
    at = rows[0]["taken_at"] if len(times) == 1 and numbers == list(range(1, len(rows) + 1)) else None
    return digest([at, [{name: row[name] for name in COLUMNS} for row in rows]])
