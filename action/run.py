"""An agent's answer to a batch: every row ends by itself, so one bad row never loses another."""

from __future__ import annotations

from collections.abc import Iterable

from orchestration.contracts import Batch, Handoff, Proposal, ProposalSet
from orchestration.work.handoff import Declined
from orchestration.work.workflow import Progress, Workflow


def collect(batch: Batch, workflow: Workflow, done: Iterable[Progress], credential: str) -> ProposalSet:
    """The answer that rows add up to.

    Args:
        batch: What woke the agent.
        workflow: Its steps.
        done: The batch's rows, each after every step.
        credential: What the agent was given to answer that batch with.
    """
    proposals: list[Proposal] = []
    declined: dict[str, str] = {}
    failed: dict[str, str] = {}
    handoffs: list[Handoff] = []
    for progress in done:
        row_id = progress.row.row_id
        handoffs += progress.handoffs
        match workflow.result(progress):
            case Proposal() as proposal:
                proposals.append(proposal)
            case Declined(reason):
                declined[row_id] = reason
            case ended:
                failed[row_id] = ended.reason
    return ProposalSet(
        batch_id=batch.batch_id,
        agent=batch.agent,
        proposals=tuple(proposals),
        declined=declined,
        failed=failed,
        handoffs=tuple(handoffs),
        credential=credential,
    )
