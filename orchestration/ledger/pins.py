"""What decisions on one snapshot pin, kept once: the same list stands behind each of them, and is a third of evidence.

Evidence names the list by the digest of its canonical JSON, so that the evidence's own digest covers it. Evidence of
earlier versions holds the list itself, and is read and verified as before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Text, cast, delete, func, insert, select

from orchestration.canonical import digest
from orchestration.contracts import Pin
from orchestration.ledger import rows
from orchestration.ledger.kinds import DECISION
from orchestration.store.engine import Store
from orchestration.store.tables import evidence, ledger_entry, pin_set

_DIGESTS: Final = select(pin_set.c.digest)
_KEEP: Final = insert(pin_set)
_NAMED: Final = cast(evidence.c.materialisations, Text)
_FEW: Final = 1_000
"""Names that are asked for one by one: databases limit a statement's parameters. Of more, every list is read."""


def keep(connection: Connection, pins: Sequence[Pin]) -> str:
    """Keep a list of pins, where it is not kept yet; the name that evidence has for it.

    Args:
        connection: Inside `Store.begin()`.
        pins: Of a snapshot and of what it was built from.
    """
    stated = [pin.model_dump() for pin in pins]
    name = digest(stated)
    if connection.execute(_DIGESTS.where(pin_set.c.digest == name)).one_or_none() is None:
        connection.execute(_KEEP, {"digest": name, "pins": stated})
    return name


def of(connection: Connection, stated: Any) -> list[Any]:  # noqa: ANN401  what evidence holds
    """The pins that evidence states, or names; none where these are not kept."""
    if not isinstance(stated, str):
        return list(stated)
    kept = connection.execute(select(pin_set.c.pins).where(pin_set.c.digest == stated)).scalar_one_or_none()
    return kept if isinstance(kept, list) else []


def sound(connection: Connection, names: Collection[bytes]) -> frozenset[bytes]:
    """Those of some names, as evidence has them written down, whose lists are kept and are what they are called by."""
    wanted = {name[1:-1].decode("ascii", "replace") for name in names} if len(names) <= _FEW else None
    found = {_written(name).encode() for name, holds in _kept(connection, wanted) if holds}
    return frozenset(found.intersection(names))


def edited(connection: Connection) -> Iterator[str]:
    """A problem for each list that is not what it is called by."""
    for name, holds in _kept(connection):
        if not holds:
            yield f"The store's row was edited: the pins {name} have another digest than that."


def forget(store: Store) -> int:
    """Remove the lists that no evidence names any more; how many.

    It takes long to see what a large store names, so nobody waits for that. What a decision named meanwhile stays.

    Raises:
        StoreError: The store cannot be written.
    """
    with store.read() as connection:
        told = _told(connection)
        named = set(connection.execute(select(_NAMED).distinct()).scalars())
        # one that was edited stays, for `verify` to find
        gone = [name for name, holds in _kept(connection) if holds and _written(name) not in named]
    if not gone:
        return 0
    with store.begin() as connection:
        if _told(connection) != told:
            return 0  # the next run looks again
        connection.execute(delete(pin_set).where(pin_set.c.digest.in_(gone)))
    return len(gone)


def _told(connection: Connection) -> object:
    """The last decision that the ledger tells of: nothing else names pins."""
    last = select(func.max(ledger_entry.c.seq)).where(ledger_entry.c.kind == DECISION)
    return connection.execute(last).scalar_one()


def _kept(connection: Connection, names: Collection[str] | None = None) -> Iterator[tuple[str, bool]]:
    """Each list's name, or each of some, and whether it has that digest; read as text: it may be no JSON any more."""
    query = select(*map(rows.raw_column, pin_set.columns))
    if names is not None:
        query = query.where(pin_set.c.digest.in_(sorted(names)))
    for name, pins in rows.raw(connection, query):
        text = rows.written_json(pins).encode("utf-8", "surrogatepass")
        yield name, hashlib.sha256(text).hexdigest() == name


def _written(name: str) -> str:
    return json.dumps(str(name))
