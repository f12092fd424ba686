"""Whether the store's rows still are what the ledger recorded of them, both ways.

Each side is told as a set of subjects, each with a digest of what is said of it: a decision row edited, removed or put
in later then shows as a difference between the two. What the ledger said once it may not say otherwise later, except of
what has steps: an outcome that was unknown becomes known, evidence is kept anew with a later decision.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Table, exists, func, select

from orchestration.canonical import digest
from orchestration.contracts import OutcomeState
from orchestration.ledger import committed, kept, rows
from orchestration.ledger import entries as kinds
from orchestration.ledger.links import Entry, members
from orchestration.store import tables

_PARTS: Final = {
    "snapshot": ("snapshot", "snapshot_id"),
    "batch": ("batch", "batch_id"),
    "decision": ("decision", "decision_id"),
    "proposal": ("the proposal of action", "action"),
    "permit": ("permit", "permit_id"),
    "intent": ("the intent of action", "action"),
    "outcome": ("the outcome of action", "action"),
    "judgement": ("judgement", "judgement_id"),
    "settlement": ("the settling judgement", "judgement_id"),
    "credential": ("the credential", "credential_id"),
    "use": ("the count of permit", "permit_id"),
}
"""Part of a payload to what a sentence calls it, and the column in it that names what it is about."""
_FILE: Final = "the file of snapshot"
_EXPIRY: Final = "the expiry of snapshot"
_SNAPSHOT_PIN: Final = "the pin of snapshot"
_STATE: Final = "the state of batch"
_STEPS: Final = {"waiting": 0, "answered": 1, "closed": 2}
"""How far a batch is, as the ledger knows it: that all of it was decided is known from its decisions."""
_ANSWER: Final = "the answer to row"
_ANSWERS: Final = ("declined", "failed", "refused")
_EVIDENCE: Final = "the evidence of action"
_INPUT_PIN: Final = "the input pin of batch"
_EFFECTS_PIN: Final = "the effects pin of batch"
_END: Final = "the end of credential"
_REVOCATION: Final = "the revocation of credential"
_POLICIES: Final = "the policies"
_SETTLED: Final = frozenset(OutcomeState)
_FINAL: Final = 2**63
"""A step that none comes after."""


class Subject(NamedTuple):
    """What a fact is about: a part of a payload, and the id of one row."""

    part: str
    key: str

    def __str__(self) -> str:
        return f"{self.part} {self.key}".strip()


GONE: Final = ""
"""Told of what was removed by leave: the store must not hold it any more."""
CURRENT: Final = Subject("the pointer to the current snapshot", "")


class Told(NamedTuple):
    """A digest of what the ledger says of a subject, and where it says so."""

    digest: str
    mark: tuple[object, object, object]
    """Number, kind and time of the entry."""
    step: int = 0
    """Another digest of the same subject counts where its step is a later one, and is a forgery elsewhere."""

    @property
    def entry(self) -> str:
        """How a sentence calls the entry."""
        seq, kind, at = self.mark
        return f"entry {seq} ({kind} of {at})"


class Telling:
    """What the ledger says, entry by entry."""

    def __init__(self) -> None:
        self.told: dict[Subject, Told] = {}

    def hear(self, entry: Entry) -> list[str]:
        """Take in an entry of which `links.faults` found nothing; a problem for each thing that it tells otherwise."""
        problems = []
        for subject, told in told_by(entry):
            before = self.told.get(subject)
            if before is None or told.step > before.step:
                self.told[subject] = told
            elif told.digest != before.digest:
                problems.append(f"{entry.name} tells {subject} otherwise than {before.entry} did: it was put in later.")
        if entry.kind == kinds.DECISION and (meant := self.told.get(Subject(_PARTS["intent"][0], str(entry.action)))):
            problems.append(f"{entry.name} decides action {entry.action} after {meant.entry} meant it: it was put in.")
        return problems


def told_by(entry: Entry) -> Iterator[tuple[Subject, Told]]:
    """What one entry, of which `links.faults` found nothing, says of each subject that it tells of."""
    payload, body = entry.covers(), entry.says()
    for subject, said, step in _said(entry, body, payload):
        yield subject, Told(said, entry.mark, step)


def _said(entry: Entry, body: dict[str, Any], payload: dict[str, Any]) -> Iterator[tuple[Subject, str, int]]:
    seq = _number(body.get("seq"))
    for part, (told, text) in entry.parts().items():
        if part in _PARTS and isinstance(told, dict):
            name, column = _PARTS[part]
            unknown = part == "outcome" and told.get("state") == OutcomeState.UNKNOWN
            step = 0 if part != "outcome" else seq if unknown else _FINAL
            yield Subject(name, str(told.get(column))), _digest_of(text), step
    if entry.kind in {kinds.SNAPSHOT, kinds.EXPIRED}:
        snapshot = str(body.get("snapshot"))
        expired_at = body.get("at") if entry.kind == kinds.EXPIRED else None
        yield Subject(_EXPIRY, snapshot), digest(expired_at), seq
        if entry.kind == kinds.SNAPSHOT:
            yield Subject(_FILE, snapshot), digest(body.get("file")), seq  # a lost one may have been written anew
            yield CURRENT, digest([snapshot, body.get("at")]), seq
    if entry.kind == kinds.DECISION and payload.get("evidence") is not None:
        yield Subject(_EVIDENCE, str(entry.action)), str(payload["evidence"]), 2 * _number(body.get("decision"))
    if entry.kind == kinds.EVIDENCE_EXPIRED:  # what was removed is what had been kept, and then it is gone
        expired, step = Subject(_EVIDENCE, str(entry.action)), 2 * _number(body.get("decision"))
        yield expired, str(body.get("evidence")), step
        yield expired, GONE, step + 1
    if entry.kind == kinds.DECISION and _mapping(payload.get("decision")).get("request_digest"):
        yield Subject(_POLICIES, str(body.get("policy_digest"))), str(body.get("policy_digest")), 0
    yield from _said_of_batches(entry, body, payload)
    yield from _said_of_credentials(entry, body)


def _said_of_batches(entry: Entry, body: dict[str, Any], payload: dict[str, Any]) -> Iterator[tuple[Subject, str, int]]:
    if entry.kind == kinds.BATCH:
        yield _state(str(body.get("batch")), "waiting")
        if body.get("pin") is not None:
            yield Subject(_INPUT_PIN, str(body.get("batch"))), digest(body["pin"]), 0
            yield Subject(_SNAPSHOT_PIN, str(body.get("snapshot"))), digest(body["pin"]), 0
    if entry.kind == kinds.ANSWER:
        answers = list(_answers(payload))
        for row_id, answer, reason in answers:
            yield Subject(_ANSWER, row_id), _answer_digest(answer, reason), 0
        for action, (_, text) in members(entry.parts().get("proposals", ({}, ""))[1]).items():
            yield Subject(_PARTS["proposal"][0], action), _digest_of(text), 0
        if answers:
            yield _state(str(body.get("batch")), "answered")
    if entry.kind == kinds.BATCH_CLOSED:
        batches = body.get("batches")
        for batch_id in batches if isinstance(batches, list) else ():
            yield _state(str(batch_id), "closed")
            yield Subject(_EFFECTS_PIN, str(batch_id)), digest(body.get("pin")), 0


def _said_of_credentials(entry: Entry, body: dict[str, Any]) -> Iterator[tuple[Subject, str, int]]:
    """How each credential ended, and which were revoked."""
    at = body.get("at")
    ends = {
        kinds.ANSWER: ("answered", [body["credential"]] if body.get("credential") else []),
        kinds.CREDENTIAL: ("replaced", body.get("replaced")),
        kinds.CREDENTIALS_ENDED: (body.get("ended"), body.get("credentials")),
    }
    how, over = ends.get(entry.kind, ("", []))
    for credential_id in over if isinstance(over, list) else ():
        yield Subject(_END, str(credential_id)), digest([how, at]), 0
    revoked = body.get("credentials") if entry.kind == kinds.CREDENTIALS_REVOKED else []
    for credential_id in revoked if isinstance(revoked, list) else ():
        yield Subject(_REVOCATION, str(credential_id)), digest(at), 0


def _answers(payload: dict[str, Any]) -> Iterator[tuple[str, str, object]]:
    """Each row that an answer was taken for, what it came to, and why."""
    for proposal in _mapping(payload.get("proposals")).values():
        yield str(_mapping(proposal).get("row_id")), "proposed", ""
    for answer in _ANSWERS:
        for row_id, reason in _mapping(payload.get(answer)).items():
            yield row_id, answer, reason


def _digest_of(text: str) -> str:
    """The digest of what a text says that was written as canonical JSON."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _answer_digest(answer: object, reason: object) -> str:
    return rows.digest_of([answer, reason])


