"""What keeps somebody who was erased from coming back: keyed digests that insight obeys when it reads the sources.

A digest is an HMAC-SHA-256 with `keys/suppression.key`, so that the table tells nobody who was erased. The key opens
nothing else: who holds it can ask whether somebody was erased, and no more. The coordinator makes it; insight is given
the file (`PRECEDE_SUPPRESSION_KEY`). Where anybody is suppressed and the key is not there, or is another one, nothing
is read: that would bring them back.

    kind         a digest of
    row          a record id: the row is left out when it is read
    touched      a record id of which some values are left out
    cell         a record id and a column: the value is left out
    mailbox      a mailbox: it is left out wherever it stands, and no record is made of a person who has it
    phone_name   a phone and a name: no record is made of a person or sole trader who has both
    mailbox_name a mailbox that others have too, and a name: no record is made of a person who has both
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import stat
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, insert, select

from orchestration.errors import ConfigurationError
from orchestration.gate.keys import OWNER_ONLY, place
from orchestration.ledger import entries_erasure as entries
from orchestration.settings import Settings
from orchestration.store.engine import Store
from orchestration.store.tables import suppression

ROW: Final = "row"
TOUCHED: Final = "touched"
CELL: Final = "cell"
MAILBOX: Final = "mailbox"
PHONE_NAME: Final = "phone_name"
MAILBOX_NAME: Final = "mailbox_name"
KINDS: Final = (ROW, TOUCHED, CELL, MAILBOX, PHONE_NAME, MAILBOX_NAME)
MARK: Final = "suppressed:"
"""How a text begins that stands where a suppressed mailbox stood."""
BETWEEN: Final = "\x1f"
"""What stands between two parts of what a digest is of."""
_BLOCK: Final = 64
_WORD: Final = re.compile(r"[^\W\d_]+")
_OTHERS: Final = 0o007
_SHARED: Final = 0o640


@dataclass(frozen=True, slots=True)
class Suppression:
    """The digests of everything that is suppressed, and the key to ask with."""

    key: bytes = field(default=b"", repr=False)
    digests: frozenset[str] = frozenset()
    version: str = ""
    """A digest of all of them; empty where nothing is suppressed."""

    def __bool__(self) -> bool:
        return bool(self.digests)

    def holds(self, kind: str, value: str) -> bool:
        """Whether that value is suppressed."""
        return bool(self) and keyed(self.key, kind, value) in self.digests

    def pads(self) -> dict[str, bytes]:
        """The key as the two parameters that `sql_digest` needs."""
        whole = self.key.ljust(_BLOCK, b"\0")
        return {"inner": bytes(one ^ 0x36 for one in whole), "outer": bytes(one ^ 0x5C for one in whole)}


NOBODY: Final = Suppression()


def keyed(key: bytes, kind: str, value: str) -> str:
    """The digest of a value."""
    return hmac.digest(key, f"{kind}:{value}".encode("utf-8", "surrogatepass"), hashlib.sha256).hex()


def sql_digest(kind: str, text: str) -> str:
    """DuckDB's SQL for the digest of a text, with the parameters `$inner` and `$outer` of `Suppression.pads`."""
    return f"sha256($outer::BLOB || unhex(sha256($inner::BLOB || encode('{kind}:' || {text}))))"


def mailbox(value: str) -> str:
    """A mailbox as it is compared: without case and tag."""
    local, at, domain = value.strip().lower().rpartition("@")
    return f"{re.sub(r'(?<=.)[+].*', '', local)}{at}{domain}"


def sql_mailbox(text: str) -> str:
    """DuckDB's SQL for the same."""
    return rf"regexp_replace(lower(trim({text})), '(.)[+][^@]*@', '\1@')"


def phone_name(phone: str, name: str) -> str:
    """A phone and a name as they are compared: digits alone, and letters alone."""
    digits = "".join(one for one in phone if one.isdigit())
    return f"{digits}{BETWEEN}{_letters(name)}"


def mailbox_name(address: str, name: str) -> str:
    """A mailbox and a name as they are compared: without case and tag, and letters alone."""
    return f"{mailbox(address)}{BETWEEN}{_letters(name)}"


def _letters(name: str) -> str:
    return " ".join(sorted(_WORD.findall(name.casefold())))


def load(store: Store, settings: Settings) -> Suppression:
    """What is suppressed; nothing where nobody was erased, and then no key is needed.

    Raises:
        ConfigurationError: Somebody is suppressed, and the key is not there, is readable by all, or is another one.
        StoreError: The store cannot be read.
    """
    with store.read() as connection:
        rows = connection.execute(select(suppression.c.digest, suppression.c.key_id)).all()
    if not rows:
        return NOBODY
    file = settings.suppression_key
    key = read_key(file)
    if {row.key_id for row in rows} != {key_id(key)}:
        raise ConfigurationError(str(file), "another key than the one that people were suppressed with", "that one")
    digests = frozenset(row.digest for row in rows)
    return Suppression(key, digests, hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()[:20])


def read_key(file: Path, *, make: bool = False) -> bytes:
    """The key; made where there is none and one may be.

    Raises:
        ConfigurationError: It is not there, readable by all, or no key.
    """
    if make and not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        shared = file.parent.stat().st_mode & stat.S_ISGID  # hands on its group, which insight is in
        place(file, secrets.token_hex(32).encode() + b"\n", _SHARED if shared else OWNER_ONLY, replace=False)
    try:
        if file.stat().st_mode & _OTHERS:
            raise ConfigurationError(str(file), "a key that everybody may read", "mode 600, or 640 (chmod 600)")
        key = bytes.fromhex(file.read_text("ascii").strip())
    except OSError as problem:
        needed = "the key that people were suppressed with, or they would come back"
        raise ConfigurationError(str(file), problem.strerror or "nothing", needed) from problem
    except ValueError as problem:
        raise ConfigurationError(str(file), "no key", "32 bytes in hexadecimal") from problem
    if len(key) != hashlib.sha256().digest_size:
        raise ConfigurationError(str(file), f"{len(key)} bytes", "32 bytes in hexadecimal")
    return key


def key_id(key: bytes) -> str:
    """What a key is called: a digest that does not tell it."""
    return keyed(key, "key", "")[:16]


def add(
    connection: Connection,
    key: bytes,
    values: Iterable[tuple[str, str]],
    now: datetime,
    *,
    erasure_id: str | None = None,
) -> list[str]:
    """Suppress kinds of values; the digests of those that were not suppressed before.

    Without an erasure it is of somebody who was erased before and was found again in another row: an entry of the
    ledger tells of it. An erasure's own entry tells of the others.
    """
    wanted = {keyed(key, kind, value): kind for kind, value in values}
    known = set(connection.execute(select(suppression.c.digest)).scalars())
    new = sorted(wanted.keys() - known)
    if new:
        said = {"key_id": key_id(key), "erasure_id": erasure_id, "at": now}
        connection.execute(insert(suppression), [{"digest": one, "kind": wanted[one], **said} for one in new])
        if erasure_id is None:
            entries.suppressed(connection, new, at=now)
    return new


def found_again(store: Store, settings: Settings, record_ids: Collection[str], now: datetime) -> int:
    """Suppress the rows of records that turned out to be of somebody who was erased; how many are new.

    Raises:
        ConfigurationError: As `load`.
        StoreError: The store cannot be written.
    """
    if not record_ids or not (known := load(store, settings)):
        return 0
    with store.begin() as connection:
        return len(add(connection, known.key, [(ROW, one) for one in record_ids], now))
