"""An agent's answer to a batch: each row goes through the workflow by itself, so one bad row never loses another."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from orchestration.contracts import Batch, Handoff, Proposal, ProposalSet
from orchestration.work.handoff import Declined
from orchestration.work.workflow import Progress, Workflow


def answer(
    batch: Batch,
    workflow: Workflow,
    *,
    tell: Callable[[int], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> ProposalSet:
    """The agent's answer to every row of a batch.

    Args:
        batch: What woke the agent.
        workflow: Its steps.
        tell: Called after each row with the number of rows that are done.
        sleep: How to wait before a step is tried again.
    """
    done: list[Progress] = []
    for row in batch.rows:
        done.append(workflow.run(row, sleep=sleep))
        tell(len(done))
    return collect(batch, workflow, done)


def collect(batch: Batch, workflow: Workflow, done: Iterable[Progress]) -> ProposalSet:
    """The answer that rows add up to which have been through every step."""
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
    )
