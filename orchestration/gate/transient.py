"""Which objections may pass by themselves, though nothing is changed about what is proposed."""

from __future__ import annotations

from typing import Final

from orchestration.gate.cedar import NO_ANSWER

TRANSIENT: Final = frozenset(
    {
        *NO_ANSWER,
        "action_type_stopped",
        "agent_stopped",
        "all_stopped",
        "approval_expired",
        "approval_void",
        "bad_credential",
        "batch_limit",
        "budget_limit",
        "contact_point_limit",
        "entity_limit",
        "failed_check",
        "graph_changed",
        "long_rate_limit",
        "no_graph",
        "no_pin",
        "not_current",
        "outside_window",
        "permit_expired",
        "permit_halted",
        "policy_changed",
        "rate_limit",
        "read_set_changed",
        "split",
        "stale_source",
        "superseded",
        "tool_call_changed",
    }
)
"""Objections that may pass though nothing about the row changes: then it may wake its agent again."""