def _state(batch_id: str, state: str) -> tuple[Subject, str, int]:
    return Subject(_STATE, batch_id), digest(state), _STEPS[state]


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def told_by_store(
    connection: Connection, ledger: Mapping[Subject, Told], action: str | None = None
) -> Iterator[tuple[Subject, str]]:
    """What the store's rows say, of each subject that the ledger must know; of one action alone where it is given.

    Args:
        connection: On the store.
        ledger: What the ledger says, which tells how a digest was taken; nothing else of it counts here.
        action: The one action.
    """
    if action is None:
        yield from _snapshots(connection)
        yield from _batches(connection)
        yield from _judgements(connection)
        yield from _credentials(connection)
    yield from _policies(connection, action)
    decided = set()
    for row in rows.rows(connection, tables.decision, action):
        decided.add(row["action"])
        yield _about("decision", row), rows.digest(committed.of_decision(row))
    for row in rows.rows(connection, tables.proposal, action):
        if action is None or row["action"] in decided:  # until then its answer's entry alone tells of it
            yield _about("proposal", row), rows.digest(committed.of_proposal(row))
    for of_action, found in kept.stored(connection, action):
        subject = Subject(_EVIDENCE, of_action)
        told = ledger[subject].digest if subject in ledger else GONE
        earlier = told != GONE and not told.startswith(kept.STORED)
        yield subject, kept.canonically(connection, of_action) if earlier else found
    consumed = {}
    for row in rows.rows(connection, tables.permit, action):
        consumed[row["permit_id"]] = row["consumed_at"]
        yield _about("permit", row), rows.digest(committed.of_permit(row))
    yield from _uses(connection, action)
    for row in rows.rows(connection, tables.outbox, action):
        yield _about("intent", row), rows.digest(committed.of_intent(row, consumed.get(row["permit_id"])))
        if row["state"] in _SETTLED:
            yield _about("outcome", row), rows.digest(committed.of_outcome(row))


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


