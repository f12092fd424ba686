"""What ledger and store both tell of: the subjects, their names in a sentence, and what was told of one."""

from __future__ import annotations

from typing import Final, NamedTuple

from orchestration.ledger.rows import digest_of

PARTS: Final = {
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
    "stop": ("the stop", "number"),
    "use": ("the count of permit", "permit_id"),
    "held": ("what is held of action", "action"),
    "showing": ("the showing", "showing_id"),
    "approval": ("the approval", "approval_id"),
    "objection": ("the objection", "objection_id"),
    "erasure": ("the erasure", "erasure_id"),
    "withdrawal": ("the withdrawal of objection", "objection_id"),
    "undo": ("the undo", "undo_id"),
    "order": ("who wants the undo", "undo_id"),
    "undone": ("the outcome of undo", "undo_id"),
}
"""Part of a payload to what a sentence calls it, and the column in it that names what it is about."""
FILE: Final = "the file of snapshot"
EXPIRY: Final = "the expiry of snapshot"
SNAPSHOT_PIN: Final = "the pin of snapshot"
STATE: Final = "the state of batch"
STEPS: Final = {"waiting": 0, "answered": 1, "closed": 2}
"""How far a batch is, as the ledger knows it: that all of it was decided is known from its decisions."""
ANSWER: Final = "the answer to row"
EVIDENCE: Final = "the evidence of action"
INPUT_PIN: Final = "the input pin of batch"
EFFECTS_PIN: Final = "the effects pin of batch"
END: Final = "the end of credential"
REVOCATION: Final = "the revocation of credential"
HALT: Final = "the halt of"
"""Of a batch or of a permit, which the key names too."""
PROOF: Final = "the proof of stop"
LIFTING: Final = "the lifting of stop"
POLICIES: Final = "the policies"
VOIDING: Final = "the voiding of approval"
APPROVAL_USE: Final = "the use of approval"
SUPPRESSION: Final = "the suppression"
HANDOFFS: Final = "the handoffs of batch"
CALL: Final = "the call under way by permit"
UNDER_WAY: Final = digest_of(["sending"])
"""Told of a call that is about to be made, or was, until it is known what became of it."""


class Subject(NamedTuple):
    """What a fact is about: a part of a payload, and the id of one row."""

    part: str
    key: str

    def __str__(self) -> str:
        return f"{self.part} {self.key}".strip()


Said = dict[str, dict[str, str]]
"""Part and key of each subject, with the digest of what is said of it."""
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


def answer_digest(answer: object, reason: object) -> str:
    """The digest of what an agent answered to a row, and why."""
    return digest_of([answer, reason])
