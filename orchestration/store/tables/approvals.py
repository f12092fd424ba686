"""Approvals: what waits for a person, what the person was shown, and what they said of it.

Personal data stands in all three: tool calls name mailboxes, notes are free text, and what was shown is everything that
the decision rested on.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from orchestration.store.tables.base import UtcDateTime, json_column, metadata

# one proposal that policy sent to a person, from the first time on
held = Table(
    "held",
    metadata,
    Column("action", String(64), ForeignKey("proposal.action"), primary_key=True),
    Column("agent", String(64), nullable=False),
    Column("decision_id", Integer, ForeignKey("decision.decision_id"), nullable=False),  # the one that holds it
    Column("state", String(16), nullable=False),  # waiting | approved | rejected | edited | void | allowed | done
    json_column("reasons", nullable=False),  # [{code, detail}]: why it waits again, or waits no more
    json_column("tool_call", nullable=False),  # {server, tool, arguments, effect_key}: the exact effect
    # what an approval of it is bound to: SHA-256 each, and the records that each entity had
    Column("proposal_digest", String(64), nullable=False),
    Column("read_set_digest", String(64), nullable=False),
    Column("policy_digest", String(64), nullable=False),
    Column("call_digest", String(64), nullable=False),
    json_column("records", nullable=False),  # entity -> [record id]
    Column("held_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    # beside the record, and in no entry of the ledger: where the last look left it
    Column("checked_snapshot", String(64)),  # the graph that it was last held against
    Column("postponed", Text, nullable=False, server_default=""),  # why what was approved does not happen yet
    Index("what_is_held", "state", "agent"),
)


# one look of an identified person at what is held
showing = Table(
    "showing",
    metadata,
    Column("showing_id", String(64), primary_key=True),
    Column("action", String(64), ForeignKey("proposal.action"), nullable=False, index=True),
    Column("decision_id", Integer, ForeignKey("decision.decision_id"), nullable=False),
    Column("person", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    json_column("shown", nullable=False),  # everything that they saw
)


# one thing that a person said of what is held; a row is never changed but for how it ends
approval = Table(
    "approval",
    metadata,
    Column("approval_id", String(64), primary_key=True),
    Column("action", String(64), ForeignKey("proposal.action"), nullable=False, index=True),
    Column("decision_id", Integer, ForeignKey("decision.decision_id"), nullable=False),
    Column("showing_id", String(64), ForeignKey("showing.showing_id"), nullable=False),
    Column("verdict", String(16), nullable=False),  # approve | edit | reject
    Column("person", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("edited_into", String(64), ForeignKey("proposal.action")),  # the proposal that takes its place
    Column("proposal_digest", String(64), nullable=False),
    Column("read_set_digest", String(64), nullable=False),
    Column("policy_digest", String(64), nullable=False),
    Column("call_digest", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),  # of an approve alone
    Column("consumed_at", UtcDateTime),
    Column("permit_id", String(64)),  # the permit that it was consumed with
    Column("voided_at", UtcDateTime),
    Column("void_code", String(64)),  # why: the first reason's code
)
