"""Scores of compared pairs: match weights of what is stated and of what is firmly stated.

Most pairs that share some key are no match. Where there are many, sketches of the records are asked first for what a
pair's weight can be at most; what may reach the review threshold, or shares a strong key, is compared in full.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import duckdb

from insight.linkage.model import Model
from insight.linkage.sketch import Sketch
from insight.linkage.statistics import Numbers
from insight.linkage.weights import Scale, prior_weight, probability_sql, scales, weighed_sql

ENOUGH_STRONG: Final = 50
"""Pairs with a strong key from which they tell how many pairs are one entity."""

MOST: Final = 0.05
"""The most likely that two random records may be held to match."""


def carried_prior(model: Model, records: int, strong: int) -> float:
    """The probability that two random records match, for these records.

    Pairs that do grow with the records and all pairs with their square, so the prior falls as the records grow. How
    many a record is in is read from the pairs that strong keys found, or taken from the model where these are few. Both
    numbers are rounded to powers of two: a few records more or less change no score.

    Args:
        model: The trained model.
        records: How many records there are.
        strong: How many pairs share a strong key.
    """
    if strong >= ENOUGH_STRONG:
        return min(model.beyond_strong * 2 * _rounded(strong / records) / _rounded(records), MOST)
    prior = float(model.splink["probability_two_random_records_match"])
    return min(prior * _rounded(model.trained_on) / _rounded(records), MOST)


def _rounded(number: float) -> float:
    return float(2.0 ** round(math.log2(max(number, 1 / 64))))


def terms(model: Model) -> tuple[str, ...]:
    """The columns whose rarity counts in a model."""
    return tuple(dict.fromkeys(term for scale in scales(model.splink) for term in scale.terms))


def score(
    con: duckdb.DuckDBPyConnection,
    model: Model,
    numbers: Numbers,
    *,
    every: bool = False,
    sketch: Sketch | None = None,
) -> None:
    """Makes `scored(a, b, record_a, record_b, match_weight, firm_weight, match_probability, gamma_*, mw_*, ...)`.

    One row a pair that reaches the review threshold as stated, shares a strong key, or was judged by a person. The
    lower of the two weights decides whether it may be accepted.

    Args:
        con: A connection with `feature` and its frequencies, `firm_id`, `pair`, `tier_pair` and `judged`.
        model: The trained model.
        numbers: What was counted of all records: the prior and the thresholds.
        every: Whether all of `pair` is wanted, whatever its weight.
        sketch: What `make_sketch` made of the records; without it every pair is compared in full.
    """
    compared = scales(model.splink)
    prior = prior_weight(numbers.prior)
    review = -math.inf if every else numbers.thresholds.review
    con.execute("CREATE OR REPLACE TABLE sure AS SELECT a, b FROM tier_pair UNION SELECT a, b FROM judged")
    if sketch is not None and not every:
        sketch.promise(con, "likeliest", "SELECT a, b FROM pair", prior, review)
    candidates = "pair" if sketch is None or every else "likeliest"
    con.execute(f"CREATE OR REPLACE TABLE promising AS SELECT a, b FROM {candidates} UNION FROM sure")
    stated = "SELECT a, b, a AS one, b AS other FROM promising"
    con.execute(f"CREATE OR REPLACE TABLE weighed AS {_weighed_sql(compared, prior, stated)}")
    con.execute(f"""
        CREATE OR REPLACE TABLE as_stated AS
        SELECT * FROM weighed
        WHERE match_weight >= {_bound(review)} OR EXISTS (FROM sure WHERE sure.a = weighed.a AND sure.b = weighed.b)
    """)
    firm = """
        SELECT a, b, x.firm_position AS one, y.firm_position AS other
        FROM as_stated JOIN firm_id AS x ON x.position = a JOIN firm_id AS y ON y.position = b
        WHERE x.firm_position <> a OR y.firm_position <> b
    """
    con.execute(f"CREATE OR REPLACE TABLE as_firm AS {_weighed_sql(compared, prior, firm)}")
    assemble(con, compared)
    for table in ("promising", "sure", "weighed", "as_stated", "as_firm"):
        con.execute(f"DROP TABLE {table}")


def assemble(con: duckdb.DuckDBPyConnection, compared: Sequence[Scale]) -> None:
    """Makes `scored` from `as_stated`, and from `as_firm` where one of the records has a firm row.

    Both have `a`, `b`, `match_weight` and of each comparison `gamma_*` and `mw_*`, rarity in it.
    """
    graded = ", ".join(f"stated.gamma_{one.name}, round(stated.mw_{one.name}, 2) AS mw_{one.name}" for one in compared)
    firm = ", ".join(
        f"CASE WHEN as_firm.a IS NULL THEN stated.gamma_{one.name} ELSE as_firm.gamma_{one.name} END"
        f" AS firm_gamma_{one.name}"
        for one in compared
    )
    con.execute(f"""
        CREATE OR REPLACE TABLE scored AS
        SELECT stated.a, stated.b, l.unique_id AS record_a, r.unique_id AS record_b,
               round(stated.match_weight, 4) AS match_weight,
               round({probability_sql("stated.match_weight")}, 6) AS match_probability,
               round(coalesce(as_firm.match_weight, stated.match_weight), 4) AS firm_weight,
               {graded}, {firm}
        FROM as_stated AS stated
        LEFT JOIN as_firm ON as_firm.a = stated.a AND as_firm.b = stated.b
        JOIN feature AS l ON l.position = stated.a
        JOIN feature AS r ON r.position = stated.b
    """)


def _weighed_sql(compared: Sequence[Scale], prior: float, asked: str) -> str:
    """A query for the weights of the pairs in `asked`, which has `a, b` and the rows `one, other` to compare."""
    rows = (
        f"({asked}) AS asked JOIN feature AS l ON l.position = asked.one JOIN feature AS r ON r.position = asked.other"
    )
    return weighed_sql(compared, prior, "a, b", rows)


def _bound(number: float) -> str:
    return f"{number!r}::DOUBLE" if math.isfinite(number) else f"'{number}'::DOUBLE"
