"""The kinds of entry about calls of tools, and what the ledger says of the calls for one effect.

    kind      recorded by    tells of
    begun     begun          a call that is about to be made, for an effect or for taking one back
    unsent    unsent         that nothing of it was sent: the tool could not be reached

The first one is committed before the tool is called. So a call that may have been made is known of whatever the row of
the effect says, and a tool that cannot tell that it wrote already is not called for it again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, select

from orchestration.contracts import OutcomeState
from orchestration.ledger.chain import append, said
from orchestration.ledger.kinds import BEGUN, INTENT, OUTCOME, UNDONE, UNSENT
from orchestration.ledger.subjects import CALL, GONE, UNDER_WAY, Subject
from orchestration.store.tables import ledger_entry

_SETTLED: Final = frozenset({OutcomeState.DONE.value, OutcomeState.FAILED.value})
_OF_CALLS: Final = frozenset({BEGUN, UNSENT, OUTCOME, UNDONE})
_TELLING: Final = _OF_CALLS | {INTENT}
_UNREAD: Final = ""
_CHUNK: Final = 500  # actions asked for at once: databases limit a statement's parameters


class Calls(NamedTuple):
    """What the ledger says of the calls by one permit."""

    times: int = 0
    """How often one was begun."""
    made: bool = False
    """Whether one may have been made: begun, and not known to be unsent."""
    settled: bool = False
    """Whether it is known for good what became of the effect."""
    meant: bool = False
    """Whether it is the permit that was used up for the effect; of taking one back nothing is said."""


def begun(connection: Connection, row: Mapping[str, Any], *, at: datetime) -> int:
    """Record that a tool is about to be called, once the row says so; its number in the chain.

    Args:
        connection: Inside `Store.begin()`, in the transaction that is committed before the call.
        row: Of `outbox` or `undo`, as it is by now: action, permit, state and attempts.
        at: When.
    """
    body = {"permit": row["permit_id"], "state": row["state"], "attempt": row["attempts"]}
    return append(connection, BEGUN, body, at=at, action=row["action"])


def unsent(connection: Connection, action: str, permit_id: str, *, at: datetime) -> int:
    """Record that a call that was begun was not made, once the row says so; its number in the chain."""
    return append(connection, UNSENT, {"permit": permit_id}, at=at, action=action)


def calls(connection: Connection, action: str, permit_id: str) -> Calls:
    """What the ledger says of the calls for an effect, or for taking one back."""
    return _of(_told(connection, [action]), action, permit_id)


def made(connection: Connection, effects: Mapping[str, str]) -> set[str]:
    """The actions, of these, for whose effect a call may have been made.

    Args:
        connection: On the store.
        effects: Action to permit.
    """
    found = _told(connection, effects)
    return {action for action, permit_id in effects.items() if _of(found, action, permit_id).made}


def said_of(kind: str, body: Mapping[str, Any], seq: int) -> Iterator[tuple[Subject, str, int]]:
    """What an entry says of the call by a permit: a digest of it, and its step."""
    if kind in _OF_CALLS and body.get("permit") is not None:
        under_way = kind == BEGUN and body.get("state") == "sending"
        if under_way or kind != BEGUN:  # else it is one more for an effect whose outcome is unknown, and stays so
            yield Subject(CALL, str(body["permit"])), UNDER_WAY if under_way else GONE, seq


def _of(found: Mapping[tuple[str, str], Calls], action: str, permit_id: str) -> Calls:
    """The calls by a permit; one of which the entry cannot be read may be one of them."""
    known = found.get((action, permit_id), Calls())
    return known._replace(made=known.made or found.get((action, _UNREAD), known).made)


def _told(connection: Connection, actions: Collection[str]) -> dict[tuple[str, str], Calls]:
    """What the ledger says of calls, by action and permit."""
    entry, wanted = ledger_entry.c, sorted(actions)
    found: dict[tuple[str, str], Calls] = defaultdict(Calls)
    query = select(entry.action, entry.kind, entry.body).order_by(entry.seq)
    for first in range(0, len(wanted), _CHUNK):
        for action, kind, body in connection.execute(query.where(entry.action.in_(wanted[first : first + _CHUNK]))):
            if kind in _TELLING:  # asked here, so that no database looks through all entries of the kind
                stated = _read(body)
                by = action, str(stated.get("permit", _UNREAD))
                found[by] = _next(found[by], kind, stated)
    return found


def _next(known: Calls, kind: str, stated: Mapping[str, Any]) -> Calls:
    if kind == INTENT:
        return known._replace(meant=True)
    if kind == BEGUN:
        return known._replace(times=known.times + 1, made=True)
    if kind == UNSENT:
        return known._replace(made=False)
    return known._replace(settled=stated.get("state") in _SETTLED)


def _read(body: str) -> Mapping[str, Any]:
    try:
        return said(body)
    except ValueError:  # it was edited
        return {}
