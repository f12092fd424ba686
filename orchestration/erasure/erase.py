"""Erasing a person: out of the store in one transaction, and then out of everything that was made of the sources.

The transaction leaves a signed proof in the ledger and a suppression, by which insight leaves the person out from then
on. What was landed and made is made anew without them by insight's job `erase`; then what was made before goes. A
process that dies between the two is finished by `finish`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import Connection, delete, insert, select, update

from orchestration.erasure import files
from orchestration.erasure.person import Person, add_earlier, person_of
from orchestration.erasure.rows import batches_about, erase_rows, refuse_open_work
from orchestration.erasure.suppression import (
    BETWEEN,
    CELL,
    MAILBOX,
    MAILBOX_NAME,
    PHONE_NAME,
    ROW,
    TOUCHED,
    add,
    mailbox,
    mailbox_name,
    phone_name,
    read_key,
)
from orchestration.erasure.texts import Texts
from orchestration.errors import ConfigurationError, PrecedeError
from orchestration.gate.keys import signing_key
from orchestration.gate.limits.touch import contact_subject, entity_subjects
from orchestration.graph.current import open_current
from orchestration.graph.publish import graph_path
from orchestration.ledger import agreement, entries_erasure, kinds
from orchestration.ledger.erasures import ERASURE, proofs
from orchestration.ledger.links import entries, faults
from orchestration.ledger.subjects import GONE, Subject, Told
from orchestration.ledger.telling import Telling, told_by
from orchestration.settings import Settings
from orchestration.store.engine import Store
from orchestration.store.tables import erasure, ledger_payload, snapshot

OTHERWISE: Final = "otherwise"
"""Told of a row that was not what the ledger had recorded when somebody was erased from it: no row has that digest."""
Republish = Callable[[], None]
REACHES_NOT: Final = (
    "The source systems are not touched: erase the person there too. Backups, and checkpoints and proofs that were "
    "handed out with what they disclose, are not reached."
)


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased, without saying who."""

    erasure_id: str
    counts: Mapping[str, int]
    suppressed: int
    entry: int
    """The ledger entry that proves it."""


def erase(  # noqa: PLR0913  what an erasure takes
    store: Store, settings: Settings, who: str, *, operator: str, reason: str, now: datetime
) -> Erased:
    """Take a person out of the store, suppress them, and leave a proof of it in the ledger.

    What was landed, made and published is not touched yet: `finish` does that.

    Raises:
        ConfigurationError: The reason names them.
        NotFound: There is no such person in the current graph.
        PrecedeError: Something about them is under way.
        StoreError: The store cannot be written.
    """
    with open_current(store, settings) as graph:
        person = person_of(graph, who)
    add_earlier(person, _kept(store, settings))
    theirs = person.texts | person.records | person.rows
    texts = Texts.of(person.entity_id, theirs, person.common, person.longer)
    if texts.by.search(reason) or texts.said.search(reason):
        raise ConfigurationError("--reason", "a text that says who the person is", "one that does not: it is kept")
    key, signs = read_key(settings.suppression_key, make=True), signing_key(settings.keys, ERASURE)
    erasure_id = f"erasure_{uuid4().hex[:12]}"
    with store.begin() as connection:
        refuse_open_work(connection, texts)
        about = batches_about(connection, texts)
        ledger = _Ledger(connection, settings.keys)
        counts = dict(erase_rows(connection, texts, _subjects(person)))
        gone, told = ledger.left(texts)
        connection.execute(delete(ledger_payload).where(ledger_payload.c.seq.in_(sorted(gone))))
        counts |= {"ledger_payload": len(gone)} if gone else {}
        said = {"entity_id": person.entity_id, "operator": operator, "reason": reason, "at": now, "counts": counts}
        connection.execute(insert(erasure).values(erasure_id=erasure_id, **said))
        new = add(connection, key, _suppressed(person), now, erasure_id=erasure_id)
        seq = entries_erasure.erased(connection, erasure_id, gone, told, new, signs, at=now)
    files.clear_exchange(settings, about, texts)
    files.scrub_logs(settings, texts)
    return Erased(erasure_id, counts, len(new), seq)


