"""Whether the store's rows still are what the ledger recorded of them, both ways.

Each side is told as a set of facts, from what they are about to a digest of them: a decision row edited, removed or
put in later then shows as a difference between the two.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Table, select

from orchestration.canonical import digest
from orchestration.contracts import OutcomeState
from orchestration.ledger import committed
from orchestration.ledger import entries as kinds
from orchestration.ledger.links import Entry
from orchestration.store import tables

_PARTS: Final = {
    "snapshot": ("snapshot", "snapshot_id"),
    "batch": ("batch", "batch_id"),
    "decision": ("decision", "decision_id"),
    "proposal": ("the proposal of action", "action"),
    "permit": ("permit", "permit_id"),
    "intent": ("the intent of action", "action"),
    "outcome": ("the outcome of action", "action"),
}
"""Part of a payload to what a sentence calls it, and the column in it that names what it is about."""
_EVIDENCE: Final = "the evidence of action"
_INPUT_PIN: Final = "the input pin of batch"
_EFFECTS_PIN: Final = "the effects pin of batch"
_SETTLED: Final = frozenset(OutcomeState)


class Subject(NamedTuple):
    """What a fact is about: a part of a payload, and the id of one row."""

    part: str
    key: str

    def __str__(self) -> str:
        return f"{self.part} {self.key}".strip()


CURRENT: Final = Subject("the pointer to the current snapshot", "")


@dataclass(frozen=True, slots=True)
class Told:
    """A digest of what the ledger says of a subject, and where it says so."""

    digest: str
    entry: str


def told_by(entry: Entry) -> Iterator[tuple[Subject, Told]]:
    """What one entry, of which `links.faults` found nothing, says of each subject that it tells of."""
    payload, body = entry.covers(), entry.says()
    where = entry.name[0].lower() + entry.name[1:]
    for part, (name, column) in _PARTS.items():
        told = payload.get(part)
        if isinstance(told, dict):
            yield Subject(name, str(told.get(column))), Told(digest(told), where)
    if entry.kind == kinds.SNAPSHOT:
        yield CURRENT, Told(digest(body.get("snapshot")), where)  # the last one told counts
    if entry.kind == kinds.DECISION and payload.get("evidence") is not None:
        yield Subject(_EVIDENCE, str(entry.action)), Told(str(payload["evidence"]), where)
    if entry.kind == kinds.BATCH and body.get("pin") is not None:
        yield Subject(_INPUT_PIN, str(body.get("batch"))), Told(digest(body["pin"]), where)
    if entry.kind == kinds.BATCH_CLOSED:
        for batch_id in body.get("batches", ()):
            yield Subject(_EFFECTS_PIN, str(batch_id)), Told(digest(body.get("pin")), where)


def told_by_store(connection: Connection, action: str | None = None) -> Iterator[tuple[Subject, str]]:
    """What the store's rows say, of each subject that the ledger must know; of one action alone where it is given."""
    if action is None:
        yield from _snapshots(connection)
        yield from _batches(connection)
    decided = set()
    for row in _rows(connection, tables.decision, action):
        decided.add(row["action"])
        yield _about("decision", row), digest(committed.of_decision(row))
    for row in _rows(connection, tables.proposal, action):
        if row["action"] in decided:
            yield _about("proposal", row), digest(committed.of_proposal(row))
    for row in _rows(connection, tables.evidence, action):
        yield Subject(_EVIDENCE, row["action"]), committed.of_evidence(row)
    consumed = {}
    for row in _rows(connection, tables.permit, action):
        consumed[row["permit_id"]] = row["consumed_at"]
        yield _about("permit", row), digest(committed.of_permit(row))
    for row in _rows(connection, tables.outbox, action):
        yield _about("intent", row), digest(committed.of_intent(row, consumed.get(row["permit_id"])))
        if row["state"] in _SETTLED:
            yield _about("outcome", row), digest(committed.of_outcome(row))


def differences(ledger: Mapping[Subject, Told], store: Mapping[Subject, str]) -> Iterator[str]:
    """A problem for each subject of which the ledger and the store do not say the same."""
    for subject, told in ledger.items():
        if subject not in store:
            yield f"The store no longer holds {subject}, which {told.entry} recorded."
        elif store[subject] != told.digest:
            yield f"The store's row was edited: {subject} is not what {told.entry} recorded."
    for subject in store:
        if subject not in ledger:
            yield f"The store holds {subject}, which no unedited ledger entry recorded."


def _snapshots(connection: Connection) -> Iterator[tuple[Subject, str]]:
    for row in _rows(connection, tables.snapshot):
        if row["published_at"] is not None:
            yield _about("snapshot", row), digest(committed.of_snapshot(row))

    for row in _rows(connection, tables.pointer):
        yield CURRENT, digest(row["snapshot_id"])


def _batches(connection: Connection) -> Iterator[tuple[Subject, str]]:
    shown = defaultdict(list)
    for row in _rows(connection, tables.trigger_row):
        shown[row["batch_id"]].append(row)
    for row in _rows(connection, tables.batch):
        batch_id = row["batch_id"]
        yield _about("batch", row), digest(committed.of_batch(row, shown[batch_id]))
        for part, column in ((_INPUT_PIN, "pin"), (_EFFECTS_PIN, "effects_pin")):
            if row[column] is not None:
                yield Subject(part, batch_id), digest(row[column])


def _about(part: str, row: committed.Row) -> Subject:
    name, column = _PARTS[part]
    return Subject(name, str(row[column]))


def _rows(connection: Connection, table: Table, action: str | None = None) -> Iterator[dict[str, Any]]:
    query = select(table) if action is None else select(table).where(table.c.action == action)
    for row in connection.execute(query.execution_options(yield_per=500)).mappings():
        yield dict(row)
