"""What the record is compared with outside of the store: the key that permits are signed with, the graphs' files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, select

from orchestration.contracts import Permit, SignedPermit
from orchestration.errors import PermitRefused
from orchestration.gate.permits import covers, read
from orchestration.graph.digests import file_digest
from orchestration.store import tables

_SIGNED: Final = ("permit_id", "action", "agent", "read_set_digest", "issued_at", "expires_at")
"""What a permit's row says beside what was signed, and must say alike."""


def forged_permits(connection: Connection, key: Ed25519PublicKey, after: int = 0) -> Iterator[str]:
    """A problem for each permit that the key did not sign as it stands, and each effect that its permit is not for.

    Args:
        connection: On the store.
        key: The public half of the key that signs permits.
        after: Look at actions alone of which an entry after this one tells. A checkpoint says up to which entry all
            were looked at when it was signed; that no row was edited since, the ledger shows.
    """
    told = select(tables.ledger_entry.c.action).where(tables.ledger_entry.c.seq > after)
    permits, effects = (
        select(table) if not after else select(table).where(table.c.action.in_(told))
        for table in (tables.permit, tables.outbox)
    )
    yield from _forged_undos(connection, key, after)
    signed: dict[str, Permit] = {}
    for row in connection.execute(permits.order_by(tables.permit.c.permit_id)):
        if not row.payload:  # erased with the person whom it named, or the ledger says that the row was edited
            continue
        try:
            permit = read(SignedPermit(payload=row.payload, signature=row.signature), key)
        except (PermitRefused, ValueError, TypeError) as problem:
            yield f"Permit {row.permit_id} of action {row.action} does not hold: {problem}"
            continue
        signed[row.permit_id] = permit
        if any(getattr(permit, column) != getattr(row, column) for column in _SIGNED):
            yield f"Permit {row.permit_id} of action {row.action} was signed for something else than its row says."
    for row in connection.execute(effects.order_by(tables.outbox.c.action)):
        if (used := signed.get(row.permit_id)) is None:
            continue
        try:
            covers(
                used,
                tool_server=row.tool_server,
                tool=row.tool,
                arguments=row.tool_arguments,
                effect_key=row.effect_key,
            )
        except PermitRefused as problem:
            yield f"The effect of action {row.action} is not the one that was permitted: {problem}"


def _forged_undos(connection: Connection, key: Ed25519PublicKey, after: int) -> Iterator[str]:
    """A problem for each taking back of an effect that the key did not sign a permit for."""
    undo, told = tables.undo, select(tables.ledger_entry.c.action).where(tables.ledger_entry.c.seq > after)
    for row in connection.execute(select(undo).where(undo.c.action.in_(told)).order_by(undo.c.undo_id)):
        if not row.permit:  # as above
            continue
        try:
            permit = read(SignedPermit(payload=row.permit, signature=row.signature), key)
            covers(
                permit,
                tool_server=row.tool_server,
                tool=row.tool,
                arguments=row.tool_arguments,
                effect_key=row.effect_key,
            )
        except (PermitRefused, ValueError, TypeError) as problem:
            yield f"The undo {row.undo_id} of action {row.action} is not the one that was permitted: {problem}"
            continue
        if (permit.action, permit.undoes, permit.permit_id) != (row.undo_id, row.action, row.permit_id):
            yield f"The permit of undo {row.undo_id} of action {row.action} was signed for something else."


def changed_graphs(connection: Connection, home: Path) -> Iterator[str]:
    """A problem for each published graph whose file still exists and is another than was published."""
    snapshot = tables.snapshot
    rows = connection.execute(select(snapshot).where(snapshot.c.published_at.is_not(None)).order_by(snapshot.c.path))
    for row in rows:
        path = home / row.path
        try:
            changed = file_digest(path) != row.file_digest
        except FileNotFoundError:
            continue
        except OSError as problem:
            yield f"{path} of snapshot {row.snapshot_id} cannot be read ({problem.strerror})."
            continue
        if changed:
            yield f"{path} is not the file that was published as snapshot {row.snapshot_id}: it was replaced or edited."
