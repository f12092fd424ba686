"""The append-only hash chain: what an entry is, and how one is added.

An entry's body is canonical JSON that holds its number, kind, time, action and the hash of the entry before it, so
one hash covers all of them. Personal data never stands in a body: it goes into the payload, which the body covers by
a salted commitment: without the payload the chain still holds, and `verify` says that it is missing.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, insert, select, text

from orchestration.canonical import canonical
from orchestration.store.engine import WRITER_LOCK
from orchestration.store.tables import ledger_entry, ledger_payload

GENESIS: Final = "0" * 64
"""What the first entry has for the hash of the entry before it."""
RESERVED: Final = frozenset({"seq", "kind", "at", "action", "previous", "commitment"})
"""What `append` writes into a body itself."""
_LAST: Final = select(ledger_entry.c.seq, ledger_entry.c.hash).order_by(ledger_entry.c.seq.desc()).limit(1)
_ENTRIES: Final = insert(ledger_entry)
_PAYLOADS: Final = insert(ledger_payload)
_MAILBOX: Final = re.compile(r"[^\s@]+@[^\s@]+")


class New(NamedTuple):
    """An entry to be: what it says, the action it is about, and what it commits to without saying it."""

    body: Mapping[str, Any]
    action: str | None = None
    payload: Mapping[str, Any] | None = None


def append(  # noqa: PLR0913  an entry has that many parts
    connection: Connection,
    kind: str,
    body: Mapping[str, Any],
    *,
    at: datetime,
    action: str | None = None,
    payload: Mapping[str, Any] | None = None,
) -> int:
    """Add an entry at the head of the chain, in the caller's write transaction.

    Args:
        connection: Inside `Store.begin()`, so that what the entry tells of commits with it or not at all.
        kind: What happened, such as `decision` or `intent`.
        body: What the entry says: ids, digests, codes, counts; no personal data.
        at: When it happened.
        action: The action it is about, where it is about one.
        payload: What the entry commits to without saying it; personal data stands here alone.

    Returns:
        The entry's number: 1, 2, 3 … without a gap.

    Raises:
        ValueError: The body uses a name that belongs to the chain, or holds a mailbox.
    """
    return append_all(connection, kind, [New(body, action, payload)], at=at)[0]


def append_all(connection: Connection, kind: str, entries: Sequence[New], *, at: datetime) -> list[int]:
    """Add entries of one kind and time at the head of the chain, one after the other, as `append` adds one.

    Returns:
        Their numbers.

    Raises:
        ValueError: As `append`.
    """
    if connection.dialect.name == "postgresql":  # held already inside Store.begin(); costs nothing twice
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": WRITER_LOCK})
    last = connection.execute(_LAST).one_or_none()
    seq, previous = (last.seq, last.hash) if last else (0, GENESIS)
    rows: list[dict[str, Any]] = []
    payloads: list[dict[str, Any]] = []
    for new in entries:
        seq += 1
        salt = secrets.token_hex(32)
        covered = None if new.payload is None else canonical(new.payload)
        written = _written(kind, new, seq, at, previous, None if covered is None else commitment(salt, covered))
        row = {"seq": seq, "kind": kind, "action": new.action, "at": at, "body": written.decode()}
        rows.append({**row, "previous": previous, "hash": entry_hash(written)})
        if covered is not None:
            payloads.append({"seq": seq, "salt": salt, "payload": covered.decode()})
        previous = rows[-1]["hash"]
    if rows:
        connection.execute(_ENTRIES, rows)
    if payloads:
        connection.execute(_PAYLOADS, payloads)
    return [row["seq"] for row in rows]


def _written(kind: str, new: New, seq: int, at: datetime, previous: str, committed: str | None) -> bytes:  # noqa: PLR0913, PLR0917  what a body says
    """The body of an entry."""
    if taken := RESERVED & new.body.keys():
        raise ValueError(f"a ledger body may not say {', '.join(sorted(taken))}: the chain writes them itself")
    own = {"seq": seq, "kind": kind, "at": at, "action": new.action, "previous": previous, "commitment": committed}
    written = canonical({**new.body, **own})
    if b"@" in written and _MAILBOX.search(written.decode()):  # the pattern takes long where there is none
        raise ValueError(f"the body of a {kind} entry holds a mailbox: personal data goes into the payload")
    return written


def entry_hash(body: bytes) -> str:
    """The hash of an entry, over its canonical body, which names the entry before it."""
    return hashlib.sha256(body).hexdigest()


def commitment(salt: str, payload: bytes) -> str:
    """What a body says of its payload: a hash that nobody can guess the payload from without the salt.

    Args:
        salt: 32 random bytes in hexadecimal.
        payload: Canonical JSON.
    """
    return hashlib.sha256(salt.encode("utf-8", "surrogatepass") + b"\n" + payload).hexdigest()


def hashes(connection: Connection, first: int, last: int) -> list[str]:
    """The hashes of the entries from `first` to `last`, both included, in order."""
    rows = connection.execute(
        select(ledger_entry.c.hash).where(ledger_entry.c.seq.between(first, last)).order_by(ledger_entry.c.seq)
    )
    return [row.hash for row in rows]


def said(body: str) -> dict[str, Any]:
    """A body or payload as it was stated.

    Raises:
        ValueError: It is not a JSON object.
    """
    value = json.loads(body)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004  the text is at fault, not its type
    return value
