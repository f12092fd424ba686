from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import BaseModel, Field

from orchestration.contracts import EntityId, HandoffState, Proposal, TriggerRow
from orchestration.work.handoff import Declined, TransientError
from orchestration.work.patterns import Choice, Pattern, Review, Step, chain, fan_out, review, supervisor
from orchestration.work.workflow import Failed, Progress, Workflow


class Word(BaseModel):
    text: str = Field(max_length=40)


def a_row(**values: str | int | None) -> TriggerRow:
    return TriggerRow(row_id="r1", entity_id=EntityId("org_1"), values=values)


def word(name: str, function: Callable[..., object]) -> Step:
    return Step(name, function, Word)


def propose(text: str, row_id: str = "r1") -> Proposal:
    return Proposal(row_id=row_id, action_type="say", arguments={"text": text})


SAY = Step("say", lambda *words: propose("+".join(each.text for each in words)), Proposal)


def says(pattern: Pattern, row: TriggerRow | None = None) -> Proposal | Declined | Failed:
    workflow = Workflow.of(pattern)
    return workflow.result(workflow.run(row or a_row(), sleep=lambda _: None))


def test_a_chain_hands_each_output_to_the_next_step() -> None:
    pattern = chain(
        word("first", lambda row: Word(text=row.values["name"])),
        word("second", lambda before: Word(text=before.text.upper())),
        SAY,
    )
    assert says(pattern, a_row(name="ada")) == propose("ADA")


def test_each_step_waits_for_those_that_feed_it() -> None:
    pattern = chain(
        word("read", lambda _: Word(text="x")),
        fan_out(word("left", lambda w: w), word("right", lambda w: w)),
        SAY,
    )
    assert {step.name: step.after for step in Workflow.of(pattern).steps} == {
        "read": (),
        "left": ("read",),
        "right": ("read",),
        "say": ("left", "right"),
    }


def test_a_fan_out_gives_the_next_step_all_outputs_in_the_order_of_the_branches() -> None:
    pattern = chain(
        fan_out(
            word("slow", lambda row: Word(text=f"s{row.values['n']}")),
            chain(
                word("a", lambda row: Word(text=f"a{row.values['n']}")), word("b", lambda w: Word(text=f"b{w.text}"))
            ),
        ),
        SAY,
    )
    assert says(pattern, a_row(n=1)) == propose("s1+ba1")


def test_branches_drawn_apart_and_joined_end_as_one_walk_does() -> None:
    workflow = Workflow.of(
        chain(fan_out(word("left", lambda _: Word(text="l")), word("right", lambda _: Word(text="r"))), SAY)
    )
    start = Progress(row=a_row())
    branches = [workflow.advance(start, "right"), workflow.advance(start, "left")]
    assert workflow.advance(workflow.joined(branches), "say") == workflow.run(a_row())


def test_where_one_branch_declines_the_row_is_declined() -> None:
    pattern = chain(
        fan_out(word("left", lambda _: Word(text="l")), word("right", lambda _: Declined("too early"))), SAY
    )
    assert says(pattern) == Declined("right: too early")


def choosing(branch: str) -> Pattern:
    return chain(
        supervisor(
            Step("choose", lambda _: Choice(branch=branch), Choice),
            gentle=word("gentle", lambda row: Word(text=f"please {row.values['name']}")),
            firm=chain(word("draft", lambda _: Word(text="pay")), word("firm", lambda w: Word(text=f"{w.text}!"))),
        ),
        SAY,
    )


@pytest.mark.parametrize(("branch", "said"), [("gentle", "please ada"), ("firm", "pay!")])
def test_a_supervisor_gives_the_input_to_the_branch_it_chooses_and_to_no_other(branch: str, said: str) -> None:
    workflow = Workflow.of(choosing(branch))
    done = workflow.run(a_row(name="ada"))
    assert workflow.result(done) == propose(said)
    assert ("gentle" in done.outputs) == (branch == "gentle")
    assert ("firm" in done.outputs) == (branch == "firm")


def test_a_supervisor_that_chooses_no_branch_there_is_sends_the_row_to_a_person() -> None:
    assert says(choosing("harsh"), a_row(name="ada")) == Failed("the steps ended with 0 proposals, needed one")


def reviewed(accepts: str) -> Pattern:
    return chain(
        review(
            word("draft", lambda _: Word(text="v")),
            Step("judge", lambda w: Review(accepted=w.text == accepts, remarks="more"), Review),
            word("revise", lambda w, remarks: Word(text=f"{w.text}+{remarks.remarks}")),
            rounds=3,
        ),
        SAY,
    )


@pytest.mark.parametrize(("accepted", "judged"), [("v", 1), ("v+more", 2), ("v+more+more", 3)])
def test_a_review_hands_on_the_draft_that_was_accepted(accepted: str, judged: int) -> None:
    workflow = Workflow.of(reviewed(accepted))
    done = workflow.run(a_row())
    assert workflow.result(done) == propose(accepted)
    assert sum(name.startswith("judge") for name in done.outputs) == judged


