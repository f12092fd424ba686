"""One agent's workflow, and one trigger row's way through it.

`Workflow.run` walks the steps in order. A code location that draws the steps as a graph calls `advance` for one step
at a time and `joined` where branches meet; the result is the same. Between two steps there is JSON data alone, read
back through the model of the step that made it, so that a step can hand on nothing that its model does not say.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, Field
from pydantic_core import to_json

from orchestration.contracts import Contract, Handoff, HandoffState, Proposal, TriggerRow
from orchestration.work.handoff import Declined, hand_over
from orchestration.work.patterns import Edge, Edges, Pattern, Step

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")


class WorkflowError(ValueError):
    """A pattern that no workflow can be made of.

    Attributes:
        found: What it is.
        needed: What it should be.
    """

    def __init__(self, found: str, needed: str) -> None:
        super().__init__(f"found {found}; needed {needed}")
        self.found = found
        self.needed = needed


class Progress(Contract):
    """How far one trigger row has come."""

    row: TriggerRow
    outputs: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Step to its output, as JSON data."""
    handoffs: tuple[Handoff, ...] = ()
    declined: str = ""
    """Why nothing is proposed; the row is over."""
    failed: str = ""
    """Why a person must look; the row is over."""

    @property
    def over(self) -> bool:
        """Whether no further step runs."""
        return bool(self.declined or self.failed)


@dataclass(frozen=True, slots=True)
class Failed:
    """No proposal: a person must look, for this reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class Workflow:
    """Steps in an order in which they can run, and the edges along which a proposal leaves.

    Attributes:
        steps: Each with the edges that feed it; `after` names the steps it waits for.
        exits: Edges of which one carries the proposal.
    """

    steps: tuple[Step, ...]
    exits: Edges

    @classmethod
    def of(cls, pattern: Pattern) -> Workflow:
        """The workflow that a pattern makes of a trigger row.

        Raises:
            WorkflowError: A step's name is unusable or there twice, or a last step makes no proposal.
        """
        wired = pattern.wire((Edge(),))
        names = Counter(step.name for step in wired.steps)
        for name, count in names.items():
            if count > 1 or not _NAME.fullmatch(name):
                raise WorkflowError(f"{count} step(s) named {name!r}", "names of a-z, 0-9 and _, each for one step")
        outputs = {step.name: step.output for step in wired.steps}
        last = [edge.source for edge in wired.exits]
        if not last or any(not name or outputs[name] is not Proposal for name in last):
            raise WorkflowError(f"{', '.join(last) or 'no step'} at the end", "last steps whose output is a Proposal")
        return cls(wired.steps, wired.exits)

    def run(self, row: TriggerRow, *, sleep: Callable[[float], None] = time.sleep) -> Progress:
        """One row's way through every step."""
        progress = Progress(row=row)
        for step in self.steps:
            progress = self.advance(progress, step.name, sleep=sleep)
        return progress

    def advance(self, progress: Progress, name: str, *, sleep: Callable[[float], None] = time.sleep) -> Progress:
        """The row after one more step; unchanged where the step does not run for it."""
        step = self._step(name)
        sources = [edge.source for edge in step.entry if _holds(edge, progress)]
        if progress.over or not sources:
            return progress
        inputs = [self._input(source, progress) for source in sources]
        done = hand_over(progress.row.row_id, name, lambda: step.function(*inputs), step.output, sleep=sleep)
        change: dict[str, Any] = {"handoffs": (*progress.handoffs, done.handoff)}
        if done.output is not None:
            change["outputs"] = {**progress.outputs, name: done.output}
        elif done.handoff.state is HandoffState.DECLINED:
            change["declined"] = done.reason
        else:
            change["failed"] = done.reason
        return progress.model_copy(update=change)

    def joined(self, branches: Sequence[Progress]) -> Progress:
        """One row where branches of its way meet again; over where any of them is."""
        first = branches[0]
        handoffs = {handoff.step: handoff for branch in branches for handoff in branch.handoffs}
        return first.model_copy(
            update={
                "outputs": {name: output for branch in branches for name, output in branch.outputs.items()},
                "handoffs": tuple(handoffs[step.name] for step in self.steps if step.name in handoffs),
                "declined": next((branch.declined for branch in branches if branch.declined), ""),
                "failed": next((branch.failed for branch in branches if branch.failed), ""),
            }
        )

    def result(self, progress: Progress) -> Proposal | Declined | Failed:
        """What a row that has been through every step ended with; anything but one proposal of its own is a failure."""
        if progress.failed:
            return Failed(progress.failed)
        if progress.declined:
            return Declined(progress.declined)
        found = [progress.outputs[edge.source] for edge in self.exits if _holds(edge, progress)]
        if len(found) != 1:
            return Failed(f"the steps ended with {len(found)} proposals, needed one")
        proposal = Proposal.model_validate(found[0])
        if proposal.row_id != progress.row.row_id:
            return Failed("the proposal names another trigger row than the one it was made for")
        return proposal

    def _step(self, name: str) -> Step:
        return next(step for step in self.steps if step.name == name)

    def _input(self, source: str, progress: Progress) -> BaseModel:
        if not source:
            return progress.row.model_copy(deep=True)
        return self._step(source).output.model_validate_json(to_json(progress.outputs[source]))


def _holds(edge: Edge, progress: Progress) -> bool:
    ran = not edge.source or edge.source in progress.outputs
    return ran and all(
        progress.outputs.get(condition.step, {}).get(condition.field) == condition.value
        for condition in edge.conditions
    )
