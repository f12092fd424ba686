"""Splink's match weight as SQL over two feature rows, made of the model's own levels.

A model says how much each level of each comparison adds; the weight of a pair is the prior and the sum of what its
levels add, each with the rarity of what agrees. Splink computes it so in a chain of queries that compares everything
of every pair. Here it is one expression; `sketch` has what it can be at most, which is cheaper to ask first. The tests
hold both to Splink's own predictions.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

SLIPS: Final = 2
"""Up to here `damerau_levenshtein` is exact in what `guarded` returns; what is further apart is only known to be so."""

_LEAST: Final = 1e-300


@dataclass(frozen=True, slots=True)
class Grade:
    """One level of a comparison, as the model has it.

    Attributes:
        value: Splink's gamma: the more agreement, the higher; 0 for what differs.
        sql: Over `l` and `r`, what reaches it; empty for what differs.
        weight: Bits that it adds.
        term: The column whose rarity counts on top; None where none does.
        share: How much of the rarity counts.
        usual: log2 of u, from which rarity is counted.
    """

    value: int
    sql: str
    weight: float
    term: str | None
    share: float
    usual: float


@dataclass(frozen=True, slots=True)
class Scale:
    """The levels of a comparison, the best first; `missing` is SQL for nothing to compare, which adds nothing."""

    name: str
    missing: str
    grades: tuple[Grade, ...]

    @property
    def gamma(self) -> str:
        """SQL over `l` and `r`: the value of the level that is reached, -1 where there is nothing to compare."""
        reached = " ".join(f"WHEN {guarded(grade.sql)} THEN {grade.value}" for grade in self.grades if grade.sql)
        return f"CASE WHEN {self.missing} THEN -1 {reached} ELSE 0 END"

    @property
    def terms(self) -> tuple[str, ...]:
        """The columns whose rarity counts."""
        return tuple(dict.fromkeys(grade.term for grade in self.grades if grade.term is not None))

    def weight(self, gamma: str) -> str:
        """SQL: what the level adds, given SQL for its value, without rarity."""
        added = " ".join(f"WHEN {grade.value} THEN {_float(grade.weight)}" for grade in self.grades)
        return f"CASE {gamma} {added} ELSE 0::DOUBLE END"

    def rarity(self, gamma: str) -> str:
        """SQL: what the rarity of what agrees adds, given SQL for the level's value; `common_<term>` as in `common`."""
        added = " ".join(
            f"WHEN {grade.value} THEN {rarity_sql(grade, f'common_{grade.term}')}"
            for grade in self.grades
            if grade.term
        )
        return f"CASE {gamma} {added} ELSE 0::DOUBLE END" if added else "0::DOUBLE"


def scales(splink: Mapping[str, Any]) -> tuple[Scale, ...]:
    """The comparisons of a model, as Splink's settings have them."""
    return tuple(_scale(comparison) for comparison in splink["comparisons"])


def weighed_sql(compared: Sequence[Scale], prior: float, carried: str, pairs: str) -> str:
    """A query for the match weight of each pair of feature rows, and what it is made of.

    Args:
        compared: The comparisons of a model.
        prior: The weight of two records of which nothing is known.
        carried: Columns of `pairs` to hand on.
        pairs: What to select from, in which `l` and `r` are the two rows.

    Returns:
        SQL for `match_weight`, the carried columns, and for each comparison `gamma_<name>`, the level that was reached,
        and `mw_<name>`, what it adds.
    """
    gammas = ", ".join(f"{scale.gamma} AS gamma_{scale.name}" for scale in compared)
    terms = sorted({term for scale in compared for term in scale.terms})
    commons = "".join(f", {common(term)} AS common_{term}" for term in terms)
    parts = ", ".join(
        f"{scale.weight(f'gamma_{scale.name}')} + {scale.rarity(f'gamma_{scale.name}')} AS mw_{scale.name}"
        for scale in compared
    )
    total = " + ".join([f"{prior!r}::DOUBLE", *(f"mw_{scale.name}" for scale in compared)])
    return f"""
        SELECT *, {total} AS match_weight
        FROM (SELECT *, {parts} FROM (SELECT {carried}, {gammas}{commons} FROM {pairs}))
    """


