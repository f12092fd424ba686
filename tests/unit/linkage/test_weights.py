"""Match weights in SQL are Splink's, and cheaper questions give the same answers."""

from __future__ import annotations

import random

import duckdb
import pytest

from insight.linkage.model import LINKAGES, load_model
from insight.linkage.rules import Linkage
from insight.linkage.weights import SLIPS, guarded, prior_weight, scales

WORDS = ("fernley", "fernely", "fernly", "ab", "ba", "jane.abernathy", "jane.abernahty", "x", "", "harrow", None)


@pytest.mark.parametrize("sql", ["damerau_levenshtein(l, r)", "damerau_levenshtein(replace(l, 'e', ''), left(r, 6))"])
def test_the_guarded_distance_is_exact_up_to_two_slips_and_more_beyond(sql: str) -> None:
    draw = random.Random(3)  # noqa: S311  no secret
    words = [*WORDS, *("".join(draw.choices("abc", k=draw.randrange(8))) for _ in range(60))]
    with duckdb.connect() as con:
        con.execute("CREATE TABLE word (w VARCHAR)")
        con.executemany("INSERT INTO word VALUES (?)", [(word,) for word in words])
        pairs = "(SELECT one.w AS l, other.w AS r FROM word AS one, word AS other)"
        found = con.execute(f"SELECT {sql}, {guarded(sql)} FROM {pairs}").fetchall()
    assert len(found) == len(words) ** 2
    for exact, quick in found:
        assert quick == exact if exact is None or exact <= SLIPS else quick > SLIPS


@pytest.mark.parametrize("linkage", LINKAGES.values(), ids=LINKAGES)
def test_no_rule_asks_for_more_slips_than_the_guarded_distance_can_tell(linkage: Linkage) -> None:
    rules = [level.sql for comparison in linkage.comparisons for level in comparison.levels]
    rules += [veto.sql for veto in linkage.vetoes] + [tier.guard for tier in linkage.tiers]
    for rule in rules:
        for behind in rule.split("damerau_levenshtein(")[1:]:
            compared = behind[_end(behind) :].split(" AND ")[0].split(" OR ")[0]
            numbers = [int(word) for word in compared.replace(")", " ").split() if word.isdigit()]
            compares_lengths = "length(" in compared
            assert compares_lengths or max(numbers) <= SLIPS, rule


def test_a_prior_of_one_half_weighs_nothing() -> None:
    assert prior_weight(0.5) == 0


@pytest.mark.parametrize("record_type", LINKAGES)
def test_a_scale_has_the_levels_that_are_declared_the_best_first(record_type: str) -> None:
    for scale, comparison in zip(
        scales(load_model(record_type).splink), LINKAGES[record_type].comparisons, strict=True
    ):
        assert [grade.value for grade in scale.grades] == list(range(len(comparison.levels), -1, -1))
        assert scale.grades[-1].sql == ""
        assert set(scale.terms) == {level.frequency for level in comparison.levels if level.frequency}


def _end(text: str) -> int:
    depth = 1
    for place, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return place + 1
    raise ValueError(text)
