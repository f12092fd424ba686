from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.contracts import EntityId, Handoff, HandoffState, Proposal, ProposalSet
from orchestration.work.answers import Sorted, action_id, refuse_all, sort_answer

ROWS = {f"r{number}": EntityId(f"org_{number}") for number in (1, 2, 3)}


def a_proposal(row_id: str = "r1", **changed: Any) -> Proposal:
    arguments = {"organisation": f"org_{row_id[1:]}", "stage": 1} | changed.pop("arguments", {})
    return Proposal(row_id=row_id, action_type="send_payment_reminder", arguments=arguments).model_copy(update=changed)


def sorted_of(*proposals: Proposal, **said: Any) -> Sorted:
    answer = ProposalSet(batch_id="b1", agent="finance", proposals=proposals, **said)
    return sort_answer(answer, ROWS)


def test_what_is_said_of_the_batchs_own_rows_is_taken() -> None:
    found = sorted_of(a_proposal("r1"), declined={"r2": "no contact"}, failed={"r3": "the model was silent"})
    assert [(one.entity_id, one.proposal) for one in found.accepted] == [("org_1", a_proposal("r1"))]
    assert (found.declined, found.failed) == ({"r2": "no contact"}, {"r3": "the model was silent"})
    assert (found.refused, found.strange) == ({}, 0)


def test_a_row_that_nothing_was_said_of_goes_to_a_person() -> None:
    assert sorted_of(a_proposal("r1")).failed == dict.fromkeys(["r2", "r3"], "the agent said nothing of this row")


def test_rows_of_another_batch_are_counted_and_nothing_else() -> None:
    found = sorted_of(a_proposal("r9"), declined={"r8": "x"}, failed={"r7": "y"})
    assert (found.accepted, found.declined, found.refused, found.strange) == ((), {}, {}, 3)


def test_whom_a_proposal_is_about_is_left_to_the_gate() -> None:
    found = sorted_of(a_proposal("r1", arguments={"organisation": "org_2"}))
    assert [one.entity_id for one in found.accepted] == ["org_1"]
    assert found.refused == {}


@pytest.mark.parametrize(
    "said",
    [
        {"proposals": [a_proposal("r1"), a_proposal("r1", arguments={"stage": 2})]},
        {"proposals": [a_proposal("r1"), a_proposal("r1")]},
        {"proposals": [a_proposal("r1")], "declined": {"r1": "no"}},
        {"declined": {"r1": "no"}, "failed": {"r1": "no"}},
    ],
    ids=["two proposals", "the same twice", "proposed and declined", "declined and failed"],
)
def test_a_row_that_is_spoken_of_twice_ends_as_refused_alone(said: dict[str, Any]) -> None:
    found = sorted_of(*said.pop("proposals", ()), **said)
    assert (found.accepted, list(found.refused)) == ((), ["r1"])
    assert "r1" not in found.declined.keys() | found.failed.keys()


@pytest.mark.parametrize(
    "proposal",
    [
        a_proposal(arguments={"note": "x" * 501}),
        a_proposal(arguments={"note": "nul\0"}),
        a_proposal(arguments={"stage": 2**60}),
        a_proposal(arguments={"Stage": 1}),
        a_proposal(arguments={f"a{number}": 1 for number in range(40)}),
        a_proposal(action_type="../reminder"),
        a_proposal(action_type="x" * 200),
    ],
    ids=["long", "control", "huge", "name", "many", "path", "long type"],
)
def test_arguments_beyond_their_bounds_are_refused(proposal: Proposal) -> None:
    found = sorted_of(proposal)
    assert (found.accepted, list(found.refused)) == ((), ["r1"])


def test_a_refusal_does_not_repeat_what_was_refused() -> None:
    found = sorted_of(a_proposal(arguments={"note": "hunter2" * 100}))
    assert "hunter2" not in found.refused["r1"]


def test_a_proposal_of_a_type_that_nobody_knows_is_left_to_the_gate() -> None:
    assert len(sorted_of(a_proposal(action_type="make_coffee")).accepted) == 1


def test_reasons_are_kept_short_and_printable() -> None:
    found = sorted_of(a_proposal("r2", rationale="why\0not"), declined={"r1": "x" * 2_000}, failed={"r3": "a\0b"})
    assert len(found.declined["r1"]) == 500
    assert found.failed["r3"] == "a b"
    assert found.accepted[0].proposal.rationale == "why not"


def handoff(row: str = "r1", step: str = "say", attempts: int = 1, digest: str = "d" * 64) -> Handoff:
    return Handoff(row_id=row, step=step, attempts=attempts, state=HandoffState.PASSED, output_digest=digest)


def test_handoffs_of_other_rows_are_not_kept() -> None:
    found = sorted_of(handoffs=(handoff(), handoff("r9")))
    assert (found.handoffs, found.unusable) == ((handoff(),), 1)


@pytest.mark.parametrize(
    "line",
    [
        handoff(),  # said already
        handoff(step="=cmd|' /C calc'!A0"),
        handoff(step="x" * 64),
        handoff(step="look", attempts=0),
        handoff(step="look", attempts=1_001),
        handoff(step="look", digest="ada@example.com"),
        handoff(step="look", digest=""),
        handoff(step="look").model_copy(update={"state": HandoffState.DECLINED}),
    ],
    ids=["twice", "formula", "long", "none", "many", "text", "empty", "declined"],
)
def test_a_line_of_the_log_that_is_none_is_counted_and_not_kept(line: Handoff) -> None:
    found = sorted_of(handoffs=(handoff(), line))
    assert (found.handoffs, found.unusable) == ((handoff(),), 1)


def test_no_more_steps_of_a_row_are_kept_than_one_can_have() -> None:
    found = sorted_of(handoffs=tuple(handoff(step=f"step_{number}") for number in range(100)))
    assert (len(found.handoffs), found.unusable) == (64, 36)


def test_an_answer_that_cannot_be_read_refuses_every_row() -> None:
    assert refuse_all(ROWS, "unreadable").refused == dict.fromkeys(ROWS, "unreadable")


def test_the_same_proposal_has_the_same_id_whatever_its_reasons() -> None:
    first = action_id("b1", a_proposal(rationale="one"))
    assert first == action_id("b1", a_proposal(rationale="two"))
    assert first not in {
        action_id("b2", a_proposal()),
        action_id("b1", a_proposal("r2", arguments={"organisation": "org_1"})),
        action_id("b1", a_proposal(arguments={"stage": 2})),
        action_id("b1", a_proposal(action_type="other")),
    }


row_ids = st.sampled_from(["r1", "r2", "r3", "r9"])
entities = st.sampled_from(["org_1", "org_2", "org_9", True])
proposals = st.builds(lambda row, entity: a_proposal(row, arguments={"organisation": entity}), row_ids, entities)


@given(st.lists(proposals, max_size=6), st.dictionaries(row_ids, st.text()), st.dictionaries(row_ids, st.text()))
def test_every_row_of_the_batch_ends_as_exactly_one_thing(
    proposed: list[Proposal], declined: dict[str, str], failed: dict[str, str]
) -> None:
    found = sorted_of(*proposed, declined=declined, failed=failed)
    accepted = [one.proposal.row_id for one in found.accepted]
    ends = [*accepted, *found.declined, *found.failed, *found.refused]
    assert sorted(ends) == sorted(ROWS)
    assert all(one.entity_id == ROWS[one.proposal.row_id] for one in found.accepted)
