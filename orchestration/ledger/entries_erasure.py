"""The kinds of entry about people who object or were erased; recorded as in `entries`.

kind                 recorded by            tells of
objection            objected               that somebody does not want to be contacted
objection_withdrawn  objection_withdrawn    that they do no longer object
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, select

from orchestration.canonical import canonical, digest
from orchestration.ledger import committed
from orchestration.ledger.chain import append
from orchestration.ledger.kinds import ERASED, OBJECTION, OBJECTION_WITHDRAWN, SUPPRESSED
from orchestration.store.tables import erasure, objection, objection_subject


def objected(connection: Connection, objection_id: str, *, at: datetime) -> int:
    """Record an objection, once its rows are written; its number in the chain."""
    row = objection_row(connection, objection_id)
    body = {"objection": objection_id, "of": row["kind"], "subjects": len(row["subjects"])}
    return append(connection, OBJECTION, body, at=at, payload={"objection": committed.of_objection(row)})


def objection_withdrawn(connection: Connection, objection_id: str, *, at: datetime) -> int:
    """Record that an objection was taken back, once its row says so; its number in the chain."""
    payload = {"withdrawal": committed.of_withdrawal(objection_row(connection, objection_id))}
    return append(connection, OBJECTION_WITHDRAWN, {"objection": objection_id}, at=at, payload=payload)


def erased(  # noqa: PLR0913, PLR0917  a proof of erasure has that many parts
    connection: Connection,
    erasure_id: str,
    gone: Mapping[int, str],
    told: Sequence[tuple[str, str, str]],
    suppressions: Sequence[str],
    key: Ed25519PrivateKey,
    *,
    at: datetime,
) -> int:
    """Record a proof of erasure, once rows and payloads are what is left of them; its number in the chain.

    It is signed, so that who may write to the store alone cannot pass a payload that he removed for an erased one.

    Args:
        connection: Inside `Store.begin()`.
        erasure_id: The erasure, whose row is written.
        gone: Entry without its payload by now, to the commitment that it made to it.
        told: Part, key and digest of each subject that these entries told of, as the store's rows are now.
        suppressions: Digests of what is suppressed from now on.
        key: The key that erasures are signed with.
        at: When.
    """
    row = connection.execute(select(erasure).where(erasure.c.erasure_id == erasure_id)).mappings().one()
    kept = {"told": [list(one) for one in told], "suppressions": sorted(suppressions)}
    body: dict[str, Any] = {"erasure": erasure_id, "entries": [list(one) for one in sorted(gone.items())]}
    body["counts"] = dict(row["counts"])
    body["left"] = digest(kept)
    body["signature"] = base64.b64encode(key.sign(signed_part(body))).decode()
    payload = {"erasure": committed.of_erasure(dict(row)), **kept}
    return append(connection, ERASED, body, at=at, payload=payload)


def signed_part(body: Mapping[str, Any]) -> bytes:
    """What of an erasure's body is signed."""
    return canonical({name: body.get(name) for name in ("erasure", "entries", "counts", "left")})


def suppressed(connection: Connection, digests: Sequence[str], *, at: datetime) -> int:
    """Record that rows are suppressed since somebody who was erased was found in them; its number in the chain."""
    body = {"suppressed": len(digests)}
    return append(connection, SUPPRESSED, body, at=at, payload={"suppressions": sorted(digests)})


def objection_row(connection: Connection, objection_id: str) -> dict[str, Any]:
    """An objection with what it is kept by."""
    row = connection.execute(select(objection).where(objection.c.objection_id == objection_id)).mappings().one()
    kept = select(objection_subject.c.subject).where(objection_subject.c.objection_id == objection_id)
    return {**row, "subjects": sorted(connection.execute(kept).scalars())}