def finish(store: Store, settings: Settings, republish: Republish, now: datetime) -> list[str]:
    """Have everything made anew without those who were erased, and remove what was made before; whose that was.

    Args:
        store: The coordinator's store.
        settings: Where things are.
        republish: Runs insight's job `erase`, to its end.
        now: When this happens.

    Raises:
        PrecedeError: The new graph still has one of them, or the job failed; nothing is finished then.
    """
    unfinished = erasure.c.finished_at.is_(None)
    with store.read() as connection:
        waiting = dict(connection.execute(select(erasure.c.erasure_id, erasure.c.entity_id).where(unfinished)).all())
    if not waiting:
        return []
    republish()
    with open_current(store, settings) as graph:
        if there := [one for one in waiting.values() if graph.entity(one) is not None]:
            raise PrecedeError(
                f"{there[0]} is in the graph that was published without them; needed nothing of theirs in it; see "
                f"which rows `precede show {there[0]}` names, and erase them again."
            )
    files.remove_earlier_graphs(store, settings, now)
    with store.begin() as connection:
        connection.execute(update(erasure).where(erasure.c.erasure_id.in_(sorted(waiting))).values(finished_at=now))
    files.compact(store)
    return sorted(waiting)


class _Ledger:
    """What the ledger and the store's rows said before anything was erased."""

    def __init__(self, connection: Connection, keys: Path) -> None:
        self.connection = connection
        self.tellers: dict[Subject, list[int]] = {}
        self.subjects: dict[int, list[Subject]] = {}
        self.payloads: dict[int, tuple[str, str]] = {}
        erased, telling = proofs(connection, keys), Telling()
        proven = {entry.seq for entry in erased.entries}
        for entry in entries(connection):
            if any(faults(entry, erased.gone)) or (entry.kind == kinds.ERASED and entry.seq not in proven):
                continue
            telling.hear(entry)
            if entry.payload is not None and entry.kind != kinds.ERASED:
                self.payloads[entry.seq] = (entry.payload, str(entry.says().get("commitment")))
                for subject, _ in told_by(entry):
                    self.tellers.setdefault(subject, []).append(entry.seq)
                    self.subjects.setdefault(entry.seq, []).append(subject)
        self.told: Mapping[Subject, Told] = telling.told
        self.before = dict(agreement.told_by_store(connection, self.told))

    def left(self, texts: Texts) -> tuple[dict[int, str], list[tuple[str, str, str]]]:
        """The entries whose payloads must go, with their commitments, and what is left of the rows they told of.

        Of a row that was not what the ledger said of it, or was not there any more, it is said that it was not: so
        `verify` goes on to tell of it.
        """
        after = dict(agreement.told_by_store(self.connection, self.told))
        changed = [one for one in self.before.keys() | after.keys() if self.before.get(one) != after.get(one)]
        seqs = {seq for subject in changed for seq in self.tellers.get(subject, ())}
        seqs |= {seq for seq, (payload, _) in self.payloads.items() if texts.by.search(payload)}
        about = {subject for seq in seqs for subject in self.subjects.get(seq, ())} | set(changed)
        told = [
            (subject.part, subject.key, after.get(subject, GONE) if self._held(subject) else OTHERWISE)
            for subject in sorted(about)
            if subject in self.told
        ]
        return {seq: self.payloads[seq][1] for seq in sorted(seqs)}, told

    def _held(self, subject: Subject) -> bool:
        return self.told[subject].digest == self.before.get(subject, GONE)


def _subjects(person: Person) -> frozenset[str]:
    """By what limits count effects on the person, and on nobody else."""
    contacts = {contact_subject(one) for one in (person.mailboxes | person.phones) - person.shared}
    return entity_subjects(person.entity_id, sorted(person.records)) | contacts


def _suppressed(person: Person) -> Iterator[tuple[str, str]]:
    """What insight is to leave out from now on."""
    for row in person.rows:
        yield ROW, row
    for row, column in person.cells:
        yield TOUCHED, row
        yield CELL, f"{row}{BETWEEN}{column}"
    for one in person.mailboxes - person.shared:
        yield MAILBOX, mailbox(one)
    for one in person.mailboxes & person.shared:
        for name in person.names:
            yield MAILBOX_NAME, mailbox_name(one, name)
    for phone in person.phones:
        for name in person.names:
            yield PHONE_NAME, phone_name(phone, name)


def _kept(store: Store, settings: Settings) -> list[Any]:
    """The files of earlier graphs that are still there."""
    with store.read() as connection:
        ids = connection.execute(select(snapshot.c.snapshot_id).where(snapshot.c.expired_at.is_(None))).scalars()
        paths = [graph_path(settings, one) for one in ids]
    return [path for path in paths if path.is_file()]
