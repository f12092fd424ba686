"""An agent's workflow as Dagster draws it: an op for each step, joined where branches meet.

The ops call `Workflow.advance` and `Workflow.joined` and nothing else, so that a workflow does the same here as in
`Workflow.run`. Between ops pass `Rows`; the location keeps them in memory, since they hold what the agent may see.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import dagster as dg

from orchestration.contracts import HandoffState
from orchestration.work.workflow import Progress, Workflow

Rows: TypeAlias = Mapping[str, list[Progress]]
"""Batch id to its trigger rows, each with how far it has come."""

BEGIN = "rows"
"""The input of a step that starts from the trigger rows."""


def drawn(agent: str, workflow: Workflow, rows: Any) -> Any:  # noqa: ANN401  what composition passes around has no public type
    """Draw a workflow's steps inside the composition of a graph.

    Args:
        agent: The agent's name, which the ops' names begin with.
        workflow: Whose steps to draw.
        rows: The output of the op that makes the first `Rows`.

    Returns:
        The output of the op at which every row has been through every step.
    """
    outputs: dict[str, Any] = {}
    for step in workflow.steps:
        before = {name: outputs[name] for name in step.after} or {BEGIN: rows}
        outputs[step.name] = _step(agent, workflow, step.name, tuple(before))(**before)
    waited_for = {name for step in workflow.steps for name in step.after}
    last = {name: output for name, output in outputs.items() if name not in waited_for}
    return _join(agent, workflow, tuple(last))(**last)


def _step(agent: str, workflow: Workflow, name: str, before: tuple[str, ...]) -> dg.OpDefinition:
    function = next(step.function for step in workflow.steps if step.name == name)
    lines = (function.__doc__ or "").strip().splitlines()

    def advance(joined: Progress) -> Progress:
        return workflow.advance(joined, name)

    return _op(f"{agent}__{name}", before, workflow, advance, lines[0] if lines else f"The step {name} of {agent}.")


def _join(agent: str, workflow: Workflow, before: tuple[str, ...]) -> dg.OpDefinition:
    return _op(
        f"{agent}__end", before, workflow, lambda joined: joined, f"Every way through the steps of {agent} ends."
    )


def _op(
    name: str, before: tuple[str, ...], workflow: Workflow, advance: Callable[[Progress], Progress], description: str
) -> dg.OpDefinition:
    @dg.op(name=name, ins={key: dg.In(dg.Any) for key in before}, out=dg.Out(dg.Any), description=description)
    def step(context: dg.OpExecutionContext, **inputs: Rows) -> Rows:
        after = {
            batch_id: [advance(workflow.joined(branches)) for branches in zip(*_of(inputs, batch_id), strict=True)]
            for batch_id in next(iter(inputs.values()))
        }
        context.add_output_metadata(_told(after))
        return after

    return step


def _of(inputs: Mapping[str, Rows], batch_id: str) -> list[list[Progress]]:
    return [rows[batch_id] for rows in inputs.values()]


def _told(rows: Rows) -> dict[str, int]:
    """How many rows go on, declined and failed so far, for the run's page."""
    every = [progress for batch in rows.values() for progress in batch]
    return {
        "rows": len(every),
        "over": sum(progress.over for progress in every),
        "for_a_person": sum(bool(progress.failed) for progress in every),
        "handoffs": sum(handoff.state is HandoffState.PASSED for progress in every for handoff in progress.handoffs),
    }


def owner_of(stated: str) -> str:
    """Who answers for an asset, in the form that Dagster takes: a mailbox, or `team:` and a name without spaces."""
    if "@" in stated:
        return stated
    return "team:" + re.sub(r"[^a-z0-9]+", "-", stated.removeprefix("team:").lower()).strip("-")
