"""What effects rested on, taken from their evidence once: ids and digests that every later graph is compared with.

Evidence is large, and goes after its time; a record's id and the digest of a value are small, and nobody's name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Row, exists, insert, select

from orchestration.canonical import digest
from orchestration.contracts import OutcomeState
from orchestration.store.engine import Store
from orchestration.store.tables import effect_record, effect_value, evidence, outbox

AT_ONCE: Final = 200
"""Effects of one transaction: other writers wait for it."""


def take(store: Store) -> int:
    """Take what every effect rested on that was not taken yet; of how many it was.

    Raises:
        StoreError: The store cannot be written.
    """
    taken, after = 0, ""
    while rows := _untaken(store, after):
        records = [record for row in rows for record in _records(row)]
        values = [value for row in rows for value in _values(row)]
        with store.begin() as connection:
            had = select(effect_record.c.action).where(effect_record.c.action.in_([row.action for row in rows]))
            done = set(connection.execute(had).scalars())  # by another process, meanwhile
            for table, found in ((effect_record, records), (effect_value, values)):
                if new := [each for each in found if each["action"] not in done]:
                    connection.execute(insert(table), new)
        taken, after = taken + len(rows), rows[-1].action
    return taken


def _untaken(store: Store, after: str) -> list[Row[Any]]:
    query = (
        select(evidence.c.action, evidence.c.entities, evidence.c.read_set)
        .join(outbox, outbox.c.action == evidence.c.action)
        .where(
            outbox.c.state != OutcomeState.FAILED.value,
            evidence.c.action > after,
            ~exists().where(effect_record.c.action == evidence.c.action),
        )
        .order_by(evidence.c.action)
        .limit(AT_ONCE)
    )
    with store.read() as connection:
        return list(connection.execute(query))


def _records(row: Row[Any]) -> Iterator[dict[str, str]]:
    """Each record that each entity had."""
    had = {(str(one["entity_id"]), str(one["record_id"])) for one in _mapping(row.entities).get("crosswalk") or ()}
    for entity_id, record_id in sorted(had):
        yield {"action": row.action, "entity_id": entity_id, "record_id": record_id}


def _values(row: Row[Any]) -> Iterator[dict[str, str]]:
    """Each value of each entity that was read."""
    read = {}
    for entity in _mapping(_mapping(row.read_set).get("entities")).values():
        for field, value in _mapping(entity.get("fields")).items():
            read[str(entity["entity"]), field] = digest(value)
    for (entity_id, field), said in sorted(read.items()):
        yield {"action": row.action, "entity_id": entity_id, "field": field, "digest": said}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
