"""Proofs for somebody who sees neither the store nor this code: `docs/verify_proof.py` reads them.

A proof of inclusion says that the entries about one action stand in the ledger of which a checkpoint was signed. A
proof of consistency says that the ledger of a later checkpoint begins with that of an earlier one, unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field
from sqlalchemy import Connection, select

from orchestration.contracts import Contract
from orchestration.errors import NotFound, PrecedeError
from orchestration.ledger.chain import hashes
from orchestration.ledger.checkpoint import Head, Unsigned, checkpoint_keys, verified
from orchestration.ledger.checkpoint_files import files
from orchestration.ledger.erasures import proofs
from orchestration.ledger.links import Entry, entries, faults
from orchestration.ledger.merkle import Tree, tree_of
from orchestration.ledger.signing import Signed
from orchestration.settings import Settings
from orchestration.store.engine import Store
from orchestration.store.tables import proposal


class Claim(Contract):
    """That one entry stands in the ledger."""

    body: str
    """The entry as it was written; the SHA-256 of it, as text, is the leaf."""
    path: tuple[str, ...]
    """The hashes beside the way from the leaf to the root, in hexadecimal."""
    salt: str | None = Field(default=None, exclude_if=lambda value: value is None)
    payload: str | None = Field(default=None, exclude_if=lambda value: value is None)
    """What the body commits to, where it is disclosed: it holds personal data."""


class Inclusion(Contract):
    """That the entries about an action stand in the ledger that a checkpoint signed."""

    action: str
    checkpoint: int
    """Which one; its file goes with the proof."""
    entries: tuple[Claim, ...]
    not_yet: tuple[int, ...] = ()
    """Numbers of entries about it that came after that checkpoint."""


class Consistency(Contract):
    """That the ledger of a checkpoint begins with that of an earlier one."""

    older: int
    newer: int
    path: tuple[str, ...]


def prove(store: Store, settings: Settings, action: str, *, disclose: bool = False) -> tuple[Inclusion, Path]:
    """Prove what the ledger says of one action, against the newest checkpoint.

    Args:
        store: The coordinator's store.
        settings: Where keys and checkpoints are.
        action: Its id.
        disclose: Whether the proof also says what the entries commit to, personal data included.

    Returns:
        The proof, and the checkpoint's file, which goes with it.

    Raises:
        NotFound: There is no such action, or no checkpoint of an entry about it.
        PrecedeError: An entry does not hold, or the ledger is not the one that was signed.
    """
    signed = _checkpoints(settings)
    if not signed:
        raise NotFound(
            f"There is no checkpoint in {settings.checkpoints}; needed one; run `precede ledger checkpoint`."
        )
    newest = signed[max(signed)]
    with store.read() as connection:
        about = [*entries(connection, action)]
        if (
            not about
            and connection.execute(select(proposal.c.action).where(proposal.c.action == action)).first() is None
        ):
            raise NotFound(f"No action has the id {action!r}; needed one that exists; see `precede actions`.")
        tree, gone = _tree(connection, newest.head), proofs(connection, settings.keys).gone
    covered = [entry for entry in about if entry.seq <= newest.head.last]
    if not covered:
        raise NotFound(
            f"No checkpoint covers an entry about action {action} yet; needed one; run `precede ledger checkpoint`."
        )
    inclusion = Inclusion(
        action=action,
        checkpoint=newest.head.number,
        entries=tuple(_claim(entry, tree, gone, disclose=disclose) for entry in covered),
        not_yet=tuple(entry.seq for entry in about if entry.seq > newest.head.last),
    )
    return inclusion, newest.path


def consistent(store: Store, settings: Settings, older: int, newer: int) -> tuple[Consistency, Path, Path]:
    """Prove that the ledger only grew from one checkpoint to another.

    Args:
        store: The coordinator's store.
        settings: Where keys and checkpoints are.
        older: The number of the first.
        newer: The number of the second.

    Returns:
        The proof, and the files of both, which go with it.

    Raises:
        NotFound: There is no such checkpoint that a key signed.
        PrecedeError: The older one is not the older one, or the ledger is not the one that was signed.
    """
    signed = _checkpoints(settings)
    for number in (older, newer):
        if number not in signed:
            known = f"1 to {max(signed)}" if signed else "none"
            raise NotFound(
                f"There is no checkpoint {number} in {settings.checkpoints} that holds; needed one of: {known}."
            )
    first, second = signed[older], signed[newer]
    if first.head.last > second.head.last:
        raise PrecedeError(f"Checkpoint {older} is newer than {newer}; needed the older one first; turn them round.")
    with store.read() as connection:
        path = _tree(connection, second.head).consistency(first.head.last)
    proof = Consistency(older=older, newer=newer, path=tuple(node.hex() for node in path))
    return proof, first.path, second.path


def _checkpoints(settings: Settings) -> dict[int, Signed]:
    """Every checkpoint that a key signed, by number."""
    keys, found = checkpoint_keys(settings.keys), {}
    for file in files(settings.checkpoints):
        try:
            found[file.number] = Signed(verified(file.content or "", keys), file.path, file.content or "")
        except Unsigned:
            continue
    return found


def _tree(connection: Connection, head: Head) -> Tree:
    tree = tree_of(hashes(connection, 1, head.last))
    if tree.root().hex() != head.root:
        raise PrecedeError(
            f"The ledger is not the one that {head.name} signed; needed its {head.last} entries as they were; see "
            "`precede ledger verify`."
        )
    return tree


def _claim(entry: Entry, tree: Tree, gone: Mapping[Any, str], *, disclose: bool) -> Claim:
    for problem in faults(entry, gone):
        raise PrecedeError(f"{problem} Needed an entry as it was written; see `precede ledger verify`.")
    shown: dict[str, Any] = {"salt": entry.salt, "payload": entry.payload} if disclose and entry.payload else {}
    return Claim(body=entry.body, path=tuple(node.hex() for node in tree.inclusion(entry.seq - 1)), **shown)
