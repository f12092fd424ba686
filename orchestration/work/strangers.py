"""Incidents: rows that Precede's account wrote and that the ledger does not account for.

Somebody else uses the credential, a tool wrote twice, or what was recorded as not having happened did. A row is known
as Precede's by the account that its action type's `read_back` names, and its effect by the effect key that it states.

    no_entry     no effect that the ledger meant has that key, or the row states none
    said_failed  the ledger says that it did not happen
    never_sent   the ledger says that it was not sent yet
    doubled      another row of Precede's account has the same key
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, exists, insert, select

from orchestration.action_effects import ReadBack
from orchestration.action_types import ActionType
from orchestration.contracts import OutcomeState
from orchestration.graph.reader import EntityGraph
from orchestration.ledger import entries_effects
from orchestration.ledger.kinds import INTENT, UNDO
from orchestration.sql import literal, quoted
from orchestration.store.tables import incident, ledger_entry, outbox, undo
from orchestration.work.notify import notify
from orchestration.work.relations import relation_of, rows_of

SHOWN: Final = 50
"""Rows that a notification names."""
_CHUNK: Final = 500
_WORST: Final = ("never_sent", "said_failed", "")
"""What is said of a key by several effects: the last of these counts."""


def accounts(action_types: Mapping[str, ActionType]) -> list[ReadBack]:
    """Where rows of Precede's own account are known, each place once."""
    stated = [
        read_back
        for action_type in action_types.values()
        for read_back in (action_type.read_back, action_type.compensation.read_back)
        if read_back is not None and read_back.account is not None
    ]
    return list(
        {(one.relation, one.key_column, str(sorted((one.account or {}).items()))): one for one in stated}.values()
    )


def look(
    connection: Connection, graph: EntityGraph, action_types: Mapping[str, ActionType]
) -> tuple[dict[tuple[str, str], dict[str, Any]], list[str]]:
    """Every row of Precede's account in a graph that nothing accounts for, and the relations that could not be read.

    Returns:
        Record and how, to relation and effect key.
    """
    found: dict[tuple[str, str], dict[str, Any]] = {}
    unread: list[str] = []
    keys: dict[str, str] | None = None
    for place in accounts(action_types):
        rows = rows_of(graph, _written(place), {})
        if rows is None:
            unread.append(place.relation)
            continue
        if rows and keys is None:
            keys = _meant(connection)
        for row in rows:
            key = row["effect_key"] or ""
            how = (keys or {}).get(key, "no_entry")
            for each in (how, "doubled" if key and row["same"] > 1 else ""):
                if each:
                    found[row["record_id"], each] = {"relation": place.relation, "effect_key": key}
    return found, unread


def keep(
    connection: Connection, snapshot_id: str, found: Mapping[tuple[str, str], Mapping[str, Any]], now: datetime
) -> int:
    """Write down the incidents that are new, in store and ledger, and tell people; how many they are."""
    known = {(row.record_id, row.how) for row in connection.execute(select(incident.c.record_id, incident.c.how))}
    new = [
        {"record_id": key[0], "how": key[1], **found[key], "snapshot_id": snapshot_id, "found_at": now}
        for key in sorted(found.keys() - known)
    ]
    for start in range(0, len(new), _CHUNK):
        connection.execute(insert(incident), new[start : start + _CHUNK])
        entries_effects.incidents_found(connection, snapshot_id, new[start : start + _CHUNK], at=now)
    if new:
        shown = [{"record": row["record_id"], "how": row["how"]} for row in new[:SHOWN]]
        body = {"snapshot": snapshot_id, "rows": len(new), "shown": shown, "list": "precede effects incidents"}
        notify(connection, "incident", body, now)
    return len(new)


def _written(place: ReadBack) -> str:
    """A query for the rows of Precede's account: record, effect key, and how many rows have that key."""
    relation, key = relation_of(place.relation), f"CAST(seen.{quoted(str(place.key_column))} AS VARCHAR)"
    ours = " AND ".join(
        f"lower(trim(CAST(seen.{quoted(column)} AS VARCHAR))) = lower({literal(value)})"
        for column, value in (place.account or {}).items()
    )
    return (
        f"SELECT {relation.record_id} AS record_id, {key} AS effect_key, "
        f"count(*) OVER (PARTITION BY {key}) AS same FROM {relation.name} AS seen WHERE {ours}"
    )


def _meant(connection: Connection) -> dict[str, str]:
    """Every effect key that an entry of the ledger meant, and what speaks against a row that has it."""
    entry = ledger_entry.c
    found: dict[str, str] = {}
    for table, kind in ((outbox, INTENT), (undo, UNDO)):
        meant = exists().where(entry.action == table.c.action, entry.kind == kind)
        for row in connection.execute(select(table.c.effect_key, table.c.state, table.c.attempts).where(meant)):
            said = _against(row.state, row.attempts)
            before = found.get(row.effect_key, _WORST[0])
            found[row.effect_key] = max(before, said, key=_WORST.index)
    return found


def _against(state: str, attempts: int) -> str:
    if state == OutcomeState.FAILED:
        return "said_failed"
    sent = attempts > 0 or state in _SENT
    return "" if sent else "never_sent"


_SENT: Final[Iterable[str]] = ("sending", OutcomeState.DONE.value, OutcomeState.UNKNOWN.value)
