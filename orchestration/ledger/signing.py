"""Making the next checkpoint: what is new since the last one is looked at, and what contradicts it is never signed."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import NoReturn

from sqlalchemy import Connection, func, insert, select

from orchestration.errors import PrecedeError
from orchestration.gate.keys import PUBLIC, public_key
from orchestration.ledger.chain import hashes
from orchestration.ledger.checkpoint import (
    Head,
    Unsigned,
    checkpoint_key,
    checkpoint_keys,
    content_digest,
    sign,
    verified,
)
from orchestration.ledger.checkpoint_files import files, path_of, write
from orchestration.ledger.links import Walk, body_faults, entries
from orchestration.ledger.merkle import Frontier
from orchestration.ledger.outside import forged_permits
from orchestration.settings import Settings
from orchestration.store.engine import Store
from orchestration.store.tables import checkpoint, ledger_entry


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint as its file holds it."""

    head: Head
    path: Path
    content: str


def make(store: Store, settings: Settings, now: datetime) -> Signed | None:
    """Sign the ledger's head and write it to the folder of checkpoints, where there is anything new.

    Any number of processes may ask at once: one checkpoint of a number is written. A crash leaves it written or not.

    Args:
        store: The coordinator's store.
        settings: Where keys and checkpoints are.
        now: When it is signed.

    Returns:
        The checkpoint; none where no entry came since the last one.

    Raises:
        ConfigurationError: The key cannot be used.
        PrecedeError: The ledger does not go on from what was signed last, that cannot be read or is gone, or the
            folder cannot be written to. Nothing is signed then.
    """
    key, last = checkpoint_key(settings.keys), last_signed(settings)
    with store.read() as connection:
        recorded = _recorded(connection)
        if recorded and (last is None or last.head.number < recorded[0]):  # another process signed it meanwhile
            last = last_signed(settings, recorded[0])
        _refuse_lost(recorded, last, settings.checkpoints)
        tree = _grown(connection, last)
        if tree is None:
            return None
        [newest] = hashes(connection, tree.size, tree.size)
        head = Head(
            number=last.head.number + 1 if last else 1,
            last=tree.size,
            root=tree.root().hex(),
            head=newest,
            at=now,
            permits=_permits(connection, settings, last, tree.size),
            previous=content_digest(last.content) if last else None,
        )
    content = sign(head, key)
    if not write(settings.checkpoints, head.number, content):
        return None  # another process signed one meanwhile
    subtrees = [one.hex() for one in tree.subtrees]
    row = {"number": head.number, "last": head.last, "at": head.at, "content": content, "subtrees": subtrees}
    with store.begin() as connection:
        connection.execute(insert(checkpoint).values(row))
    return Signed(head, path_of(settings.checkpoints, head.number), content)


def unsigned(connection: Connection) -> bool:
    """Whether the store has entries that came after the last checkpoint that it recorded."""
    last = select(func.coalesce(func.max(checkpoint.c.last), 0)).scalar_subquery()
    return connection.execute(select(ledger_entry.c.seq).where(ledger_entry.c.seq > last).limit(1)).first() is not None


def last_signed(settings: Settings, up_to: int | None = None) -> Signed | None:
    """The newest checkpoint in the folder, or the newest up to a number; none where there is none.

    Raises:
        ConfigurationError: A public key cannot be used.
        PrecedeError: It cannot be read, or none of the keys signed it.
    """
    found = [file for file in files(settings.checkpoints) if up_to is None or file.number <= up_to]
    if not found:
        return None
    file = found[-1]
    content = file.content or ""
    try:
        return Signed(verified(content, checkpoint_keys(settings.keys)), file.path, content)
    except Unsigned as problem:
        raise PrecedeError(
            f"The last checkpoint {file.path} does not hold: {problem}; needed one to go on from; compare it with a "
            "copy, and see what `precede ledger verify` says."
        ) from problem