def prior_weight(probability: float) -> float:
    """The match weight of two records of which nothing is known."""
    return math.log2(probability / (1 - probability))


def probability_sql(weight: str) -> str:
    """SQL: the match probability of a match weight."""
    return (
        f"CASE WHEN {weight} >= 0 THEN 1 / (1 + pow(2::DOUBLE, -({weight})))"
        f" ELSE pow(2::DOUBLE, {weight}) / (1 + pow(2::DOUBLE, {weight})) END"
    )


def common(term: str) -> str:
    """SQL over `l` and `r`: log2 of the frequency of the commoner of two values of a term."""
    return f"greatest(l.common_{term}, r.common_{term})"


def guarded(sql: str) -> str:
    """The same condition, in which `damerau_levenshtein`, by far the dearest function, is asked of likely pairs alone.

    The distance is exact up to `SLIPS` and more than that otherwise: it is no less than the difference in length, and
    no less than half of what `levenshtein` finds, which takes a quarter of the time or less.
    """
    name = "damerau_levenshtein("
    start = sql.find(name)
    if start < 0:
        return sql
    one, other, end = _arguments(sql, start + len(name))
    far = f"abs(length({one}) - length({other})) > {SLIPS} OR levenshtein({one}, {other}) > {2 * SLIPS}"
    near = f"(CASE WHEN {far} THEN {SLIPS + 1} ELSE damerau_levenshtein({one}, {other}) END)"
    return sql[:start] + near + guarded(sql[end:])


def _arguments(sql: str, start: int) -> tuple[str, str, int]:
    """The two arguments of a function whose list begins at `start`, and where the text goes on behind it."""
    depth, comma, place = 1, start, start
    while depth:
        depth += {"(": 1, ")": -1}.get(sql[place], 0)
        if depth == 1 and sql[place] == ",":
            comma = place
        place += 1
    return sql[start:comma].strip(), sql[comma + 1 : place - 1].strip(), place


def _scale(comparison: Mapping[str, Any]) -> Scale:
    levels = comparison["comparison_levels"]
    missing = " OR ".join(f"({_ours(level['sql_condition'])})" for level in levels if level.get("is_null_level"))
    graded = [level for level in levels if not level.get("is_null_level")]
    grades = tuple(_grade(level, len(graded) - 1 - place) for place, level in enumerate(graded))
    return Scale(comparison["output_column_name"], missing or "false", grades)


def _grade(level: Mapping[str, Any], value: int) -> Grade:
    m, u = (max(float(level[name]), _LEAST) for name in ("m_probability", "u_probability"))
    differs = level["sql_condition"].strip().upper() == "ELSE"
    return Grade(
        value,
        "" if differs else _ours(level["sql_condition"]),
        math.log2(m / u),
        None if differs else level.get("tf_adjustment_column"),
        float(level.get("tf_adjustment_weight", 1.0)),
        math.log2(u),
    )


def _ours(condition: str) -> str:
    """Splink's manner of naming two records' columns, as aliases: `name_l` becomes `l.name`."""
    return re.sub(r'"?\b(\w+)_([lr])\b"?', r"\2.\1", condition)


def rarity_sql(grade: Grade, frequency: str) -> str:
    """SQL: what the rarity of what agrees adds, given SQL for log2 of its frequency; 0 where that is unknown."""
    return f"coalesce({_float(grade.share)} * ({_float(grade.usual)} - {frequency}), 0)"


def _float(number: float) -> str:
    return f"{number!r}::DOUBLE" if number >= 0 else f"({number!r})::DOUBLE"
