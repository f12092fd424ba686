"""Who objects to being contacted: recorded by an operator, and obeyed by the gate whatever the graph makes of them.

An objection is kept as digests of all by which whoever objects is known: the entity, each record that it has, each
contact point that is theirs. So it holds after a merge, a split or a new id, through the records, and of a new record
with the same mailbox, through that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import Connection, func, insert, select, update

from orchestration.erasure.suppression import mailbox, sql_mailbox
from orchestration.errors import ConfigurationError, NotFound
from orchestration.gate.limits.touch import contact_subject, entity_subjects
from orchestration.graph.reader import EntityGraph
from orchestration.ledger import entries_erasure as entries
from orchestration.store.tables import objection, objection_subject

ENTITY: Final = "entity"
MAILBOX: Final = "mailbox"
_MAILBOX: Final = re.compile(r"[^\s@<>,;]+@[^\s@<>,;.]+(?:\.[^\s@<>,;.]+)*")
_PROVEN: Final = frozenset({"verified", "staff"})
_HOLDERS: Final = """
    SELECT DISTINCT entity_id FROM contact_point JOIN entity USING (entity_id)
    WHERE lower(value) = lower(?) AND entity_type = 'person' AND asserted_by IN ('verified', 'staff')
"""


def subjects_of(graph: EntityGraph | None, said: str) -> tuple[str, frozenset[str]]:
    """What an objection is kept by: whether it is an entity's or a mailbox's, and the digests.

    A contact point that only a stranger says to be somebody's is left out, or he could silence whoever has it.

    Args:
        graph: The current graph; a mailbox may object where there is none.
        said: An entity id, a record id or a mailbox.

    Raises:
        ConfigurationError: It has an @ and is no mailbox.
        NotFound: It is no mailbox, and nobody has that id.
    """
    if "@" in said:
        if not _MAILBOX.fullmatch(said):
            raise ConfigurationError("what objects", repr(said), "a mailbox such as zq@example.com, or an id")
        found: frozenset[str] = frozenset({contact_subject(said)})
        for row in graph.rows(_HOLDERS, [said]) if graph else ():
            found = found | entity_subjects(row["entity_id"], _records(graph, row["entity_id"]))
        return MAILBOX, frozenset(found)
    entity_id = None if graph is None else _entity(graph, said)
    if graph is None or entity_id is None:
        raise NotFound(
            f"Nobody has the id {said!r}; needed an entity, one of its records, or a mailbox; `precede find`."
        )
    points = graph.contact_points(entity_id)
    theirs = frozenset(contact_subject(point.value) for point in points if point.asserted_by in _PROVEN)
    return ENTITY, theirs | entity_subjects(entity_id, _records(graph, entity_id))


def stated(graph: EntityGraph | None, address: str) -> bool:
    """Whether any record in the graph states a mailbox, however it is written there."""
    sql = f"SELECT 1 FROM contact_point WHERE channel = 'email' AND {sql_mailbox('value')} = ? LIMIT 1"
    return graph is not None and bool(graph.rows(sql, [mailbox(address)]))


def object_(  # noqa: PLR0913  an objection has that many parts
    connection: Connection, kind: str, said: str, subjects: Iterable[str], *, operator: str, reason: str, now: datetime
) -> str:
    """Record an objection; its id.

    Args:
        connection: Inside `Store.begin()`.
        kind: `entity` or `mailbox`.
        said: Whom or what it was said of.
        subjects: As `subjects_of` returns them.
        operator: Who records it.
        reason: Why.
        now: When.
    """
    objection_id = f"objection_{uuid4().hex[:12]}"
    row = {"objection_id": objection_id, "number": _next(connection), "kind": kind, "said": said}
    connection.execute(insert(objection).values(**row, operator=operator, reason=reason, at=now))
    kept = [{"objection_id": objection_id, "subject": subject} for subject in sorted(set(subjects))]
    connection.execute(insert(objection_subject), kept)
    entries.objected(connection, objection_id, at=now)
    return objection_id


def withdraw(connection: Connection, objection_id: str, *, operator: str, reason: str, now: datetime) -> None:
    """Record that an objection is taken back.

    Raises:
        NotFound: There is no such objection.
        ConfigurationError: It was taken back before.
    """
    this = objection.c.objection_id == objection_id
    row = connection.execute(select(objection).where(this)).one_or_none()
    if row is None:
        raise NotFound(f"There is no objection {objection_id!r}; needed one of `precede objections list`.")
    if row.withdrawn_at is not None:
        raise ConfigurationError(objection_id, f"withdrawn at {row.withdrawn_at.isoformat()}", "one that stands")
    said = {"withdrawn_at": now, "withdrawn_by": operator, "withdrawn_reason": reason}
    connection.execute(update(objection).where(this).values(number=_next(connection), **said))
    entries.objection_withdrawn(connection, objection_id, at=now)


def objections(connection: Connection) -> list[dict[str, Any]]:
    """Every objection, the oldest first, also those that were taken back."""
    rows = connection.execute(select(objection).order_by(objection.c.at, objection.c.objection_id))
    return [dict(row) for row in rows.mappings()]


_Last = tuple[int, str, int, int]
_known: dict[str, tuple[_Last, frozenset[str]]] = {}
"""Store to the last thing that happened to an objection there, with how many there were, and what stood by then."""


def standing_subjects(connection: Connection) -> frozenset[str]:
    """The digests of all that objections stand of, read again where anything happened to one since."""
    # the number alone would not do: that of a transaction which was rolled back is given again, and no entry covers it,
    # so that a new one whose number was edited would not be the last
    newest = select(
        objection.c.number,
        objection.c.objection_id,
        func.count().over(),
        func.count(objection.c.withdrawn_at).over(),
    )
    ordered = newest.order_by(objection.c.number.desc(), objection.c.objection_id.desc()).limit(1)
    row = connection.execute(ordered).one_or_none()
    if row is None:
        return frozenset()
    store, last = str(connection.engine.url), (row[0], row[1], row[2], row[3])
    before, found = _known.get(store, (None, frozenset()))
    if before != last:
        stands = select(objection_subject.c.subject).join(
            objection, objection.c.objection_id == objection_subject.c.objection_id
        )
        found = frozenset(connection.execute(stands.where(objection.c.withdrawn_at.is_(None))).scalars())
        _known[store] = (last, found)
    return found


def _next(connection: Connection) -> int:
    return int(connection.execute(select(func.max(objection.c.number))).scalar_one() or 0) + 1


def _records(graph: EntityGraph | None, entity_id: str) -> list[str]:
    return [one.record_id for one in graph.records_of(entity_id)] if graph else []


def _entity(graph: EntityGraph, said: str) -> str | None:
    found = graph.crosswalk(said)
    return found.entity_id if found else said if graph.entity(said) else None