def _snapshots(connection: Connection) -> Iterator[tuple[Subject, str]]:
    woken = set(connection.execute(select(tables.batch.c.snapshot_id).where(tables.batch.c.pin.is_not(None))).scalars())
    for row in _rows(connection, tables.snapshot):
        if row["published_at"] is not None:
            yield _about("snapshot", row), digest(committed.of_snapshot(row))
            yield Subject(_FILE, row["snapshot_id"]), digest(row["file_digest"])
            yield Subject(_EXPIRY, row["snapshot_id"]), digest(row["expired_at"])
        if row["pin"] is not None and row["snapshot_id"] in woken:  # found after the publication, told with the batch
            yield Subject(_SNAPSHOT_PIN, row["snapshot_id"]), digest(row["pin"])
    for row in _rows(connection, tables.pointer):
        yield CURRENT, digest([row["snapshot_id"], row["moved_at"]])


def _batches(connection: Connection) -> Iterator[tuple[Subject, str]]:
    proposed = set(connection.execute(select(tables.proposal.c.batch_id)).scalars())
    shown = defaultdict(list)
    for row in rows.rows(connection, tables.trigger_row):
        shown[row["batch_id"]].append(row)
        if row["answer"] is not None:
            yield Subject(_ANSWER, row["row_id"]), _answer_digest(row["answer"], row["reason"])
    for row in _rows(connection, tables.batch):
        batch_id = row["batch_id"]
        yield _about("batch", row), digest(committed.of_batch(row, shown[batch_id], rows.digest))
        yield Subject(_STATE, batch_id), digest(_known_state(row, proposed=batch_id in proposed))
        for part, column in ((_INPUT_PIN, "pin"), (_EFFECTS_PIN, "effects_pin")):
            if row[column] is not None:
                yield Subject(part, batch_id), digest(row[column])


