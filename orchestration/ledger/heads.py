"""What a folder of checkpoints says of the ledger: whether it still is the one that was signed, and if not, since when.

Pure: files, copies and entries in, problems out. The folder is the truth; the store's copies only tell what was taken
out of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, select, type_coerce
from sqlalchemy.types import NullType

from orchestration.ledger.checkpoint import Head, Unsigned, content_digest, read, verified
from orchestration.ledger.checkpoint_files import File
from orchestration.ledger.links import Entry
from orchestration.ledger.merkle import Frontier
from orchestration.store.tables import checkpoint

_SHOWN: Final = 5
"""Stretches of numbers that a sentence lists."""


@dataclass(frozen=True, slots=True)
class Believed:
    """The heads that a key signed, in the order of their numbers, and what is wrong with the files."""

    heads: tuple[Head, ...]
    problems: tuple[str, ...]


def copies(connection: Connection) -> dict[object, object]:
    """What the store recorded of each checkpoint, by its number, whatever somebody put there."""
    columns = [type_coerce(column, NullType()) for column in (checkpoint.c.number, checkpoint.c.content)]
    return {row[0]: row[1] for row in connection.execute(select(*columns))}


def believed(
    files: Sequence[File], recorded: Mapping[object, object], keys: Mapping[str, Ed25519PublicKey], folder: object
) -> Believed:
    """Which checkpoints hold as such.

    A checkpoint that the one after it names by its digest is as good as that: its own signature is not looked at.

    Args:
        files: What the folder holds, in the order of their numbers.
        recorded: What the store recorded, by number.
        keys: The public keys, by fingerprint.
        folder: What to call the folder.
    """
    heads: dict[int, Head] = {}
    problems: list[str] = []
    after: Head | None = None
    for file in reversed(files):
        after, problem = _judged(file, after, keys)
        problems += [problem] if problem else []
        if after is not None:
            heads[file.number] = after
    there = {file.number: file.content for file in files}
    edited = [number for number, content in recorded.items() if number in there and there[number] != content]
    lost = {number: _signed(content, keys) for number, content in recorded.items() if number not in there}
    problems += [f"The store's copy of checkpoint {number} is not what the file in {folder} says." for number in edited]
    gone = {*range(1, max(heads, default=0)), *lost} - there.keys()
    heads |= {head.number: head for head in lost.values() if head is not None and head.number in gone}
    if gone:
        known = [heads[number] for number in sorted(heads) if number in gone]
        last = f" The store has a copy of {known[-1].name}, up to entry {known[-1].last}." if known else ""
        problems.append(f"Missing from {folder}: {_ranges(gone)}. Who took them away hides what they signed.{last}")
    return Believed(tuple(heads[number] for number in sorted(heads)), tuple(reversed(problems)))


class Standing:
    """Whether each head still holds of the ledger, found while walking along it.

    Attributes:
        entries: How many entries were taken in.
    """

    def __init__(self, heads: Iterable[Head]) -> None:
        """Stand before the first entry."""
        self.entries = 0
        self._tree = Frontier()
        self._heads = sorted(heads, key=lambda head: head.last)
        self._next = 0
        self._last: Head | None = None  # the last that holds
        self._broken: Head | None = None  # the first that does not

    def step(self, entry: Entry) -> None:
        """Take the next entry in."""
        self.entries += 1
        if self._next == len(self._heads):
            return  # no checkpoint covers this entry, nor any after it
        value: Any = entry.hash
        text = value if isinstance(value, str) else str(value)
        self._tree.add(text.encode("utf-8", "surrogatepass"))
        while self._next < len(self._heads) and self._heads[self._next].last == self._tree.size:
            head = self._heads[self._next]
            self._next += 1
            if (self._tree.root().hex(), text) == (head.root, head.head):
                self._last = head
            else:
                self._broken = self._broken or head

    @property
    def last(self) -> Head | None:
        """The last checkpoint that holds: the ledger up to there is the one that was signed."""
        return self._last

    @property
    def holding(self) -> int:
        """How many of them hold."""
        return sum(head.last <= self._last.last for head in self._heads) if self._last else 0

    def problems(self) -> Iterator[str]:
        """What the checkpoints say against the ledger, once all of it was walked."""
        end = self.entries
        if self._broken is not None:
            first = self._last.last + 1 if self._last else 1
            yield (
                f"The ledger was rewritten: its first {self._broken.last} entries are not those that "
                f"{self._broken.name} signed. One of the entries {first} to {self._broken.last} was edited, removed, "
                f"moved or put in after that. {self._held()}"
            )
        if self._next < len(self._heads):
            head = self._heads[-1]
            gone = f"entry {end + 1}" if head.last == end + 1 else f"entries {end + 1} to {head.last}"
            yield (
                f"The ledger was cut off, or the store was set back to an older state: it ends with entry {end}, and "
                f"{head.name} signed {head.last} entries. What is missing: {gone}. {self._held()}"
            )

    def _held(self) -> str:
        if self._last is None:
            return "No checkpoint holds."
        return f"The last one that holds is {self._last.name}, up to entry {self._last.last}."


def _judged(file: File, after: Head | None, keys: Mapping[str, Ed25519PublicKey]) -> tuple[Head | None, str | None]:
    """A file's head where it can be believed, and what is wrong with it."""
    name = f"Checkpoint {file.number} ({file.path})"
    if file.content is None:
        return None, f"{name} cannot be read: it was cut off, edited or closed to this user."
    expected = after.previous if after is not None and after.number == file.number + 1 else None
    named = expected == content_digest(file.content)
    try:
        head = read(file.content) if named else verified(file.content, keys)
    except Unsigned as problem:
        return None, f"{name} does not hold: {problem}. It was edited, or another key signed it."
    if head.number != file.number:
        return None, f"{name} is checkpoint {head.number} under another name."
    if expected is not None and not named:
        return head, f"{name} is not the one that checkpoint {file.number + 1} names: it was replaced."
    return head, None


def _ranges(numbers: set[Any]) -> str:
    """Which checkpoints these are, in few words."""
    whole = sorted(number for number in numbers if isinstance(number, int))
    starts = [number for number in whole if number - 1 not in numbers]
    ends = [number for number in whole if number + 1 not in numbers]
    told = [f"{start}" if start == end else f"{start} to {end}" for start, end in zip(starts, ends, strict=True)]
    more = f" and {len(told) - _SHOWN} more stretches" if len(told) > _SHOWN else ""
    return f"checkpoint{'s' * (len(numbers) > 1)} {', '.join(told[:_SHOWN]) or 'without a number'}{more}"


def _signed(content: object, keys: Mapping[str, Ed25519PublicKey]) -> Head | None:
    try:
        return verified(content, keys) if isinstance(content, str) else None
    except Unsigned:
        return None
