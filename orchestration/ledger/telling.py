"""What the ledger says, entry by entry: of each subject a digest, and never two that contradict each other.

What the ledger said once it may not say otherwise later, except of what has steps: an outcome that was unknown becomes
known, evidence is kept anew with a later decision.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Final

from orchestration.canonical import digest
from orchestration.contracts import OutcomeState
from orchestration.ledger import committed_effects, held, kinds
from orchestration.ledger import entries_calls as calls
from orchestration.ledger.handed_on import told_by_answer
from orchestration.ledger.links import Entry, members
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
    INPUT_PIN,
    PARTS,
    POLICIES,
    REVOCATION,
    SNAPSHOT_PIN,
    STATE,
    STEPS,
    SUPPRESSION,
    VOIDING,
    Subject,
    Told,
    answer_digest,
)
from orchestration.ledger.telling_stop import said_of_stops

_ANSWERS: Final = ("declined", "failed", "refused")
_OUTCOMES: Final = frozenset({"outcome", "undone"})
_OF_ONE_ACTION: Final = frozenset({kinds.DECISION, kinds.INTENT, kinds.OUTCOME, kinds.BEGUN, kinds.UNSENT})
FINAL: Final = 2**63
"""A step that none comes after."""


class Telling:
    """What the ledger says, entry by entry."""

    def __init__(self) -> None:
        self.told: dict[Subject, Told] = {}
        self._left: set[Subject] = set()  # what of erased rows is left, as a proof of erasure said it

    def hear(self, entry: Entry) -> list[str]:
        """Take in an entry of which `links.faults` found nothing; a problem for each thing that it tells otherwise."""
        problems = []
        for subject, said in told_by(entry):
            before = self.told.get(subject)
            told = said if entry.kind != kinds.ERASED else self._left_of(subject, said, before)
            if before is None or told.step > before.step:
                self.told[subject] = told
            elif told.digest != before.digest:
                how = "the row was edited between them" if subject.part in held.FIXED else "it was put in later"
                problems.append(f"{entry.name} tells {subject} otherwise than {before.entry} did: {how}.")
        if entry.kind == kinds.DECISION and (meant := self.told.get(Subject(PARTS["intent"][0], str(entry.action)))):
            problems.append(f"{entry.name} decides action {entry.action} after {meant.entry} meant it: it was put in.")
        return problems

    def _left_of(self, subject: Subject, said: Told, before: Told | None) -> Told:
        """What a proof of erasure says: of rows that no other entry tells of any more, and of no others."""
        again = subject in self._left or subject.part == STATE
        self._left.add(subject)
        return said._replace(step=0 if before is None else before.step + again)


def told_by(entry: Entry) -> Iterator[tuple[Subject, Told]]:
    """What one entry, of which `links.faults` found nothing, says of each subject that it tells of."""
    payload, body, mark = entry.covers(), entry.says(), entry.mark
    for subject, said, step in _said(entry, body, payload):
        yield subject, Told(said, mark, step)


def _said(entry: Entry, body: dict[str, Any], payload: dict[str, Any]) -> Iterator[tuple[Subject, str, int]]:
    seq = _number(body.get("seq"))
    for part, (told, text) in entry.parts().items():
        if part in PARTS and isinstance(told, dict):
            if part == "held":
                yield from held.told_by(body, told, _digest_of(text))
                continue
            name, column = PARTS[part]
            unknown = told.get("state") == OutcomeState.UNKNOWN
            step = 0 if part not in _OUTCOMES else seq if unknown else FINAL
            yield Subject(name, str(told.get(column))), _digest_of(text), step
    if entry.kind in {kinds.SNAPSHOT, kinds.EXPIRED}:
        snapshot = str(body.get("snapshot"))
        expired_at = body.get("at") if entry.kind == kinds.EXPIRED else None
        yield Subject(EXPIRY, snapshot), digest(expired_at), seq
        if entry.kind == kinds.SNAPSHOT:
            yield Subject(FILE, snapshot), digest(body.get("file")), seq  # a lost one may have been written anew
            yield CURRENT, digest([snapshot, body.get("at")]), seq
    if entry.kind == kinds.DECISION and payload.get("evidence") is not None:
        yield Subject(EVIDENCE, str(entry.action)), str(payload["evidence"]), 2 * _number(body.get("decision"))
    if entry.kind == kinds.EVIDENCE_EXPIRED:  # what was removed is what had been kept, and then it is gone
        expired, step = Subject(EVIDENCE, str(entry.action)), 2 * _number(body.get("decision"))
        yield expired, str(body.get("evidence")), step
        yield expired, GONE, step + 1
    if entry.kind == kinds.DECISION and _mapping(payload.get("decision")).get("request_digest"):
        yield Subject(POLICIES, str(body.get("policy_digest"))), str(body.get("policy_digest")), 0
    yield from _said_of_approvals(entry, body)
    yield from calls.said_of(entry.kind, body, seq)
    if entry.kind in _OF_ONE_ACTION:  # most entries by far: nothing below is said by one of them
        return
    yield from _said_of_batches(entry, body, payload)
    yield from _said_of_erasures(entry, payload)
    yield from _said_of_credentials(entry, body)
    yield from said_of_stops(entry.kind, body, seq)
    yield from committed_effects.told_by(entry, body, payload)


def _said_of_approvals(entry: Entry, body: dict[str, Any]) -> Iterator[tuple[Subject, str, int]]:
    """How an approval ended."""
    if entry.kind == kinds.APPROVAL_VOIDED:
        yield Subject(VOIDING, str(body.get("approval"))), digest([body.get("code"), body.get("at")]), 0
    if entry.kind == kinds.INTENT and body.get("approval"):
        yield Subject(APPROVAL_USE, str(body["approval"])), digest([body.get("permit"), body.get("at")]), 0


def _said_of_batches(entry: Entry, body: dict[str, Any], payload: dict[str, Any]) -> Iterator[tuple[Subject, str, int]]:
    if entry.kind == kinds.BATCH:
        yield _state(str(body.get("batch")), "waiting")
        if body.get("pin") is not None:
            yield Subject(INPUT_PIN, str(body.get("batch"))), digest(body["pin"]), 0
            yield Subject(SNAPSHOT_PIN, str(body.get("snapshot"))), digest(body["pin"]), 0
    if entry.kind == kinds.ANSWER:
        answers = list(_answers(payload))
        for row_id, answer, reason in answers:
            yield Subject(ANSWER, row_id), answer_digest(answer, reason), 0
        for action, (_, text) in members(entry.parts().get("proposals", ({}, ""))[1]).items():
            yield Subject(PARTS["proposal"][0], action), _digest_of(text), 0
        if answers:
            yield _state(str(body.get("batch")), "answered")
        yield from told_by_answer(body)
    if entry.kind == kinds.BATCH_CLOSED:
        batches = body.get("batches")
        for batch_id in batches if isinstance(batches, list) else ():
            yield _state(str(batch_id), "closed")
            yield Subject(EFFECTS_PIN, str(batch_id)), digest(body.get("pin")), 0


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
        yield Subject(END, str(credential_id)), digest([how, at]), 0
    revoked = body.get("credentials") if entry.kind == kinds.CREDENTIALS_REVOKED else []
    for credential_id in revoked if isinstance(revoked, list) else ():
        yield Subject(REVOCATION, str(credential_id)), digest(at), 0


def _said_of_erasures(entry: Entry, payload: dict[str, Any]) -> Iterator[tuple[Subject, str, int]]:
    """What is left of rows that were erased, and what is suppressed."""
    left = payload.get("told") if entry.kind == kinds.ERASED else ()
    for item in left if isinstance(left, list) else ():
        part, key, said = (str(each) for each in item)
        yield Subject(part, key), said, 0
    suppressed = payload.get("suppressions") if entry.kind in {kinds.ERASED, kinds.SUPPRESSED} else ()
    for one in suppressed if isinstance(suppressed, list) else ():
        yield Subject(SUPPRESSION, str(one)), digest(str(one)), 0


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


def _state(batch_id: str, state: str) -> tuple[Subject, str, int]:
    return Subject(STATE, batch_id), digest(state), STEPS[state]


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
