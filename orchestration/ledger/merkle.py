"""The Merkle tree of RFC 9162, section 2.1.1: one hash that stands for a range of ledger entries."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def root(leaves: Sequence[bytes]) -> bytes:
    """The Merkle tree hash of a list of values.

    A leaf and a node are hashed with different prefixes, so that neither can be taken for the other; a list is split
    at the largest power of two below its length.
    """
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + root(leaves[:split]) + root(leaves[split:])).digest()


def root_of(hashes: Sequence[str]) -> str:
    """The root over the hashes of ledger entries, each taken as its text, in hexadecimal."""
    return root([value.encode() for value in hashes]).hex()
