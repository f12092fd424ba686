"""When work that waits is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from orchestration.work.attempts import FIRST_WAIT, LONGEST_WAIT, try_at

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def test_work_that_was_never_tried_is_tried_at_once() -> None:
    assert try_at([]) is None


def test_each_attempt_makes_the_next_one_wait_twice_as_long() -> None:
    waits = [(try_at([NOON] * number) or NOON) - NOON for number in range(1, 5)]
    assert waits == [FIRST_WAIT, FIRST_WAIT * 2, FIRST_WAIT * 4, FIRST_WAIT * 8]


def test_the_wait_counts_from_the_last_attempt() -> None:
    assert try_at([NOON, NOON - timedelta(days=1)]) == NOON + FIRST_WAIT * 2


@given(st.integers(1, 10_000))
def test_work_is_never_given_up_and_never_waits_longer_than_an_hour(attempts: int) -> None:
    later = try_at([NOON] * attempts)
    assert later is not None
    assert NOON < later <= NOON + LONGEST_WAIT
