"""How far entities with standing may be trusted, on clusterings small enough to count by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.truth.interval import Share
from tests.truth.trust import trust

TRUTH = {"a1": "a", "a2": "a", "a3": "a", "b1": "b", "b2": "b", "c1": "c"}


def test_a_merge_of_two_entities_is_wrong_only_where_it_has_standing() -> None:
    clusters = {"a1": "x", "a2": "x", "a3": "x", "b1": "x", "b2": "y", "c1": "z"}
    assert trust(TRUTH, clusters, {"x", "y", "z"}).wrong_merges == Share(1, 1)
    assert trust(TRUTH, clusters, {"y", "z"}).wrong_merges == Share(0, 0)


def test_an_entity_is_covered_when_it_is_whole_alone_and_has_standing() -> None:
    whole = dict(TRUTH)
    assert trust(TRUTH, whole, {"a", "b", "c"}).covered == Share(2, 2)
    assert trust(TRUTH, whole, {"b", "c"}).covered == Share(1, 2)
    assert trust(TRUTH, whole | {"c1": "b"}, {"a", "b"}).covered == Share(1, 2)
    assert trust(TRUTH, whole | {"b2": "other"}, {"a", "b", "other"}).covered == Share(1, 2)
    assert trust(TRUTH, {record: whole[record] for record in whole if record != "b2"}, {"a", "b"}).covered == Share(
        1, 2
    )


def test_records_that_the_truth_does_not_know_change_nothing() -> None:
    clusters = TRUTH | {"unknown": "a"}
    assert trust(TRUTH, clusters, {"a", "b", "c"}) == trust(TRUTH, TRUTH, {"a", "b", "c"})


@pytest.mark.parametrize(
    ("count", "of", "low", "high"), [(0, 100, 0.0, 0.0362), (1, 100, 0.0003, 0.0545), (50, 100, 0.3983, 0.6017)]
)
def test_the_interval_is_that_of_clopper_and_pearson(count: int, of: int, low: float, high: float) -> None:
    share = Share(count, of)
    assert share.low == pytest.approx(low, abs=1e-4)
    assert share.high == pytest.approx(high, abs=1e-4)


def test_nothing_is_known_of_a_share_of_nothing() -> None:
    assert (Share(0, 0).low, Share(0, 0).high) == (0.0, 1.0)


@given(st.integers(1, 500).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_an_interval_holds_the_share_it_is_of(counted: tuple[int, int]) -> None:
    share = Share(*counted)
    assert 0 <= share.low <= share.value <= share.high <= 1
