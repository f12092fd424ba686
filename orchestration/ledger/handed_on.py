"""What ledger and store say of handoffs: all those of one answer together, in the order of its log.

The entry's body holds a digest of them, which outlives the payload where a person who is told of there is erased.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, select

from orchestration.canonical import digest
from orchestration.ledger.subjects import HANDOFFS, Subject
from orchestration.store.tables import handoff

_COLUMNS: Final = ("number", "row_id", "step", "attempts", "state", "output_digest", "taken_at")


def digest_of(rows: Iterable[Mapping[Any, Any]]) -> str:
    """The digest of the handoffs of one answer, as rows of the store in the order of their numbers."""
    return digest([[row[name] for name in _COLUMNS] for row in rows])


def told_by_answer(body: Mapping[str, Any]) -> Iterator[tuple[Subject, str, int]]:
    """What the entry of an answer says of its handoffs; nothing where there are none, or they were not kept yet."""
    if body.get("handoff_digest"):
        yield Subject(HANDOFFS, str(body.get("batch"))), str(body["handoff_digest"]), 0


def told_by_store(connection: Connection) -> Iterator[tuple[Subject, str]]:
    """What the store's rows say of the handoffs of each batch."""
    query = select(handoff).order_by(handoff.c.batch_id, handoff.c.number).execution_options(yield_per=1000)
    with connection.execute(query) as found:
        for batch_id, rows in groupby(found.mappings(), itemgetter("batch_id")):
            yield Subject(HANDOFFS, batch_id), digest_of(rows)
