"""Whether the store's rows still are what the ledger recorded of them, both ways.

Each side is told as a set of subjects, each with a digest of what is said of it: a decision row edited, removed or put
in later then shows as a difference between the two. What the ledger says stands in `telling`; here is what the store
says, and the comparison.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Connection, Table, select

from orchestration.canonical import digest
from orchestration.ledger import committed, committed_effects, handed_on, held, kept, rows, store_says
from orchestration.ledger.subjects import (
    ANSWER,
    APPROVAL_USE,
    CURRENT,
    EFFECTS_PIN,
    END,
    EVIDENCE,
    EXPIRY,
    FILE,
    GONE,
    HALT,
    INPUT_PIN,
    LIFTING,
    PARTS,
    POLICIES,
    PROOF,
    REVOCATION,
    SNAPSHOT_PIN,
    STATE,
    SUPPRESSION,
    VOIDING,
    Said,
    Subject,
    Told,
)
from orchestration.store import tables


def told_by_store(
    connection: Connection, ledger: Mapping[Subject, Told], action: str | None = None
) -> Iterator[tuple[Subject, str]]:
    """What the store's rows say, of each subject that the ledger must know; of one action alone where it is given.

    Args:
        connection: On the store.
        ledger: What the ledger says, which tells how a digest was taken; nothing else of it counts here.
        action: The one action.
    """
    for read in READ.values():
        for part, found in read(connection, action).items():
            for key, said in found.items():
                yield Subject(part, key), said
    told = {subject.key: said.digest for subject, said in ledger.items() if subject.part == EVIDENCE}
    for of_action, each in as_told(connection, told, kept.whole(connection, action)).items():
        yield Subject(EVIDENCE, of_action), each


def as_told(connection: Connection, told: Mapping[str, str], store: Mapping[str, str]) -> dict[str, str]:
    """What the store says of evidence, by action, said as the ledger told it: earlier versions took another digest."""
    earlier = [key for key, said in told.items() if not said.startswith(kept.STORED) and said != GONE and key in store]
    return {**store, **{key: kept.canonically(connection, key) for key in earlier}}


def differences(ledger: Mapping[Subject, Told], store: Mapping[Subject, str]) -> Iterator[str]:
    """A problem for each subject of which the ledger and the store do not say the same."""
    for subject, told in ledger.items():
        if told.digest == GONE:
            if subject in store:
                yield f"The store holds {subject}, which {told.entry} recorded as removed."
        elif subject not in store:
            yield f"The store no longer holds {subject}, which {told.entry} recorded."
        elif store[subject] != told.digest:
            yield f"The store's row was edited: {subject} is not what {told.entry} recorded."
    for subject in store:
        if subject not in ledger:
            yield f"The store holds {subject}, which no unedited ledger entry recorded."


def _few(connection: Connection, action: str | None) -> Said:
    """What the rows say that there are few of."""
    said: Said = defaultdict(dict)
    for read in _OF_ALL if action is None else ():
        for subject, one in read(connection):
            said[subject.part][subject.key] = one
    for read_of in (_batches, _policies, _approvals, committed_effects.told_by_store):
        for subject, one in read_of(connection, action):
            said[subject.part][subject.key] = one
    return dict(said)


def _snapshots(connection: Connection) -> Iterator[tuple[Subject, str]]:
    woken = set(connection.execute(select(tables.batch.c.snapshot_id).where(tables.batch.c.pin.is_not(None))).scalars())
    for row in _rows(connection, tables.snapshot):
        if row["published_at"] is not None:
            yield _about("snapshot", row), digest(committed.of_snapshot(row))
            yield Subject(FILE, row["snapshot_id"]), digest(row["file_digest"])
            yield Subject(EXPIRY, row["snapshot_id"]), digest(row["expired_at"])
        if row["pin"] is not None and row["snapshot_id"] in woken:  # found after the publication, told with the batch
            yield Subject(SNAPSHOT_PIN, row["snapshot_id"]), digest(row["pin"])
    for row in _rows(connection, tables.pointer):
        yield CURRENT, digest([row["snapshot_id"], row["moved_at"]])


def _batches(connection: Connection, action: str | None) -> Iterator[tuple[Subject, str]]:
    if action is not None:
        return
    proposed = set(connection.execute(select(tables.proposal.c.batch_id).distinct()).scalars())
    shown, answers = store_says.shown(connection)
    for row_id, answer in answers.items():
        yield Subject(ANSWER, row_id), answer
    for row in _rows(connection, tables.batch):
        batch_id = row["batch_id"]
        yield _about("batch", row), digest(committed.of_batch(row, ()) | {"rows": shown[batch_id]})
        yield Subject(STATE, batch_id), digest(_known_state(row, proposed=batch_id in proposed))
        for part, column in ((INPUT_PIN, "pin"), (EFFECTS_PIN, "effects_pin")):
            if row[column] is not None:
                yield Subject(part, batch_id), digest(row[column])
        if row["halted_by"] is not None:
            yield Subject(HALT, f"batch {batch_id}"), digest(row["halted_by"])


def _judgements(connection: Connection) -> Iterator[tuple[Subject, str]]:
    for row in _rows(connection, tables.judgement):
        yield _about("judgement", row), digest(committed.of_judgement(row))
    for row in _rows(connection, tables.settlement):
        yield _about("settlement", row), digest(committed.of_settlement(row))


def _credentials(connection: Connection) -> Iterator[tuple[Subject, str]]:
    for row in _rows(connection, tables.agent_credential):
        yield _about("credential", row), digest(committed.of_credential(row))
        if row["ended_at"] is not None:
            yield Subject(END, row["credential_id"]), digest([row["ended"], row["ended_at"]])
        if row["revoked_at"] is not None:
            yield Subject(REVOCATION, row["credential_id"]), digest(row["revoked_at"])


def _stops(connection: Connection) -> Iterator[tuple[Subject, str]]:
    """Stops with what was seen after them; of those taken over from before they were kept no entry tells."""
    for row in _rows(connection, tables.stop):
        kept_since = row["halted"] is not None
        if kept_since:
            yield _about("stop", row), digest(committed.of_stop(row))
        if row["proof"] is not None:
            yield Subject(PROOF, str(row["number"])), digest(row["proof"])
        if row["lifted_at"] is not None:
            yield Subject(LIFTING, str(row["number"])), digest(row["lifted_at"])


def _objections(connection: Connection) -> Iterator[tuple[Subject, str]]:
    kept = defaultdict(list)
    for row in _rows(connection, tables.objection_subject):
        kept[row["objection_id"]].append(row["subject"])
    for row in _rows(connection, tables.objection):
        said = row | {"subjects": sorted(kept.pop(row["objection_id"], ()))}
        yield _about("objection", row), digest(committed.of_objection(said))
        if row["withdrawn_at"] is not None:
            yield _about("withdrawal", row), digest(committed.of_withdrawal(said))


def _erasures(connection: Connection) -> Iterator[tuple[Subject, str]]:
    for row in _rows(connection, tables.erasure):
        yield _about("erasure", row), digest(committed.of_erasure(row))
    for (one,) in connection.execute(select(tables.suppression.c.digest)):
        yield Subject(SUPPRESSION, one), digest(one)


def _policies(connection: Connection, action: str | None) -> Iterator[tuple[Subject, str]]:
    """The policies that decisions were made by; those of one action's decisions alone where it is given."""
    query, decision = select(tables.policy_set), tables.decision
    if action is not None:
        asked = select(decision.c.policy_digest).where(decision.c.action == action, decision.c.request_digest != "")
        query = query.where(tables.policy_set.c.digest.in_(asked))
    for row in connection.execute(query).mappings():
        yield Subject(POLICIES, row["digest"]), committed.of_policies(dict(row))