def _judgements(connection: Connection) -> Iterator[tuple[Subject, str]]:
    for row in _rows(connection, tables.judgement):
        yield _about("judgement", row), digest(committed.of_judgement(row))
    for row in _rows(connection, tables.settlement):
        yield _about("settlement", row), digest(committed.of_settlement(row))


def _credentials(connection: Connection) -> Iterator[tuple[Subject, str]]:
    for row in _rows(connection, tables.agent_credential):
        yield _about("credential", row), digest(committed.of_credential(row))
        if row["ended_at"] is not None:
            yield Subject(_END, row["credential_id"]), digest([row["ended"], row["ended_at"]])
        if row["revoked_at"] is not None:
            yield Subject(_REVOCATION, row["credential_id"]), digest(row["revoked_at"])


def _policies(connection: Connection, action: str | None) -> Iterator[tuple[Subject, str]]:
    """The policies that decisions were made by; those of one action's decisions alone where it is given."""
    query, decision = select(tables.policy_set), tables.decision
    if action is not None:
        asked = select(decision.c.policy_digest).where(decision.c.action == action, decision.c.request_digest != "")
        query = query.where(tables.policy_set.c.digest.in_(asked))
    for row in connection.execute(query).mappings():
        yield Subject(_POLICIES, row["digest"]), committed.of_policies(dict(row))


def _uses(connection: Connection, action: str | None) -> Iterator[tuple[Subject, str]]:
    """What limits count each permit by, with all that its effect is on in one row.

    Permits of decisions that are older than the facts kept with them were counted later, and no entry tells of it.
    """
    use, subject, permit, decision = tables.permit_use, tables.permit_subject, tables.permit, tables.decision
    told = (decision.c.action == use.c.action, decision.c.decided_at == permit.c.issued_at)
    query = (
        select(use, func.aggregate_strings(subject.c.subject, ",").label("subjects"))
        .join(permit, permit.c.permit_id == use.c.permit_id)
        .outerjoin(subject, subject.c.permit_id == use.c.permit_id)
        .where(exists().where(*told, decision.c.request_digest != ""))
        .group_by(*use.c)
    )
    for found in connection.execute(query if action is None else query.where(use.c.action == action)).mappings():
        row = dict(found)
        yield _about("use", row), digest(committed.of_use(row, (row["subjects"] or "").split(",")))


def _known_state(batch: committed.Row, *, proposed: bool) -> str:
    """How far the ledger must know a batch to be; where nothing was proposed there is no effect to tell of its end."""
    state: str = batch["state"]
    if state == "closed" and not batch["row_count"]:
        return "waiting"  # a wake without rows is closed from the start
    if state == "decided" or (state == "closed" and batch["effects_pin"] is None and not proposed):
        return "answered"
    return state


def _about(part: str, row: committed.Row) -> Subject:
    name, column = _PARTS[part]
    return Subject(name, str(row[column]))


def _rows(connection: Connection, table: Table, action: str | None = None) -> Iterator[dict[str, Any]]:
    query = select(table) if action is None else select(table).where(table.c.action == action)
    for row in connection.execute(query.execution_options(yield_per=500)).mappings():
        yield dict(row)
