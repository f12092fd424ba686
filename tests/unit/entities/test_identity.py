"""Ids: the same records give the same ids, and an id goes to the cluster that has most of its records."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from insight.entities.identity import inherit, new_id

overlaps = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from(["org_1", "org_2", "org_3", "org_4"]), st.integers(1, 5)),
    unique_by=lambda row: row[:2],
)


def test_an_id_tells_its_type_and_depends_on_the_first_record_alone() -> None:
    assert new_id("organisation", "crm:company:1") == new_id("organisation", "crm:company:1")
    assert new_id("organisation", "crm:company:1").startswith("org_")
    assert new_id("person", "crm:company:1").startswith("per_")
    assert new_id("person", "crm:company:1") != new_id("person", "crm:company:2")


def test_an_id_that_another_entity_has_kept_is_not_given_twice() -> None:
    first = new_id("organisation", "crm:company:1")
    other = new_id("organisation", "crm:company:1", {first})
    assert other != first
    assert new_id("organisation", "crm:company:1", {first, other}) not in {first, other}


def test_the_cluster_with_most_records_of_an_id_keeps_it() -> None:
    assert inherit([("a", "org_1", 2), ("b", "org_1", 3)]) == {"b": "org_1"}


def test_a_merged_cluster_keeps_the_id_that_more_of_its_records_had() -> None:
    assert inherit([("a", "org_1", 1), ("a", "org_2", 4)]) == {"a": "org_2"}


def test_a_cluster_that_loses_its_first_choice_may_keep_its_second() -> None:
    assert inherit([("a", "org_1", 5), ("b", "org_1", 4), ("b", "org_2", 1)]) == {"a": "org_1", "b": "org_2"}


@given(overlaps, st.randoms(use_true_random=False))
def test_inheritance_is_one_to_one_and_ignores_order(rows: list[tuple[str, str, int]], random: object) -> None:
    kept = inherit(rows)
    assert len(set(kept.values())) == len(kept)
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert inherit(shuffled) == kept
    for cluster, entity, _ in rows:
        assert cluster in kept or entity in kept.values()
