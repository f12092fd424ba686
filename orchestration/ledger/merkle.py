"""The Merkle tree of RFC 9162, section 2.1: one hash for a range of ledger entries, and proofs of what is in it.

A leaf and a node are hashed with different prefixes, so that neither can be taken for the other. RFC 9162 splits a
list at the largest power of two below its length; pairing hashes level by level, and handing an odd last one up as it
is, makes the same tree without recursion.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import starmap
from operator import add
from typing import Final

EMPTY: Final = sha256(b"").digest()
"""The root of no values at all."""


def leaf_hash(value: bytes) -> bytes:
    """The hash of one value."""
    return sha256(b"\x00" + value).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash over two subtrees."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """A tree that only grows: it keeps one hash for each complete subtree, so that its root is at hand at every size.

    Attributes:
        size: How many values it covers.
        subtrees: The hashes of its complete subtrees, the largest and first one first: one for each bit of `size`.
    """

    def __init__(self, size: int = 0, subtrees: Sequence[bytes] = ()) -> None:
        """A tree of no values, or one to go on from.

        Raises:
            ValueError: A tree of that size has another number of complete subtrees.
        """
        if size < 0 or len(subtrees) != size.bit_count():
            raise ValueError(f"a tree of {size} values has {max(size, 0).bit_count()} complete subtrees")
        self.size = size
        self.subtrees = list(subtrees)

    def add(self, value: bytes) -> None:
        """Put a value behind the last one."""
        subtrees, found, complete = self.subtrees, sha256(b"\x00" + value).digest(), self.size
        while complete & 1:
            found = sha256(b"\x01" + subtrees.pop() + found).digest()
            complete >>= 1
        subtrees.append(found)
        self.size += 1

    def root(self) -> bytes:
        """The Merkle tree hash of all values so far."""
        if not self.subtrees:
            return EMPTY
        found = self.subtrees[-1]
        for left in reversed(self.subtrees[:-1]):
            found = node_hash(left, found)
        return found


class Tree:
    """Every hash of a tree, level by level, from which any proof is read off."""

    def __init__(self, values: Iterable[bytes]) -> None:
        """Hash all values; takes about a microsecond for each."""
        self.levels = [[sha256(b"\x00" + value).digest() for value in values]]
        while len(self.levels[-1]) > 1:
            below = self.levels[-1]
            joined = starmap(add, zip(below[::2], below[1::2], strict=False))  # an odd last one has no partner
            level = [sha256(b"\x01" + pair).digest() for pair in joined]
            self.levels.append(level + below[-1:] if len(below) & 1 else level)

    @property
    def size(self) -> int:
        """How many values there are."""
        return len(self.levels[0])

    def root(self) -> bytes:
        """The Merkle tree hash of all values."""
        return self.levels[-1][0] if self.size else EMPTY

    def inclusion(self, index: int) -> list[bytes]:
        """What proves that the value at `index`, counted from 0, is in the tree (RFC 9162, section 2.1.3.1).

        Raises:
            IndexError: There is no such value.
        """
        if not 0 <= index < self.size:
            raise IndexError(f"a tree of {self.size} values has none at {index}")
        path = []
        for level in self.levels[:-1]:
            if (sibling := index ^ 1) < len(level):
                path.append(level[sibling])
            index >>= 1
        return path

    def consistency(self, first: int) -> list[bytes]:
        """What proves that the tree of the first `first` values became this one (RFC 9162, section 2.1.4.1).

        Raises:
            IndexError: This tree is smaller, or `first` is not positive.
        """
        if not 0 < first <= self.size:
            raise IndexError(f"a tree of {self.size} values did not begin as one of {first}")
        if first == self.size:
            return []
        index, height = first - 1, 0
        while index & 1:  # the largest complete subtree that ends where the first tree does
            index, height = index >> 1, height + 1
        path = [self.levels[height][index]] if index else []
        for level in self.levels[height:-1]:
            if index & 1:
                path.append(level[index - 1])
            elif index + 1 < len(level):
                path.append(level[index + 1])
            index >>= 1
        return path


def root(leaves: Sequence[bytes]) -> bytes:
    """The Merkle tree hash of a list of values."""
    return Tree(leaves).root()


def root_of(hashes: Sequence[str]) -> str:
    """The root over the hashes of ledger entries, each taken as its text, in hexadecimal."""
    return root([value.encode() for value in hashes]).hex()


def tree_of(hashes: Sequence[str]) -> Tree:
    """The tree over the hashes of ledger entries, each taken as its text."""
    return Tree(value.encode() for value in hashes)
