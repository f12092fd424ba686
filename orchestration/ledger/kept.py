"""Evidence as the store holds it, text for text: most of what there is to verify, and too much to read as JSON.

Its digest is taken over the columns' text, each behind its name and length, so that no edit of one can be made good by
an edit of another. Both databases give JSON columns back as they were written. Entries of earlier versions hold a
digest of the canonical JSON instead, and are compared with that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    LargeBinary,
    Text,
    cast,
    func,
    literal_column,
    select,
    type_coerce,
)
from sqlalchemy.types import NullType

from orchestration.ledger import committed, pins, rows
from orchestration.store.tables import evidence, ledger_entry, ledger_payload

STORED: Final = "stored:"
"""How a digest of the text begins, unlike one of canonical JSON."""
_TEXTS: Final = ("read_set", "entities", "source_rows", "materialisations", "policy_request")
_BEFORE: Final = tuple(f"{name} %d\n".encode() for name in ("action", "kept_at", *_TEXTS))
_PINS: Final = 2 + _TEXTS.index("materialisations")
"""Where rows have the name of their pins, or the pins themselves."""
_LOST: Final = f"{STORED}without its pins"
"""Said of evidence whose pins are not kept as it names them: no evidence has that digest."""
_AT_ONCE: Final = 20
"""Rows that are held at a time: not more than a processor keeps at hand, for each is read twice."""
Bounds = tuple[str | int | None, str | int | None]
"""Rows that come after the first place in a table, up to the second; none where it begins or ends with these."""


class Kept(NamedTuple):
    """What some evidence says."""

    said: dict[str, str]
    """Each action that it is kept of, with the digest of it."""
    pins: dict[bytes, list[str]]
    """The text of all pins that an answer rested on, or of their name, with each action of which it is the same."""


def stored(connection: Connection, among: Collection[str]) -> Iterator[tuple[str, str]]:
    """Each of some actions that evidence is kept of, with the digest of it, as entries are to tell of it."""
    for row in _rows(connection, evidence.c.action.in_(sorted(among))):
        yield row[0], _digest(row)


def whole(connection: Connection, action: str | None = None) -> dict[str, str]:
    """Each action that evidence is kept of, or one alone, with the digest of it where all is kept that it names."""
    return _read(connection, [] if action is None else [evidence.c.action == action]).said


def read(connection: Connection, between: Bounds = (None, None)) -> Kept:
    """The same of some evidence, with the pins that it rests on, which nobody has to read once more."""
    where = []
    if between[0] is not None:
        where.append(_place(connection) > between[0])
    if between[1] is not None:
        where.append(_place(connection) <= between[1])
    return _read(connection, where)


def _read(connection: Connection, where: Iterable[ColumnElement[bool]]) -> Kept:
    kept, before = Kept({}, {b"": []}), None
    alike = kept.pins[b""]
    for row in _rows(connection, *where):
        if row[_PINS] != before:  # the same for all that were decided on one snapshot, as a rule
            before = row[_PINS]
            alike = kept.pins.setdefault(before or b"", [])
        kept.said[row[0]] = _digest(row)
        alike.append(row[0])
    named = {text for text in kept.pins if text[:1] == b'"'}
    for lost in named - pins.sound(connection, named):
        kept.said.update(dict.fromkeys(kept.pins[lost], _LOST))
    return kept


def _rows(connection: Connection, *where: ColumnElement[bool]) -> Iterator[rows.Row]:
    query = select(
        rows.raw_column(evidence.c.action),
        rows.raw_column(evidence.c.kept_at),
        *(_octets(connection, evidence.c[name]) for name in _TEXTS),
    )
    yield from rows.raw(connection, query.where(*where), _AT_ONCE)


def stretches(connection: Connection, size: int) -> list[Bounds]:
    """What `read` may be given so that each row is read once, some `size` of them at a time."""
    place = _place(connection)
    if connection.dialect.name == "sqlite":
        first, last, count = (
            connection.execute(select(each).select_from(evidence)).scalar_one()
            for each in (func.min(place), func.max(place), func.count())
        )
        many = -(-count // size)  # however far the numbers of rows lie from each other, there are no more stretches
        ends = [first + (last - first) * each // many for each in range(1, many)]
    else:
        numbered = select(place.label("place"), func.row_number().over(order_by=place).label("number")).subquery()
        query = select(numbered.c.place).where(numbered.c.number % size == 0).order_by(numbered.c.place)
        ends = list(connection.execute(query).scalars())
    return list(zip([None, *ends], [*ends, None], strict=True))


def _place(connection: Connection) -> ColumnElement[Any]:
    """By what stretches are told from each other: in SQLite by where rows lie, which is how they are read fastest."""
    return literal_column("evidence.rowid") if connection.dialect.name == "sqlite" else evidence.c.action


def as_told(connection: Connection, action: str) -> str:
    """The digest of the evidence of an action, taken as the last entry that tells of it took it."""
    query = (
        select(ledger_payload.c.payload)
        .join(ledger_entry, ledger_entry.c.seq == ledger_payload.c.seq)
        .where(ledger_entry.c.action == action, ledger_entry.c.kind == "decision")
        .order_by(ledger_entry.c.seq.desc())
    )
    told = (json.loads(payload).get("evidence") for payload in connection.execute(query).scalars().all())
    if (next(filter(None, told), None) or STORED).startswith(STORED):
        return whole(connection, action)[action]
    return canonically(connection, action)


def canonically(connection: Connection, action: str) -> str:
    """The digest of the evidence of one action as earlier versions took it."""
    row = connection.execute(select(evidence).where(evidence.c.action == action)).mappings().one()
    return committed.of_evidence(dict(row))


def digest_of(row: Mapping[str, Any]) -> str:
    """The digest of evidence that is about to be kept, whose JSON columns are text already."""
    texts = (None if row[name] is None else row[name].encode("utf-8", "surrogatepass") for name in _TEXTS)
    return _digest((row["action"], row["kept_at"], *texts))


def _octets(connection: Connection, column: Column[Any]) -> ColumnElement[Any]:
    """The text of a column in UTF-8, which no driver reads into text first."""
    if connection.dialect.name == "sqlite":
        return type_coerce(cast(column, LargeBinary), NullType())
    return type_coerce(func.convert_to(cast(column, Text), "UTF8"), NullType())


def _digest(row: rows.Row) -> str:
    digest = hashlib.sha256()
    action = row[0].encode("utf-8", "surrogatepass") if isinstance(row[0], str) else rows.written(row[0]).encode()
    for before, held in zip(_BEFORE, (action, rows.written_time(row[1]).encode(), *row[2:]), strict=True):
        if held is not None:  # a column that came later says nothing of what was kept before it
            digest.update(before % len(held))
            digest.update(held)
    return STORED + digest.hexdigest()
