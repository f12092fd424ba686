"""What people judge: whether two records are one, and which of two values is right. Kept for ever, obeyed by insight.

A judgement is a row of the store and an entry of the ledger, written in one transaction and never changed: a later one
of the same pair, or of the same record and field, takes its place. What the reviewer was shown stands beside it. What
the judgements do to links and golden records belongs to insight, which is handed those that count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Table, func, insert, select

from orchestration.canonical import plain
from orchestration.contracts import SnapshotId
from orchestration.errors import ConfigurationError, NotFound
from orchestration.graph.model import ADDED_UP, RECORD_TYPES
from orchestration.graph.reader import EntityGraph
from orchestration.graph.rows import Crosswalk
from orchestration.ledger import entries
from orchestration.store import tables
from orchestration.store.engine import Store

Row = dict[str, Any]
LONGEST: Final = 2000
"""Characters that a note may have."""


class PairVerdict(StrEnum):
    """What can be said of two records; `skip` says nothing, and takes back what was said before."""

    SAME = "same"
    DIFFERENT = "different"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records of one type, the lesser id first, as one snapshot shows them to a reviewer.

    Attributes:
        entity_type: Their record type.
        record_a: The lesser id.
        record_b: The greater one.
        entity_a: Whose record the first is there.
        entity_b: Whose record the second is there.
        snapshot_id: The graph.
        shown: Both records' values, and each step that the graph gives for why they are one or are not.
    """

    entity_type: str
    record_a: str
    record_b: str
    entity_a: str
    entity_b: str
    snapshot_id: SnapshotId
    shown: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Disputed:
    """A field of a record's entity, with what each record of that entity states of it."""

    entity_type: str
    record_id: str
    entity_id: str
    field: str
    stated: Mapping[str, str]
    snapshot_id: SnapshotId


def pair_of(graph: EntityGraph, first: str, second: str) -> Pair:
    """Two records of the graph, in the order of their ids.

    Raises:
        NotFound: One of them is no record of an organisation or a person.
        ConfigurationError: They are one record, or an organisation and a person.
    """
    one, other = sorted((record_of(graph, first), record_of(graph, second)), key=lambda each: each.record_id)
    if one.record_id == other.record_id:
        raise ConfigurationError("a pair", f"{one.record_id} twice", "two different records")
    if one.entity_type != other.entity_type:
        found = f"{one.record_id} of a {one.entity_type} and {other.record_id} of a {other.entity_type}"
        raise ConfigurationError("a pair", found, "two records of one type")
    shown = {
        "records": {each.record_id: graph.record(each.record_id) for each in (one, other)},
        "steps": graph.why(one.record_id, other.record_id),
    }
    return Pair(
        one.entity_type,
        one.record_id,
        other.record_id,
        one.entity_id,
        other.entity_id,
        graph.snapshot_id,
        plain(shown),
    )


def record_of(graph: EntityGraph, record_id: str) -> Crosswalk:
    """A record and its entity.

    Raises:
        NotFound: It is no record of an organisation or a person.
    """
    found = graph.crosswalk(record_id)
    if found is None:
        raise NotFound(
            f"No record of an organisation or a person has the id {record_id!r}; needed one such as crm:company:12; "
            "look it up with `precede find`, or list an entity's records with `precede show`."
        )
    return found


def disputed(graph: EntityGraph, record_id: str, field: str) -> Disputed:
    """A field of a record's entity.

    Raises:
        NotFound: There is no such record.
        ConfigurationError: Records of that type have no such field.
    """
    record = record_of(graph, record_id)
    shape = RECORD_TYPES[record.entity_type]
    single = [name for name in shape.names if name not in ADDED_UP]
    if field not in single:
        found = f"{field!r}, which every record of an entity adds to" if field in ADDED_UP else repr(field)
        raise ConfigurationError(f"the field of {record_id}", found, f"one of {', '.join(single)}")
    rows = graph.rows(
        f'SELECT record_id, CAST("{field}" AS VARCHAR) AS value FROM {shape.name}_record '
        f'WHERE entity_id = ? AND "{field}" IS NOT NULL ORDER BY record_id',
        [record.entity_id],
    )
    stated = {row["record_id"]: row["value"] for row in rows}
    return Disputed(record.entity_type, record.record_id, record.entity_id, field, stated, graph.snapshot_id)