def restore(store: Store, settings: Settings) -> list[Path]:
    """Write checkpoints that are missing from the folder as the store recorded them, where a key signed these.

    Raises:
        ConfigurationError: A public key cannot be used.
        PrecedeError: One was edited in the store, or the folder cannot be written to.
    """
    keys, there = checkpoint_keys(settings.keys), {file.number for file in files(settings.checkpoints)}
    with store.read() as connection:
        rows = connection.execute(select(checkpoint.c.number, checkpoint.c.content).order_by(checkpoint.c.number)).all()
    missing = {row.number: row.content for row in rows if row.number not in there}
    for number, content in missing.items():
        try:
            verified(content, keys)
        except Unsigned as problem:
            raise PrecedeError(
                f"The store's copy of checkpoint {number} does not hold: {problem}; needed one as it was signed; put "
                "the file back from a copy of the folder."
            ) from problem
    return [path_of(settings.checkpoints, each) for each in missing if write(settings.checkpoints, each, missing[each])]


def _recorded(connection: Connection) -> tuple[int, str] | None:
    """Number and content of the last checkpoint that the store recorded."""
    query = select(checkpoint.c.number, checkpoint.c.content).order_by(checkpoint.c.number.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else (row.number, row.content)


def _refuse_lost(recorded: tuple[int, str] | None, last: Signed | None, folder: Path) -> None:
    """Refuse to go on where the folder lacks the last checkpoint: it may be another folder, or one not mounted."""
    number, content = recorded or (0, "")
    if (last.head.number if last else 0) < number:
        raise PrecedeError(
            f"{folder} does not hold checkpoint {number}, which the store recorded; needed the folder that does; mount "
            "it, point PRECEDE_CHECKPOINTS at it, or see `precede ledger checkpoint --restore`."
        )
    if last is not None and last.head.number == number and last.content != content:
        _refuse(last, f"the store recorded another checkpoint {number}")


def _grown(connection: Connection, last: Signed | None) -> Frontier | None:
    """The tree of all entries, where it grew since the last checkpoint and every new entry follows the one before."""
    end = select(ledger_entry.c.seq).order_by(ledger_entry.c.seq.desc()).limit(1)
    newest = connection.execute(end).scalar_one_or_none() or 0
    if last is not None and (not isinstance(newest, int) or newest < last.head.last):
        _refuse(last, f"the ledger ends with entry {newest}")
    if last is not None and hashes(connection, last.head.last, last.head.last) != [last.head.head]:
        _refuse(last, f"entry {last.head.last} is another one")
    if newest == (last.head.last if last else 0):
        return None
    tree, walk = _signed_tree(connection, last), Walk()
    if last is not None:
        walk.seq, walk.hash = last.head.last, last.head.head
    with closing(entries(connection, after=tree.size)) as new:
        for entry in new:
            for problem in chain(walk.step(entry), body_faults(entry)):
                _refuse(last, problem)
            tree.add(entry.hash.encode())
    return tree


def _signed_tree(connection: Connection, last: Signed | None) -> Frontier:
    """The tree that the last checkpoint signed: as it was kept, or else hashed again from the entries."""
    if last is None:
        return Frontier()
    kept = connection.execute(
        select(checkpoint.c.subtrees).where(checkpoint.c.number == last.head.number)
    ).scalar_one_or_none()
    try:
        tree = Frontier(last.head.last, [bytes.fromhex(one) for one in kept or ()])
    except (ValueError, TypeError):
        tree = Frontier()
    if tree.root().hex() != last.head.root:
        tree = Frontier()
        for value in hashes(connection, 1, last.head.last):
            tree.add(value.encode())
    if tree.root().hex() != last.head.root:
        _refuse(last, f"the entries 1 to {last.head.last} are not those that it signed")
    return tree


def _permits(connection: Connection, settings: Settings, last: Signed | None, end: int) -> int:
    """Up to which entry every permit holds: a signature that was looked at once need not be looked at again."""
    since = last.head.permits if last else 0
    if not (settings.keys / PUBLIC).is_file():
        return since
    return since if any(forged_permits(connection, public_key(settings.keys / PUBLIC), after=since)) else end


def _refuse(last: Signed | None, found: str) -> NoReturn:
    signed = f" since {last.head.name}, which covers {last.head.last} entries" if last else ""
    raise PrecedeError(
        f"The ledger does not go on as it was{signed}: {found.rstrip('.')}; needed one that does, so nothing was "
        "signed; see `precede ledger verify`, and docs/architecture-ledger.md for a store restored from a backup."
    )
