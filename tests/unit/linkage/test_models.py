"""Models: what is declared becomes Splink's settings, and priors follow the number of records."""

from __future__ import annotations

from dataclasses import replace

import pytest

from insight.linkage.model import LINKAGES, Model, load_model, splink_sql, untrained
from insight.linkage.rules import Linkage, Thresholds
from insight.linkage.score import MOST, carried_prior

both = pytest.mark.parametrize("linkage", LINKAGES.values(), ids=list(LINKAGES))


def model(trained_on: int = 4096, prior: float = 1e-4) -> Model:
    linkage = LINKAGES["organisation"]
    splink = untrained(linkage) | {"probability_two_random_records_match": prior}
    return Model("organisation", splink, linkage.thresholds, trained_on, "a test")


def test_a_rule_reads_both_sides_in_splinks_manner() -> None:
    assert splink_sql("l.name = r.name\n  AND len(l.tokens) > 1") == "name_l = name_r AND len(tokens_l) > 1"


@both
def test_every_grade_has_its_share_of_pairs(linkage: Linkage) -> None:
    for comparison in untrained(linkage)["comparisons"]:
        graded = [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
        for kind in ("m_probability", "u_probability"):
            assert 0.98 < sum(level[kind] for level in graded) < 1.02, comparison["comparison_description"]


@both
def test_names_of_rules_and_grades_are_unique(linkage: Linkage) -> None:
    for names in (
        [block.name for block in linkage.blocks],
        [tier.name for tier in linkage.tiers],
        [veto.name for veto in linkage.vetoes],
        [comparison.name for comparison in linkage.comparisons],
        *([level.label for level in comparison.levels] for comparison in linkage.comparisons),
    ):
        assert len(set(names)) == len(names)


@both
def test_a_shipped_model_compares_what_is_declared(linkage: Linkage) -> None:
    def shape(splink: dict[str, object]) -> list[tuple[str, list[tuple[str, str]]]]:
        return [
            (
                one["output_column_name"],
                [(level["label_for_charts"], level["sql_condition"]) for level in one["comparison_levels"]],
            )
            for one in splink["comparisons"]  # type: ignore[attr-defined]
        ]

    shipped = load_model(linkage.record_type)
    assert shape(shipped.splink) == shape(untrained(linkage))
    assert shipped.thresholds == linkage.thresholds


def test_a_models_id_changes_with_its_parameters_and_its_thresholds() -> None:
    one = model()
    assert one.model_id == model().model_id
    assert one.model_id != model(prior=2e-4).model_id
    assert one.model_id != replace(one, thresholds=Thresholds(9.0, 0.0, 2.0)).model_id


def test_the_prior_falls_as_the_records_grow() -> None:
    assert carried_prior(model(), 4096, 0) == pytest.approx(1e-4)
    assert carried_prior(model(), 4096 * 16, 0) == pytest.approx(1e-4 / 16)


def test_a_few_records_more_leave_the_prior_as_it_was() -> None:
    assert carried_prior(model(), 4096, 900) == carried_prior(model(), 4100, 905)


def test_strong_keys_tell_how_many_matches_there_are() -> None:
    assert carried_prior(model(), 4096, 4096) == 4 * carried_prior(model(), 4096, 1024)


def test_no_prior_holds_two_random_records_for_a_match() -> None:
    assert carried_prior(model(prior=0.5), 1, 0) == MOST
    assert carried_prior(model(), 100, 100_000) == MOST
