"""Whether the chain itself holds: every entry is as it was written, follows the one before it, and none is missing.

Pure: entries in, problems out. What an entry says of other tables is compared in `agreement`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from json import JSONDecoder
from json.decoder import scanstring  # type: ignore[attr-defined]  # typeshed leaves it out
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection, null, select, type_coerce
from sqlalchemy.types import NullType

from orchestration.canonical import canonical
from orchestration.ledger.chain import GENESIS, commitment, entry_hash, said
from orchestration.ledger.rows import raw
from orchestration.store.tables import ledger_entry, ledger_payload

_NOTHING: Final[Mapping[Any, str]] = MappingProxyType({})
_SCAN: Final = JSONDecoder().scan_once  # type: ignore[attr-defined]  # typeshed leaves it out


@dataclass(slots=True)
class Entry:
    """One entry as the database holds it, whatever somebody put there, with its payload where there is one."""

    seq: Any
    kind: Any
    action: Any
    at: Any
    body: Any
    previous: Any
    hash: Any
    salt: Any
    payload: Any
    _body: dict[str, Any] | None = None
    _parts: dict[str, tuple[Any, str]] | None = None

    @property
    def mark(self) -> tuple[object, object, object]:
        """What a sentence calls it by."""
        return self.seq, self.kind, self.at

    @property
    def name(self) -> str:
        """How a sentence calls it."""
        return f"Entry {self.seq} ({self.kind} of {self.at})"

    def says(self) -> dict[str, Any]:
        """What the body says; nothing where it cannot be read."""
        if self._body is None:
            self._body = _read(self.body)
        return self._body

    def parts(self) -> dict[str, tuple[Any, str]]:
        """What each part of the payload says, and its text; nothing where there is none or it cannot be read."""
        if self._parts is None:
            self._parts = members(self.payload) if self.payload is not None else {}
        return self._parts

    def covers(self) -> dict[str, Any]:
        """What the payload says; nothing where there is none or it cannot be read."""
        return {name: value for name, (value, _) in self.parts().items()}


def entries(connection: Connection, action: str | None = None, after: int = 0) -> Generator[Entry, None, None]:
    """Every entry in the order of its number, or those about one action, or after one; times as the database does."""
    columns = [
        type_coerce(column, NullType()).label(column.name)
        for column in (*ledger_entry.columns, ledger_payload.c.salt, ledger_payload.c.payload)
    ]
    query = select(*columns).select_from(ledger_entry.outerjoin(ledger_payload)).order_by(ledger_entry.c.seq)
    if action is not None:
        query = query.where(ledger_entry.c.action == action)
    if after:
        query = query.where(ledger_entry.c.seq > after)
    for row in raw(connection, query):
        yield Entry(*row)


def stray_payloads(connection: Connection) -> Iterator[str]:
    """A problem for each payload whose entry is not there."""
    query = (
        select(type_coerce(ledger_payload.c.seq, NullType()))
        .select_from(ledger_payload.outerjoin(ledger_entry))
        .where(ledger_entry.c.seq == null())
    )
    for (seq,) in connection.execute(query):
        yield f"Payload {seq} belongs to an entry that is not there."


class Walk:
    """A walk along the chain, entry by entry."""

    def __init__(self) -> None:
        """Stand before the first entry."""
        self.seq = 0
        self.hash = GENESIS

    def follows(self, entry: Entry) -> bool:
        """Go to the next entry, if `step` had nothing to tell of it."""
        if entry.seq != self.seq + 1 or entry.previous != self.hash or type(entry.seq) is not int:
            return False
        self.seq, self.hash = entry.seq, entry.hash
        return True

    def step(self, entry: Entry) -> Iterator[str]:
        """Go to the next entry and tell whether it stands where it should and follows the one before."""
        if entry.seq != self.seq + 1:
            gap = "which is no number" if not isinstance(entry.seq, int) else f"so {_missing(self.seq + 1, entry.seq)}"
            yield f"{entry.name} stands where entry {self.seq + 1} belongs, {gap}."
        if entry.previous != self.hash:
            before = f"entry {self.seq}" if self.seq else "the beginning"
            yield (
                f"{entry.name} does not follow {before}: it names another hash as the one before it, so an entry was "
                "edited, removed, moved or put in here."
            )
        self.seq = entry.seq if isinstance(entry.seq, int) else self.seq + 1
        self.hash = entry.hash


def faults(entry: Entry, erased: Mapping[Any, str] = _NOTHING) -> Iterator[str]:
    """What is wrong with an entry by itself: its hash, its columns, its payload.

    Args:
        entry: The entry.
        erased: Entries of which an erasure removed the payload, by number, and the commitment that it named.
    """
    yield from body_faults(entry)
    if body := entry.says():
        promised = body.get("commitment")
        if entry.seq not in erased:
            yield from _payload_faults(entry, promised)
        elif entry.payload is not None:
            yield f"{entry.name} has a payload again that was erased."
        elif erased[entry.seq] != promised:
            yield f"The payload of {entry.name[0].lower()}{entry.name[1:]} is missing, and another one was erased."


def body_faults(entry: Entry) -> Iterator[str]:
    """What is wrong with an entry by itself but for its payload, which does not belong to the chain."""
    if not isinstance(entry.body, str) or entry_hash(entry.body.encode("utf-8", "surrogatepass")) != entry.hash:
        yield f"{entry.name} was edited: its body does not give its hash."
    body = entry.says()
    if not body:
        yield f"{entry.name} was edited: its body cannot be read."
        return
    at = body.get("at")
    columns = (
        ("seq", entry.seq),
        ("kind", entry.kind),
        ("action", entry.action),
        ("at", at if plainly(entry.at) == at else moment(entry.at)),
        ("previous", entry.previous),
    )
    for name, value in columns:
        if body.get(name) != value:
            yield f"{entry.name} was edited: its column {name} says {value!r} and its body {body.get(name)!r}."


def _payload_faults(entry: Entry, promised: object) -> Iterator[str]:
    if promised is None:
        if entry.payload is not None:
            yield f"{entry.name} has a payload that it does not commit to, so the payload was put in later."
    elif entry.payload is None:
        yield f"The payload of {entry.name[0].lower()}{entry.name[1:]} is missing."
    elif not isinstance(entry.payload, str) or not isinstance(entry.salt, str):
        yield f"The payload of {entry.name[0].lower()}{entry.name[1:]} was edited: it is not text."
    elif commitment(entry.salt, entry.payload.encode("utf-8", "surrogatepass")) != promised:
        yield f"The payload of {entry.name[0].lower()}{entry.name[1:]} was edited: it is not what the entry commits to."


def _missing(first: int, found: int) -> str:
    if found < first:
        return "it was put in or moved"
    return f"entry {first} is missing" if found == first + 1 else f"entries {first} to {found - 1} are missing"


@lru_cache(maxsize=1024, typed=True)
def plainly(at: object) -> str | None:
    """A time as SQLite holds it in the form that bodies have: right for almost every one, and quick."""
    return f"{at[:10]}T{at[11:]}Z" if isinstance(at, str) and at[10:11] == " " and at[19:20] == "." else None


@lru_cache(maxsize=1024, typed=True)
def moment(at: object) -> str | None:
    """A time column in the form that bodies have; none where it is no time."""
    try:
        found = at if isinstance(at, datetime) else datetime.fromisoformat(str(at))
    except ValueError:
        return None
    written: str = canonical(found if found.tzinfo else found.replace(tzinfo=UTC)).decode()
    return written.strip('"')


def members(text: object) -> dict[str, tuple[Any, str]]:
    """The members of a JSON object, each with the very text that says it."""
    try:
        found, at = {}, 1
        if not isinstance(text, str) or text[0] != "{":
            return {}
        while text[at] == '"':
            name, at = scanstring(text, at + 1)
            if text[at] != ":":
                return {}
            value, end = _SCAN(text, at + 1)
            found[name] = (value, text[at + 1 : end])
            at = end + 1
            if text[end] != ",":
                break
        return found if text[at - 1 :] == "}" else {}
    except (ValueError, StopIteration, IndexError, RecursionError):
        return {}


def _read(text: object) -> dict[str, Any]:
    try:
        if not isinstance(text, str):
            return {}
        if text[:1] == "{":
            found, end = _SCAN(text, 0)  # what `said` comes to, without its way of taking space around it away
            if end == len(text):
                return found  # type: ignore[no-any-return]
        return said(text)
    except StopIteration:
        return {}
    except (ValueError, RecursionError):
        return {}
