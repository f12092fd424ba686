"""Intervals hold what they promise, and thresholds follow what the records show."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insight.linkage.calibrate import FALSE_LINKS, HIGHEST, Seen, curve, thresholds
from insight.linkage.rules import Thresholds
from insight.linkage.tuning.estimate import Stratum, quality, unseen
from insight.linkage.tuning.intervals import exact, wilson

CARRIED = Thresholds(accept=3.0, review=0.0, margin=2.0)
CLAIMED = (0.0, 1.0)


def seen(weights: np.ndarray, eligible: np.ndarray | None = None, labels: np.ndarray | None = None) -> Seen:
    told = np.full(len(weights), -1, dtype=np.int8) if labels is None else labels.astype(np.int8)
    return Seen(weights, np.ones(len(weights), dtype=np.bool_) if eligible is None else eligible, (weights,), (told,))


@given(st.integers(0, 400), st.integers(1, 400))
def test_an_interval_holds_the_share_that_was_seen_and_nothing_beyond_one(hits: int, tries: int) -> None:
    low, high = wilson(min(hits, tries), tries)
    assert 0 <= low <= min(hits, tries) / tries <= high <= 1


def test_of_nothing_nothing_is_known() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def test_an_interval_of_a_share_holds_it_in_95_of_100_samples() -> None:
    random = np.random.default_rng(3)
    held = 0
    for hits in random.binomial(120, 0.9, size=2000):
        low, high = wilson(int(hits), 120)
        held += low <= 0.9 <= high
    assert held / 2000 >= 0.93


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99, 0.999])
def test_an_exact_interval_holds_a_rare_share_in_95_of_100_samples(share: float) -> None:
    hits = np.random.default_rng(3).binomial(60, share, size=2000).tolist()
    assert sum(low <= share <= high for low, high in (exact(one, 60) for one in hits)) >= 0.95 * 2000


LINKAGES: dict[str, dict[str, tuple[int, float]]] = {
    "few errors": {"strong key": (4000, 0.999), "weight": (3000, 0.97), "doubt": (400, 0.45), "below": (3000, 0.05)},
    "many errors": {"weight": (5000, 0.85), "through others": (2000, 0.6), "doubt": (2000, 0.5), "below": (8000, 0.1)},
    "rare errors": {"strong key": (20_000, 0.9995), "weight": (30_000, 0.995), "below": (50_000, 0.004)},
    "one large part": {"strong key": (100, 0.99), "weight": (100_000, 0.99), "below": (100_000, 0.01)},
}
"""Stratum to how many pairs there are, and the share of them that is one entity."""


@pytest.mark.parametrize("judged", [300, 60])
@pytest.mark.parametrize("linkage", LINKAGES.values(), ids=LINKAGES)
def test_intervals_of_precision_and_recall_hold_the_truth(linkage: dict[str, tuple[int, float]], judged: int) -> None:
    random = np.random.default_rng(17)
    together = {"strong key", "weight", "through others"}
    ones = {name: round(size * share) for name, (size, share) in linkage.items()}
    right, linked = (sum(of[name] for name in together & set(linkage)) for of in (ones, sizes(linkage)))
    precision, recall = right / linked, right / sum(ones.values())
    held, number = [0, 0], judged // len(linkage)
    for _ in range(300):
        strata = [
            Stratum(name, name in together, size, 0.0, number, int(random.hypergeometric(one, size - one, number)))
            for (name, (size, _)), one in zip(linkage.items(), ones.values(), strict=True)
        ]
        found = quality(strata, once=0, twice=100)
        held[0] += found.precision.low <= precision <= found.precision.high
        held[1] += found.recall.low <= recall <= found.recall.high
    assert min(held) >= 0.93 * 300


def sizes(linkage: dict[str, tuple[int, float]]) -> dict[str, int]:
    return {name: size for name, (size, _) in linkage.items()}


def test_quality_of_what_was_judged_to_the_last_pair_is_known() -> None:
    strata = [Stratum("weight", True, 40, 39, 40, 36), Stratum("doubt", False, 20, 8, 20, 4)]  # noqa: FBT003  a stratum's place
    found = quality(strata, once=0, twice=0)
    assert found.precision.estimate == pytest.approx(0.9)
    assert found.recall.estimate == pytest.approx(36 / 40)
    assert found.precision.low == pytest.approx(found.precision.high)
    assert found.judged == 60


def test_pairs_that_were_never_compared_lower_what_recall_may_be() -> None:
    strata = [Stratum("weight", True, 1000, 990, 100, 100)]  # noqa: FBT003  a stratum's place
    compared = quality(strata, once=0, twice=50).recall
    overlooked = quality(strata, once=100, twice=50).recall
    assert unseen(100, 50)[0] == 100
    assert overlooked.low < compared.low
    assert overlooked.estimate == pytest.approx(1000 / 1100)
    assert overlooked.high == 1.0


def test_the_accept_threshold_rises_with_the_strangers_among_the_pairs() -> None:
    random = np.random.default_rng(5)
    ones = random.normal(14, 3, 4000)
    few = thresholds(seen(np.concatenate([ones, random.normal(1, 2, 500)])), CLAIMED, CARRIED)
    many = thresholds(seen(np.concatenate([ones, random.normal(1, 2, 500_000)])), CLAIMED, CARRIED)
    assert many.accept > few.accept > 0


def test_no_more_false_links_are_expected_than_allowed() -> None:
    random = np.random.default_rng(7)
    weights = np.concatenate([random.normal(12, 4, 5000), random.normal(0, 3, 50_000)])
    accept = thresholds(seen(weights), CLAIMED, CARRIED).accept
    taken = weights[weights >= accept]
    assert (1 / (1 + np.exp2(taken))).mean() <= FALSE_LINKS
    assert 1 < accept < HIGHEST


def test_where_too_few_pairs_could_be_accepted_the_models_thresholds_stand() -> None:
    weights = np.array([9.0] * 20)
    assert thresholds(seen(weights), CLAIMED, CARRIED) == CARRIED
    assert thresholds(seen(np.array([9.0] * 200), np.zeros(200, dtype=np.bool_)), CLAIMED, CARRIED) == CARRIED


def test_labels_that_the_weights_promised_too_much_for_raise_the_threshold() -> None:
    random = np.random.default_rng(11)
    weights = random.uniform(-8, 20, 20_000)
    honest = random.random(20_000) < 1 / (1 + np.exp2(-weights))
    boasting = random.random(20_000) < 1 / (1 + np.exp2(-(weights - 6)))
    straight = curve(seen(weights, labels=honest))
    bent = curve(seen(weights, labels=boasting))
    assert abs(straight[0]) < 1
    assert bent[0] < straight[0] - 2
    assert thresholds(seen(weights), bent, CARRIED).accept > thresholds(seen(weights), straight, CARRIED).accept


def test_a_few_labels_change_nothing() -> None:
    weights = np.linspace(-5, 15, 60)
    labels = np.where(weights > 0, 0, -1)
    assert curve(seen(weights, labels=labels)) == CLAIMED


def test_mistyped_labels_among_sure_pairs_do_not_bend_the_curve_far() -> None:
    random = np.random.default_rng(13)
    weights = random.uniform(-8, 20, 20_000)
    truth = random.random(20_000) < 1 / (1 + np.exp2(-weights))
    mistyped = np.where(truth & (random.random(20_000) < 0.04), 0, truth)
    clean, dirty = curve(seen(weights, labels=truth)), curve(seen(weights, labels=mistyped))
    assert abs(clean[0] - dirty[0]) < 1.5
