"""Merges that a source made are followed to their end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from insight.records.aliases import followed

KEYS = st.sampled_from("abcdef")


def ends(*merges: tuple[str, str]) -> dict[str, str]:
    return {one.from_key: one.to_key for one in followed("crm", [("person", "contact", *pair) for pair in merges])}


def test_a_chain_ends_where_nothing_was_merged_further() -> None:
    assert ends(("a", "b"), ("b", "c")) == {"a": "c", "b": "c"}


def test_a_circle_says_nothing() -> None:
    assert ends(("a", "b"), ("b", "a"), ("c", "d")) == {"c": "d"}


def test_a_key_that_was_merged_into_itself_was_not_merged() -> None:
    assert ends(("a", "a")) == {}


def test_tables_do_not_mix() -> None:
    found = followed("crm", [("person", "contact", "1", "2"), ("organisation", "company", "2", "3")])
    assert [(one.source_table, one.from_key, one.to_key) for one in found] == [
        ("company", "2", "3"),
        ("contact", "1", "2"),
    ]


@given(st.lists(st.tuples(KEYS, KEYS)))
def test_an_end_is_never_merged_further_and_order_does_not_matter(merges: list[tuple[str, str]]) -> None:
    found = ends(*merges)
    assert not set(found.values()) & set(found)
    assert found == ends(*reversed(merges))
