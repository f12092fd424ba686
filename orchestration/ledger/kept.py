"""Evidence as the store holds it, text for text: most of what there is to verify, and too much to read as JSON.

Its digest is taken over the columns' text, each behind its name and length, so that no edit of one can be made good by
an edit of another. Both databases give JSON columns back as they were written. Entries of earlier versions hold a
digest of the canonical JSON instead, and are compared with that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Connection, Text, cast, select

from orchestration.canonical import canonical
from orchestration.ledger import committed
from orchestration.store.tables import evidence, ledger_entry, ledger_payload

STORED: Final = "stored:"
"""How a digest of the text begins, unlike one of canonical JSON."""
_TEXTS: Final = ("read_set", "entities", "source_rows", "materialisations", "policy_request")
_HASHED: Final = ("action", "kept_at", *_TEXTS)


def stored(
    connection: Connection, action: str | None = None, *, among: Collection[str] | None = None
) -> Iterator[tuple[str, str]]:
    """Each action that evidence is kept of, or one alone, or those among some, with the digest of it."""
    query = select(evidence.c.action, evidence.c.kept_at, *(cast(evidence.c[name], Text) for name in _TEXTS))
    if action is not None:
        query = query.where(evidence.c.action == action)
    if among is not None:
        query = query.where(evidence.c.action.in_(sorted(among)))
    with connection.execute(query.execution_options(yield_per=200)) as rows:
        for row in rows:
            yield row[0], _digest(row)


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
        return dict(stored(connection, action))[action]
    return canonically(connection, action)


def canonically(connection: Connection, action: str) -> str:
    """The digest of the evidence of one action as earlier versions took it."""
    row = connection.execute(select(evidence).where(evidence.c.action == action)).mappings().one()
    return committed.of_evidence(dict(row))


def digest_of(row: Mapping[str, Any]) -> str:
    """The digest of evidence that is about to be kept, whose JSON columns are text already."""
    return _digest([row[name] for name in _HASHED])


def _digest(row: Any) -> str:  # noqa: ANN401  a row of the query
    # a column that came later says nothing of what was kept before it
    texts = [value if value is None or isinstance(value, str) else _written(value) for value in row]
    parts = [f"{name} {len(text)}\n{text}" for name, text in zip(_HASHED, texts, strict=True) if text is not None]
    whole = "".join(parts)
    if whole.isascii():  # then the length in characters is that in bytes
        return STORED + hashlib.sha256(whole.encode()).hexdigest()
    digest = hashlib.sha256()
    for name, text in zip(_HASHED, texts, strict=True):
        if text is not None:
            held = text.encode("utf-8", "surrogatepass")
            digest.update(b"%s %d\n" % (name.encode(), len(held)))
            digest.update(held)
    return STORED + digest.hexdigest()


@lru_cache(maxsize=8192, typed=True)
def _written(value: object) -> str:
    return canonical(value).decode()
