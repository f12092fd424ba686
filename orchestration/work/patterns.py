"""How an agent's steps compose: four patterns that turn typed steps into a graph of steps and edges.

| pattern | meaning |
|---|---|
| `chain` | each part takes what the one before it made |
| `fan_out` | every branch takes the same input; the next part takes all their outputs, in order |
| `supervisor` | a step chooses which branch takes the input; the next part takes the output of the chosen one |
| `review` | a second step judges the draft; what it refuses is revised, and what it never accepts goes to a person |

One rule says when a step runs: it takes the outputs that come along those of its edges that hold, and where none
holds it does not run. `workflow` walks such a graph for a trigger row; nothing here runs anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from pydantic import BaseModel, ConfigDict


class Choice(BaseModel):
    """What a supervisor's choosing step returns: the name of one branch."""

    model_config = ConfigDict(extra="forbid")

    branch: str


class Review(BaseModel):
    """What a judging step returns of a draft."""

    model_config = ConfigDict(extra="forbid")

    accepted: bool
    remarks: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """That a step has run and a field of its output holds a value."""

    step: str
    field: str
    value: str | bool


@dataclass(frozen=True, slots=True)
class Edge:
    """A way along which an output passes, if every condition on it holds.

    Attributes:
        source: The step whose output passes, or the empty string for the trigger row.
        conditions: All of them must hold.
    """

    source: str = ""
    conditions: tuple[Condition, ...] = ()

    def given(self, step: Step, field: str, *, value: str | bool) -> Edge:
        """This edge under one more condition."""
        return replace(self, conditions=(*self.conditions, Condition(step.name, field, value)))


Edges = tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One typed step: a function of what comes in, and the model of what goes out.

    Attributes:
        name: Lower case; what the graph, the log and the errors call it.
        function: Takes one argument for each edge that holds: the trigger row, or the models of earlier steps.
            Returns `output`, a mapping valid for it, or `Declined`; raises `TransientError` to be tried again.
        output: The model that the output is checked against.
        entry: Where its inputs come from; set by the pattern that the step is part of.
    """

    name: str
    function: Callable[..., object]
    output: type[BaseModel]
    entry: Edges = ()

    def wire(self, entry: Edges) -> Wired:
        """This step with its inputs, and its output as the way on."""
        return Wired((replace(self, entry=entry),), (Edge(self.name),))

    @property
    def after(self) -> tuple[str, ...]:
        """The steps that must be over before this one; none where it takes the trigger row alone."""
        sources = [edge.source for edge in self.entry if edge.source]
        deciders = [condition.step for edge in self.entry for condition in edge.conditions]
        return tuple(dict.fromkeys(sources + deciders))

    def numbered(self, number: int) -> Step:
        """The same step in a later round, under a name of its own."""
        return self if number == 1 else replace(self, name=f"{self.name}_{number}")


@dataclass(frozen=True, slots=True)
class Wired:
    """Steps with their inputs, in an order in which they can run, and the edges that lead on from them."""

    steps: tuple[Step, ...]
    exits: Edges


class Pattern(Protocol):
    """A step, or steps composed, that can be wired to what comes before."""

    def wire(self, entry: Edges) -> Wired:
        """The steps, fed by `entry`."""


@dataclass(frozen=True, slots=True)
class _Composed:
    wiring: Callable[[Edges], Wired]

    def wire(self, entry: Edges) -> Wired:
        return self.wiring(entry)


def chain(*parts: Pattern) -> Pattern:
    """One part after the other, each fed by the one before."""

    def wiring(entry: Edges) -> Wired:
        steps: tuple[Step, ...] = ()
        for part in parts:
            wired = part.wire(entry)
            steps, entry = steps + wired.steps, wired.exits
        return Wired(steps, entry)

    return _Composed(wiring)


def fan_out(*branches: Pattern) -> Pattern:
    """Every branch on the same input; all their outputs lead on, in the order of the branches."""

    def wiring(entry: Edges) -> Wired:
        return _together(branch.wire(entry) for branch in branches)

    return _Composed(wiring)


def supervisor(choose: Step, **branches: Pattern) -> Pattern:
    """A step that returns a `Choice`, and the branches of which the chosen one takes the input.

    A choice that names no branch leads nowhere: the row goes to a person.
    """

    def wiring(entry: Edges) -> Wired:
        wired = _together(
            branch.wire(tuple(edge.given(choose, "branch", value=name) for edge in entry))
            for name, branch in branches.items()
        )
        return Wired(choose.wire(entry).steps + wired.steps, wired.exits)

    return _Composed(wiring)


def review(make: Step, judge: Step, revise: Step, *, rounds: int = 2) -> Pattern:
    """A draft that leads on once a judging step accepts it.

    Args:
        make: Makes the first draft.
        judge: Takes a draft and returns a `Review`.
        revise: Takes the refused draft and its `Review`, makes the next draft.
        rounds: How often a draft is judged; one that is refused in the last round leads nowhere.
    """

    def wiring(entry: Edges) -> Wired:
        steps: tuple[Step, ...] = ()
        exits: Edges = ()
        draft = make
        for number in range(1, rounds + 1):
            judging, made = judge.numbered(number), Edge(draft.name)
            steps += draft.wire(entry).steps + judging.wire((made,)).steps
            exits += (made.given(judging, "accepted", value=True),)
            entry = tuple(edge.given(judging, "accepted", value=False) for edge in (made, Edge(judging.name)))
            draft = revise.numbered(number)
        return Wired(steps, exits)

    return _Composed(wiring)


def _together(parts: Iterable[Wired]) -> Wired:
    wired = tuple(parts)
    return Wired(
        tuple(step for part in wired for step in part.steps), tuple(edge for part in wired for edge in part.exits)
    )
