"""The coordinator's tables, a module for each part of it: what each row is stands beside it.

Migrations make them; nothing here opens a database. JSON columns hold what a contract dumps. Times are UTC. Personal
data stands in `evidence`, `trigger_row`, `proposal`, `held`, `showing`, `approval`, `judgement`, `settlement`, `stop`,
`notification` and `ledger_payload`, so that it can be erased; `ledger_entry` holds commitments to it alone.
"""

from orchestration.store.tables.approvals import approval, held, showing
from orchestration.store.tables.base import UtcDateTime, metadata
from orchestration.store.tables.effects import (
    effect_record,
    effect_value,
    effect_watch,
    incident,
    tainted_effect,
    undo,
)
from orchestration.store.tables.erasure import erasure, objection, objection_subject, suppression
from orchestration.store.tables.gate import decision, evidence, permit, pin_set, policy_set
from orchestration.store.tables.handoffs import handoff
from orchestration.store.tables.identity import agent_credential
from orchestration.store.tables.judgements import judgement, settlement
from orchestration.store.tables.ledger import checkpoint, ledger_entry, ledger_payload
from orchestration.store.tables.limits import permit_subject, permit_use
from orchestration.store.tables.published import pointer, snapshot, watermark
from orchestration.store.tables.stopping import notification, stop
from orchestration.store.tables.work import batch, outbox, proposal, trigger_row

__all__ = [
    "UtcDateTime",
    "agent_credential",
    "approval",
    "batch",
    "checkpoint",
    "decision",
    "effect_record",
    "effect_value",
    "effect_watch",
    "erasure",
    "evidence",
    "handoff",
    "held",
    "incident",
    "judgement",
    "ledger_entry",
    "ledger_payload",
    "metadata",
    "notification",
    "objection",
    "objection_subject",
    "outbox",
    "permit",
    "permit_subject",
    "permit_use",
    "pin_set",
    "pointer",
    "policy_set",
    "proposal",
    "settlement",
    "showing",
    "snapshot",
    "stop",
    "suppression",
    "tainted_effect",
    "trigger_row",
    "undo",
    "watermark",
]
