"""The permit that an allow mints: what it is for, exactly, and for how long. Pure; `permits.py` signs it."""

from __future__ import annotations

from orchestration.canonical import digest
from orchestration.contracts import Decision, Permit
from orchestration.gate.resolve import Call, Case
from orchestration.registry import AgentCard


def permit_for(case: Case, decision: Decision, call: Call, card: AgentCard) -> Permit:
    """The permit of an action that was allowed.

    Args:
        case: The proposal, and what it refers to.
        decision: The allow.
        call: What the tool is called with.
        card: The agent's, which says how long a permit lasts.
    """
    found, (arguments, effect_key) = case.found, call
    about = [*(fact.record_id for fact in found.facts.values()), *(each.record_id for each in found.records.values())]
    return Permit(
        permit_id=f"permit_{digest([case.ask.action, decision.decided_at, decision.read_set_digest])[:20]}",
        action=case.ask.action,
        agent=case.ask.agent,
        action_type=case.action_type.name,
        tool_server=case.action_type.tool.server,
        tool=case.action_type.tool.name,
        tool_arguments=arguments,
        effect_key=effect_key,
        entities=tuple(sorted({entity.entity_id for entity in found.entities.values()})),
        facts=tuple(sorted(about)),
        contact_points=tuple(sorted({stated[0].value for stated in found.contacts.values()})),
        read_set_digest=decision.read_set_digest,
        snapshot_id=case.graph.snapshot.snapshot_id,
        issued_at=decision.decided_at,
        expires_at=decision.decided_at + card.credential_lifetime,
        approval=decision.approval,
    )
