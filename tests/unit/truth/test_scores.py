"""The figures that the truth command prints."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.contracts import Reason
from tests.truth.allows import Allows, Answer, Case, Key
from tests.truth.floors import floors, shortfalls
from tests.truth.interval import Share
from tests.truth.metrics import Score, score
from tests.truth.run import Figures
from tests.truth.shown import Report

TRUTH = {"a": "1", "b": "1", "c": "1", "d": "2", "e": "3"}


def test_the_truth_scores_one_against_itself() -> None:
    assert score(TRUTH, TRUTH).as_dict() == {
        "records": 5, "pair_precision": 1.0, "pair_recall": 1.0, "b3_precision": 1.0, "b3_recall": 1.0,
        "pair_f1": 1.0, "b3_f1": 1.0,
    }  # fmt: skip


def test_figures_of_a_worked_example() -> None:
    found = score(TRUTH, {"a": "x", "b": "x", "c": "y", "d": "y", "e": "z"})

    assert found.pair_precision == pytest.approx(1 / 2)
    assert found.pair_recall == pytest.approx(1 / 3)
    assert found.b3_precision == pytest.approx((1 + 1 + 1 / 2 + 1 / 2 + 1) / 5)
    assert found.b3_recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1 + 1) / 5)


def test_a_record_left_out_counts_as_alone() -> None:
    left_out = score(TRUTH, {"a": "x", "b": "x"})

    assert left_out == score(TRUTH, {"a": "x", "b": "x", "c": "y", "d": "z", "e": "w"})
    assert left_out.pair_recall < 1


def test_a_record_that_the_truth_does_not_know_changes_nothing() -> None:
    assert score(TRUTH, TRUTH | {"stranger": "1"}) == score(TRUTH, TRUTH)


@given(st.dictionaries(st.text(max_size=3), st.sampled_from("xyz"), min_size=1))
def test_names_of_clusters_and_order_of_records_do_not_matter(truth: dict[str, str]) -> None:
    clusters = {record: "abc"[len(record) % 3] for record in truth}
    renamed = {record: f"other {cluster}" for record, cluster in reversed(clusters.items())}

    again = score(dict(reversed(truth.items())), renamed)
    assert again.as_dict() == pytest.approx(score(truth, clusters).as_dict())


@given(st.dictionaries(st.integers(), st.sampled_from("pqrs"), min_size=1))
def test_one_cluster_for_all_recalls_all_and_singles_are_precise(entities: dict[int, str]) -> None:
    truth = {str(record): entity for record, entity in entities.items()}

    assert score(truth, dict.fromkeys(truth, "all")).b3_recall == pytest.approx(1)
    assert score(truth, {record: record for record in truth}).b3_precision == pytest.approx(1)


def _report(name: str, reached: Score, plain: Score, allows: Allows | None = None) -> Report:
    figures = {"person": {"precede": Figures(reached, None, 1), "plain Splink": Figures(plain, None, 1)}}
    return Report(name, name, figures, allows)


def _score(pair_precision: float, b3: float) -> Score:
    return Score(records=1, pair_precision=pair_precision, pair_recall=1, b3_precision=b3, b3_recall=b3)


def test_northgate_has_its_floors_at_every_size_and_with_every_dirt() -> None:
    for name in ("Northgate 6,000 A", "Northgate 1,000,000 B"):
        assert floors(name, "organisation").items() >= {("pair_precision", 0.99), ("b3_f1", 0.95)}
        assert floors(name, "person").items() >= {("pair_precision", 0.98), ("b3_f1", 0.93)}


def test_a_figure_on_its_floor_is_enough_and_one_below_is_named() -> None:
    plain = _score(0.5, 0.5)
    least = floors("Northgate 9 A", "person")
    on_it = _score(least["pair_precision"], least["b3_f1"])
    assert shortfalls(_report("Northgate 9 A", on_it, plain)) == []
    assert shortfalls(_report("Northgate 9 A", _score(1.0, 0.5), plain)) == [
        f"Northgate 9 A, person: b3_f1 is 0.5000; the floor is {least['b3_f1']}"
    ]


def test_being_below_plain_splink_in_the_same_run_is_named() -> None:
    (sentence,) = shortfalls(_report("Northgate 9 A", _score(1.0, 0.98), _score(1.0, 0.99)))
    assert sentence.startswith("Northgate 9 A, person: b3_f1 is 0.9800; plain Splink's is 0.9900")


def test_unsafe_allows_beyond_the_bound_are_named() -> None:
    allowed, refused = (
        Answer((), frozenset(), frozenset()),
        Answer((Reason(code="conflict"),), frozenset(), frozenset()),
    )
    key = Key("erp:transaction:1", "a@b.example", "crm:contact:1", 1)
    allows = Allows([Case(key, allowed, refused, frozenset()), Case(key, allowed, allowed, frozenset())])
    assert (allows.unsafe, allows.lost) == (Share(1, 2), Share(0, 1))
    (sentence,) = shortfalls(_report("Northgate 9 A", _score(1.0, 1.0), _score(0.5, 0.5), allows))
    assert sentence.startswith("Northgate 9 A: 50.00% of 2 allows unsafe")


def test_an_allow_that_rests_on_a_strangers_record_is_unsafe_though_the_truth_allows_it() -> None:
    allowed = Answer((), frozenset(), frozenset())
    key = Key("erp:transaction:1", "a@b.example", "crm:contact:1", 1)
    assert Case(key, allowed, allowed, frozenset({"crm:company:2"})).unsafe
    assert not Case(key, allowed, allowed, frozenset()).unsafe