def judge(  # noqa: PLR0913  what a judgement says
    store: Store, pair: Pair, verdict: PairVerdict, reviewer: str, *, note: str = "", now: datetime
) -> Row:
    """Keep what a reviewer says of a pair; the row that was written.

    Raises:
        ConfigurationError: The reviewer has no name, or the note is too long.
    """
    said = {
        "entity_type": pair.entity_type,
        "record_a": pair.record_a,
        "record_b": pair.record_b,
        "verdict": verdict.value,
        "reviewer": _named(reviewer),
        "note": _short(note),
        "at": now,
        "snapshot_id": pair.snapshot_id,
        "shown": dict(pair.shown),
    }
    with store.begin() as connection:
        row = _add(connection, tables.judgement, "judgement", said)
        entries.judged(connection, row["judgement_id"], at=now)
    return row


def settle(  # noqa: PLR0913  what a settlement says
    store: Store,
    about: Disputed,
    value: str | None,
    reviewer: str,
    *,
    until: date | None = None,
    note: str = "",
    now: datetime,
) -> Row:
    """Keep which value of a field a reviewer says is right; the row that was written.

    Args:
        store: The coordinator's store.
        about: The field, with what the entity's records state of it.
        value: The right value, which one of them must state; None takes back what was said before.
        reviewer: Who says so.
        until: The last day on which it counts; None for ever.
        note: Why.
        now: When.

    Raises:
        ConfigurationError: No record states that value, the reviewer has no name, or the note is too long.
    """
    if value is not None and value not in about.stated.values():
        stated = ", ".join(f"{each!r} ({record})" for record, each in about.stated.items()) or "nothing"
        needed = f"a value that a record of {about.entity_id} states: {stated}"
        raise ConfigurationError(f"the {about.field} of {about.record_id}", repr(value), needed)
    said = {
        "entity_type": about.entity_type,
        "record_id": about.record_id,
        "field": about.field,
        "value": value,
        "until": until,
        "reviewer": _named(reviewer),
        "note": _short(note),
        "at": now,
        "snapshot_id": about.snapshot_id,
        "shown": {"entity": about.entity_id, "stated": dict(about.stated)},
    }
    with store.begin() as connection:
        row = _add(connection, tables.settlement, "settlement", said)
        entries.value_settled(connection, row["judgement_id"], at=now)
    return row


def judgements(connection: Connection) -> list[Row]:
    """The last judgement of every pair, skips too, in the order in which they were given."""
    return _last(connection, tables.judgement, "record_a", "record_b")


def settlements(connection: Connection) -> list[Row]:
    """The last settlement of every record and field, those taken back too, in the order in which they were given."""
    return _last(connection, tables.settlement, "record_id", "field")


def _last(connection: Connection, table: Table, *keys: str) -> list[Row]:
    newest = select(func.max(table.c.number)).group_by(*(table.c[key] for key in keys))
    rows = connection.execute(select(table).where(table.c.number.in_(newest)).order_by(table.c.number))
    return [dict(row) for row in rows.mappings()]


def _add(connection: Connection, table: Table, kind: str, said: Row) -> Row:
    """Write a row under the next number: a write transaction is alone, so no other has it. Ids sort as numbers do."""
    last = connection.execute(select(func.max(table.c.number))).scalar_one()
    number = (last or 0) + 1
    row = {"number": number, "judgement_id": f"{kind}_{number:06}", **said}
    connection.execute(insert(table).values(row))
    return row


def _named(reviewer: str) -> str:
    name = reviewer.strip()
    if not name:
        raise ConfigurationError("the reviewer", "nobody", "the name of who judges")
    return name


def _short(note: str) -> str:
    said = note.strip()
    if len(said) > LONGEST:
        raise ConfigurationError("--note", f"{len(said):,} characters", f"at most {LONGEST:,}")
    return said
