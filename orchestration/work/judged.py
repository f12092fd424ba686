"""Which effects rest on what a person has judged otherwise since: asked of the store alone, by index."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, Select, and_, exists, select

from orchestration.canonical import digest
from orchestration.contracts import OutcomeState
from orchestration.store.tables import effect_record, effect_value, judgement, outbox, settlement

_STANDS = outbox.c.state != OutcomeState.FAILED.value


def judged(connection: Connection) -> dict[tuple[str, str], str]:
    """Effects that a judgement given since speaks against: action and entity to the judgements, blanks between them.

    It does where it parts two records that were one entity, joins one with a record that was none of its own, or says
    that a value is another than the one that was read. The last word on a pair or a field counts.
    """
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for query in (_parted(), _joined(judgement.c.record_a, judgement.c.record_b), _joined_the_other_way()):
        for row in connection.execute(query):
            found[row.action, row.entity_id].add(row.judgement_id)
    for row in connection.execute(_settled()):
        if digest(row.value) != row.digest:
            found[row.action, row.entity_id].add(row.judgement_id)
    return {key: " ".join(sorted(said)) for key, said in found.items()}


def _parted() -> Select[Any]:
    """Two records of an entity are two things."""
    one, other = effect_record.alias("one"), effect_record.alias("other")
    same = and_(other.c.action == one.c.action, other.c.entity_id == one.c.entity_id)
    return (
        select(one.c.action, one.c.entity_id, judgement.c.judgement_id)
        .join(judgement, judgement.c.record_a == one.c.record_id)
        .join(other, and_(same, other.c.record_id == judgement.c.record_b))
        .join(outbox, outbox.c.action == one.c.action)
        .where(judgement.c.verdict == "different", judgement.c.at > outbox.c.intended_at, _STANDS, _last_of_its_pair())
    )


def _joined(inside: Any, outside: Any) -> Select[Any]:  # noqa: ANN401  columns
    """A record of an entity is the same thing as one that was not its own."""
    one, other = effect_record.alias("one"), effect_record.alias("other")
    own = exists().where(
        other.c.action == one.c.action, other.c.entity_id == one.c.entity_id, other.c.record_id == outside
    )
    return (
        select(one.c.action, one.c.entity_id, judgement.c.judgement_id)
        .join(judgement, inside == one.c.record_id)
        .join(outbox, outbox.c.action == one.c.action)
        .where(judgement.c.verdict == "same", judgement.c.at > outbox.c.intended_at, _STANDS, ~own, _last_of_its_pair())
    )


def _joined_the_other_way() -> Select[Any]:
    return _joined(judgement.c.record_b, judgement.c.record_a)


def _settled() -> Select[Any]:
    """A value that was read of an entity, and what was said since is right."""
    later = settlement.alias("later")
    last = ~exists().where(
        later.c.record_id == settlement.c.record_id,
        later.c.field == settlement.c.field,
        later.c.number > settlement.c.number,
    )
    read = and_(effect_value.c.action == effect_record.c.action, effect_value.c.entity_id == effect_record.c.entity_id)
    return (
        select(
            effect_record.c.action,
            effect_record.c.entity_id,
            settlement.c.judgement_id,
            settlement.c.value,
            effect_value.c.digest,
        )
        .join(settlement, settlement.c.record_id == effect_record.c.record_id)
        .join(effect_value, and_(read, effect_value.c.field == settlement.c.field))
        .join(outbox, outbox.c.action == effect_record.c.action)
        .where(settlement.c.at > outbox.c.intended_at, settlement.c.value.is_not(None), _STANDS, last)
    )


def _last_of_its_pair() -> Any:  # noqa: ANN401  SQLAlchemy's expression
    later = judgement.alias("later")
    return ~exists().where(
        later.c.record_a == judgement.c.record_a,
        later.c.record_b == judgement.c.record_b,
        later.c.number > judgement.c.number,
    )
