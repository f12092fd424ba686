"""What of an agent's answer may be taken in: pure, each row of the batch ends as exactly one thing.

An answer comes from code that is not trusted. It may speak only of rows that woke the agent, once each; what is more,
malformed or too large is refused by row, and nothing of it is kept but why. Whether a proposal is about an entity that
woke the agent, and a good idea, is the gate's question, not asked here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from orchestration.canonical import digest
from orchestration.contracts import ActionId, Arguments, EntityId, Handoff, HandoffState, Proposal, ProposalSet

MOST_ARGUMENTS: Final = 32
LONGEST_TEXT: Final = 500
LARGEST_NUMBER: Final = 2**53
MOST_ATTEMPTS: Final = 1000
MOST_STEPS: Final = 64
"""Handoffs of one row that are kept."""
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_SILENCE: Final = "the agent said nothing of this row"


@dataclass(frozen=True, slots=True)
class Accepted:
    """One proposal that goes to the gate, under the id that it keeps for ever."""

    action: ActionId
    entity_id: EntityId
    proposal: Proposal


@dataclass(frozen=True, slots=True)
class Sorted:
    """A batch's rows after an answer; the four groups share no row and leave none out.

    Attributes:
        accepted: What goes to the gate.
        declined: Row to why nothing is proposed.
        failed: Row to why a person must look.
        refused: Row to why what was said of it was not taken.
        strange: How often the answer spoke of rows that are none of the batch's.
        handoffs: The log of the batch's own rows, as far as it is one.
        unusable: How many lines of the log are none: of other rows, malformed, said twice, or beyond the most.
    """

    accepted: tuple[Accepted, ...] = ()
    declined: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    strange: int = 0
    handoffs: tuple[Handoff, ...] = ()
    unusable: int = 0


def sort_answer(answer: ProposalSet, rows: Mapping[str, EntityId]) -> Sorted:
    """Sort an answer by the rows it speaks of.

    Args:
        answer: What the agent said, correct in form.
        rows: The batch's rows, each with the entity that it is about.
    """
    said = [*(proposal.row_id for proposal in answer.proposals), *answer.declined, *answer.failed]
    times = Counter(said)
    contradictory = {row for row in rows if times[row] > 1}
    refused = {row: f"the answer speaks of this row {times[row]} times" for row in contradictory}
    accepted = []
    for proposal in answer.proposals:
        if proposal.row_id not in rows or proposal.row_id in contradictory:
            continue
        if fault := fault_of(proposal):
            refused[proposal.row_id] = fault
        else:
            accepted.append(Accepted(action_id(answer.batch_id, proposal), rows[proposal.row_id], _printable(proposal)))
    declined = _kept(answer.declined, rows, contradictory)
    handoffs = _logged(answer.handoffs, rows)
    failed = _kept(answer.failed, rows, contradictory) | {row: _SILENCE for row in rows if not times[row]}
    return Sorted(
        accepted=tuple(accepted),
        declined=declined,
        failed=failed,
        refused=refused,
        strange=sum(row not in rows for row in said),
        handoffs=handoffs,
        unusable=len(answer.handoffs) - len(handoffs),
    )


def refuse_all(rows: Iterable[str], reason: str) -> Sorted:
    """What an answer comes to that cannot be read at all."""
    return Sorted(refused=dict.fromkeys(rows, reason))


def action_id(batch_id: str, proposal: Proposal) -> ActionId:
    """A proposal's id: the same whenever the same is proposed for the same row."""
    content = [batch_id, proposal.row_id, proposal.action_type, proposal.arguments]
    return ActionId(f"act_{digest(content)[:20]}")


def fault_of(proposal: Proposal) -> str:
    """Why a proposal is not taken; nothing where it is."""
    if not _NAME.fullmatch(proposal.action_type):
        return "the action type has no usable name"
    return _fault_of_arguments(proposal.arguments)


def _fault_of_arguments(arguments: Arguments) -> str:
    if len(arguments) > MOST_ARGUMENTS:
        return f"found {len(arguments)} arguments; needed at most {MOST_ARGUMENTS}"
    for name, value in arguments.items():
        if not _NAME.fullmatch(name):
            return "an argument has no usable name"
        if isinstance(value, str) and (len(value) > LONGEST_TEXT or _UNPRINTABLE.search(value)):
            return f"`{name}` is longer than {LONGEST_TEXT} characters or holds control characters"
        if isinstance(value, int) and abs(value) > LARGEST_NUMBER:
            return f"`{name}` is no number that can be kept exactly"
    return ""


def _logged(handoffs: Iterable[Handoff], rows: Mapping[str, EntityId]) -> tuple[Handoff, ...]:
    """Of each row the steps that it went through, once each."""
    kept: dict[tuple[str, str], Handoff] = {}
    steps: Counter[str] = Counter()
    for handoff in handoffs:
        said = handoff.row_id, handoff.step
        if handoff.row_id in rows and said not in kept and steps[handoff.row_id] < MOST_STEPS and _is_line(handoff):
            kept[said] = handoff
            steps[handoff.row_id] += 1
    return tuple(kept.values())


def _is_line(handoff: Handoff) -> bool:
    """Whether a handoff says what one can say: a digest where an output was passed on, and none elsewhere."""
    passed = handoff.state is HandoffState.PASSED
    said = _DIGEST.fullmatch(handoff.output_digest) is not None if passed else not handoff.output_digest
    return said and _NAME.fullmatch(handoff.step) is not None and 1 <= handoff.attempts <= MOST_ATTEMPTS


def _kept(reasons: Mapping[str, str], rows: Mapping[str, EntityId], contradictory: set[str]) -> dict[str, str]:
    return {
        row: _UNPRINTABLE.sub(" ", reason)[:LONGEST_TEXT]
        for row, reason in reasons.items()
        if row in rows and row not in contradictory
    }


def _printable(proposal: Proposal) -> Proposal:
    return proposal.model_copy(update={"rationale": _UNPRINTABLE.sub(" ", proposal.rationale)})