def test_a_draft_that_is_never_accepted_goes_to_a_person() -> None:
    assert isinstance(says(reviewed("never")), Failed)


def test_patterns_nest_without_losing_a_condition() -> None:
    def pattern(branch: str) -> Pattern:
        return chain(
            review(
                word("draft", lambda _: Word(text="v")),
                Step("judge", lambda w: Review(accepted=len(w.text) > 1), Review),
                word("revise", lambda w, _: Word(text=w.text * 2)),
            ),
            supervisor(
                Step("choose", lambda _: Choice(branch=branch), Choice),
                one=word("one", lambda w: Word(text=f"1{w.text}")),
                two=word("two", lambda w: Word(text=f"2{w.text}")),
            ),
            SAY,
        )

    assert says(pattern("one")) == propose("1vv")
    assert says(pattern("two")) == propose("2vv")


def test_a_step_runs_four_times_at_most_and_waits_twice_as_long_each_time() -> None:
    waits: list[float] = []

    def busy(_: TriggerRow) -> Word:
        raise TransientError("the service is busy")

    workflow = Workflow.of(chain(word("ask", busy), SAY))
    done = workflow.run(a_row(), sleep=waits.append)
    assert waits == [0.5, 1.0, 2.0]
    assert done.handoffs[0].attempts == 4
    assert workflow.result(done) == Failed("ask: still failing after 4 attempts: the service is busy")


def test_a_failure_that_passes_costs_nothing_but_time() -> None:
    tries = iter([TransientError("busy"), TransientError("busy"), None])

    def sometimes(_: TriggerRow) -> Word:
        if problem := next(tries):
            raise problem
        return Word(text="there")

    workflow = Workflow.of(chain(word("ask", sometimes), SAY))
    done = workflow.run(a_row(), sleep=lambda _: None)
    assert workflow.result(done) == propose("there")
    assert [handoff.attempts for handoff in done.handoffs] == [3, 1]


@pytest.mark.parametrize(
    "output",
    [
        {"text": "x" * 41},
        {"words": "x"},
        Word.model_construct(text="x" * 41),
        Word.model_construct(text=7),  # type: ignore[arg-type]
        None,
        "text",
        Review(accepted=True),
    ],
    ids=["too long", "another field", "unchecked", "of another type", "nothing", "a string", "another model"],
)
def test_a_malformed_output_is_never_passed_on_nor_tried_again(output: object) -> None:
    passed_on: list[Word] = []

    def spy(before: Word) -> Word:
        passed_on.append(before)
        return before

    workflow = Workflow.of(chain(word("make", lambda _: output), word("next", spy), SAY))
    done = workflow.run(a_row(), sleep=lambda _: None)
    assert isinstance(workflow.result(done), Failed)
    assert passed_on == []
    assert [(handoff.step, handoff.attempts, handoff.state) for handoff in done.handoffs] == [
        ("make", 1, HandoffState.FAILED)
    ]


def test_a_mapping_that_is_valid_for_the_model_is_an_output() -> None:
    assert says(chain(word("make", lambda _: {"text": "x"}), SAY)) == propose("x")


@pytest.mark.parametrize("problem", [ValueError("broken"), SystemExit(3), RecursionError()])
def test_whatever_a_step_raises_stays_with_its_row_and_is_not_tried_again(problem: BaseException) -> None:
    def broken(_: TriggerRow) -> Word:
        raise problem

    workflow = Workflow.of(chain(word("break", broken), SAY))
    done = workflow.run(a_row(), sleep=lambda _: None)
    assert isinstance(workflow.result(done), Failed)
    assert [handoff.attempts for handoff in done.handoffs] == [1]


def test_a_step_cannot_change_what_another_step_receives() -> None:
    def vandal(row: TriggerRow) -> Word:
        row.values["name"] = "changed"
        return Word(text="v")

    reader = word("read", lambda row: Word(text=row.values["name"]))
    assert says(chain(fan_out(word("vandal", vandal), reader), SAY), a_row(name="ada")) == propose("v+ada")


def test_a_proposal_for_another_row_goes_to_a_person() -> None:
    step = Step("say", lambda _: propose("x", row_id="r2"), Proposal)
    assert isinstance(says(step), Failed)


def test_every_handoff_is_logged_with_a_digest_of_what_passed() -> None:
    workflow = Workflow.of(chain(word("make", lambda _: Word(text="x")), SAY))
    one, again = workflow.run(a_row()), workflow.run(a_row())
    assert [handoff.step for handoff in one.handoffs] == ["make", "say"]
    assert one.handoffs == again.handoffs
    assert all(len(handoff.output_digest) == 64 for handoff in one.handoffs)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        (chain(word("Upper", lambda _: Word(text="x")), SAY), "'Upper'"),
        (chain(word("twice", lambda _: Word(text="x")), word("twice", lambda w: w), SAY), "'twice'"),
        (word("make", lambda _: Word(text="x")), "Proposal"),
        (chain(), "Proposal"),
    ],
    ids=["unusable name", "name twice", "no proposal", "no step"],
)
def test_a_workflow_that_cannot_be_says_why(pattern: Pattern, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Workflow.of(pattern)
