"""The kinds of entry, by name.

What each tells of, and what records it, stands at the top of these modules:

entries             snapshots, batches and answers, judgements, evidence that is over
entries_decisions   decisions
entries_approval    what a person is asked and says
entries_effects     effects, from their intent on
entries_calls       calls of tools
entries_identity    credentials, people
entries_stop        stops
entries_erasure     objections and erasures
"""

from __future__ import annotations

from typing import Final

SNAPSHOT: Final = "snapshot"
EXPIRED: Final = "expired"
BATCH: Final = "batch"
ANSWER: Final = "answer"
DECISION: Final = "decision"
INTENT: Final = "intent"
OUTCOME: Final = "outcome"
BATCH_CLOSED: Final = "batch_closed"
JUDGEMENT: Final = "judgement"
SETTLEMENT: Final = "settlement"
CREDENTIAL: Final = "credential"
CREDENTIALS_ENDED: Final = "credentials_ended"
CREDENTIALS_REVOKED: Final = "credentials_revoked"
PEOPLE: Final = "people"
EVIDENCE_EXPIRED: Final = "evidence_expired"

SHOWN: Final = "shown"
APPROVAL: Final = "approval"
APPROVAL_VOIDED: Final = "approval_voided"
HELD: Final = "held"
EDITED: Final = "edited"

BEGUN: Final = "begun"
UNSENT: Final = "unsent"

UNDO: Final = "undo"
UNDONE: Final = "undone"
TAINTED: Final = "tainted"
INCIDENT: Final = "incident"

STOPPED: Final = "stopped"
STOP_PROOF: Final = "stop_proof"
STARTED: Final = "started"

OBJECTION: Final = "objection"
OBJECTION_WITHDRAWN: Final = "objection_withdrawn"
ERASED: Final = "erased"
SUPPRESSED: Final = "suppressed"
