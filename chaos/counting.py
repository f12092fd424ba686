"""Counting what there is, with the databases' own drivers and nothing of the product's."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import psycopg


@dataclass(frozen=True, slots=True)
class Count:
    """What was counted after everything that was left had been finished.

    Attributes:
        expected: Effects that there must be.
        effects: Effects in the tool's own database.
        lost: Expected, and not there.
        doubled: Rows of an effect beyond its first.
        unasked: Rows that nobody expected.
        reused: Permits that more than one effect rests on, or that were used more than once by the ledger.
        gaps: Entries of the ledger that are missing, out of order, or do not fit the one before them.
        untold: Effects whose intent, call or outcome the ledger does not have, or says otherwise.
    """

    expected: int = 0
    effects: int = 0
    lost: int = 0
    doubled: int = 0
    unasked: int = 0
    reused: int = 0
    gaps: int = 0
    untold: int = 0

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not any((self.lost, self.doubled, self.unasked, self.reused, self.gaps, self.untold))

    def __add__(self, other: Count) -> Count:
        return Count(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


def count(books: Path, store_url: str, expected: Sequence[int]) -> Count:
    """Count.

    Args:
        books: The ERP's SQLite file.
        store_url: The store: a Postgres URL, or the path of a SQLite file.
        expected: The number of each invoice of which there must be one reminder.
    """
    written = Counter(row[0] for row in _sqlite(books, "SELECT custrecord_invoice FROM customrecord_dunning"))
    entries = _store(store_url, "SELECT seq, kind, action, previous, body, hash FROM ledger_entry ORDER BY seq")
    outbox = _store(store_url, "SELECT action, permit_id, effect_key, state FROM outbox")
    permits = _store(store_url, "SELECT permit_id, action, consumed_at FROM permit")
    wanted = set(expected)
    return Count(
        expected=len(wanted),
        effects=sum(written.values()),
        lost=len(wanted - written.keys()),
        doubled=sum(times - 1 for times in written.values()),
        unasked=len(written.keys() - wanted),
        reused=_reused(outbox, permits, entries),
        gaps=_gaps(entries),
        untold=_untold(outbox, entries, written),
    )


def _reused(outbox: list[Any], permits: list[Any], entries: list[Any]) -> int:
    per_permit = Counter(permit for _, permit, _, _ in outbox)
    intents = Counter(action for _, kind, action, *_ in entries if kind == "intent")
    used = Counter(action for _, action, consumed in permits if consumed is not None)
    return sum(
        sum(times - 1 for times in counted.values() if times > 1) for counted in (per_permit, intents, used)
    ) + len(used.keys() ^ {action for action, *_ in outbox})


def _gaps(entries: list[Any]) -> int:
    wrong, before = 0, None
    for number, (seq, _, _, previous, body, digest) in enumerate(entries, start=1):
        said = json.loads(body)
        sound = (
            seq == said["seq"] == number
            and hashlib.sha256(body.encode()).hexdigest() == digest
            and previous == said["previous"]
            and before in {None, previous}
        )
        wrong, before = wrong + (not sound), digest
    return wrong


def _untold(outbox: list[Any], entries: list[Any], written: Counter[int]) -> int:
    intents = {action for _, kind, action, *_ in entries if kind == "intent"}
    outcomes = {action: json.loads(body) for _, kind, action, _, body, _ in entries if kind == "outcome"}
    done = {action for action, _, _, state in outbox if state == "done"}
    there = {action for action, _, key, _ in outbox if int(key.split(":")[3]) in written}
    begun = {action for _, kind, action, *_ in entries if kind == "begun"}
    return len(done ^ there) + len(done - intents) + len(done - begun) + len(done - outcomes.keys())


def _store(url: str, query: str) -> list[Any]:
    if not url.startswith("postgres"):
        return _sqlite(Path(url), query)
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def _sqlite(path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()