def _approvals(connection: Connection, action: str | None) -> Iterator[tuple[Subject, str]]:
    """What is held, what was shown of it, what was said of it, and how each of these approvals ended."""
    for row in rows.rows(connection, tables.held, action):
        yield _about("held", row), rows.digest(committed.of_held(row))
        yield from held.told_by_store(row)
    for row in _rows(connection, tables.showing, action):
        yield _about("showing", row), digest(committed.of_showing(row))
    for row in _rows(connection, tables.approval, action):
        yield _about("approval", row), digest(committed.of_approval(row))
        if row["voided_at"] is not None:
            yield Subject(VOIDING, row["approval_id"]), digest([row["void_code"], row["voided_at"]])
        if row["consumed_at"] is not None:
            yield Subject(APPROVAL_USE, row["approval_id"]), digest([row["permit_id"], row["consumed_at"]])


def _known_state(batch: committed.Row, *, proposed: bool) -> str:
    """How far the ledger must know a batch to be; where nothing was proposed there is no effect to tell of its end."""
    state: str = batch["state"]
    if state == "closed" and not batch["row_count"]:
        return "waiting"  # a wake without rows is closed from the start
    if state == "decided" or (state == "closed" and batch["effects_pin"] is None and not proposed):
        return "answered"
    return state


def _about(part: str, row: committed.Row) -> Subject:
    name, column = PARTS[part]
    return Subject(name, str(row[column]))


def _rows(connection: Connection, table: Table, action: str | None = None) -> Iterator[dict[str, Any]]:
    query = select(table) if action is None else select(table).where(table.c.action == action)
    for row in connection.execute(query.execution_options(yield_per=500)).mappings():
        yield dict(row)


_OF_ALL: Final = (_snapshots, _judgements, _credentials, _stops, _objections, _erasures, handed_on.told_by_store)
READ: Final[Mapping[str, Callable[[Connection, str | None], Said]]] = {
    "decided": store_says.decided,
    "proposed": store_says.proposed,
    "few": _few,
}
"""What the store's rows say but for evidence, in three parts that may be read beside each other, the longest first.

No subject stands in two of them, but for halts of batches and of permits, which have keys of their own.
"""
