"""Which payloads an erasure removed: those alone that a signed proof of erasure names with what they were committed to.

Where a payload is missing and no proof names it, `verify` says so, as before. A proof that the key did not sign, whose
body is not what it was hashed from, or whose row is gone, excuses nothing.
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, select

from orchestration.canonical import digest
from orchestration.gate.keys import public_key
from orchestration.ledger.entries_erasure import signed_part
from orchestration.ledger.kinds import ERASED
from orchestration.ledger.links import Entry, body_faults, entries
from orchestration.store.tables import ledger_entry

ERASURE: Final = "erasure"
"""What the files of the key are called that proofs of erasure are signed with."""
PUBLIC: Final = f"{ERASURE}.pub"


class Erased(NamedTuple):
    """What proofs of erasure say."""

    gone: dict[Any, str]
    """Entry without a payload to the commitment that it made to it."""
    problems: list[str]
    entries: list[Entry]
    """The proofs that hold."""


def proofs(connection: Connection, keys: Path | None = None) -> Erased:
    """What every proof of erasure says that holds, and a problem for each that does not.

    Args:
        connection: On the store.
        keys: Where the public half of the key is; signatures are not asked for where it is not given.

    Raises:
        ConfigurationError: The public key is there and cannot be used.
    """
    found = Erased({}, [], [])
    # a proof is about no action; almost every other entry is about one, and is not read for this
    query = select(ledger_entry.c.seq).where(ledger_entry.c.action.is_(None), ledger_entry.c.kind == ERASED)
    numbers = list(connection.execute(query.order_by("seq")).scalars())
    key = public_key(keys / PUBLIC) if numbers and keys is not None and (keys / PUBLIC).is_file() else None
    for seq in numbers:
        entry = next(entries(connection, after=int(seq) - 1))
        body = entry.says()
        kept = {name: entry.covers().get(name) for name in ("told", "suppressions")}
        if any(body_faults(entry)):
            continue  # told where the chain is walked
        if keys is not None and not (key and _signed(body, key)):
            found.problems.append(f"{entry.name} is no proof of erasure: the key did not sign it, so it was put in.")
        elif body.get("left") != digest(kept):
            found.problems.append(f"{entry.name} is no proof of erasure: what it says is left was edited.")
        else:
            found.gone.update(dict(body["entries"]))
            found.entries.append(entry)
    return found


def _signed(body: dict[str, Any], key: Ed25519PublicKey) -> bool:
    try:
        key.verify(base64.b64decode(str(body.get("signature")), validate=True), signed_part(body))
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
