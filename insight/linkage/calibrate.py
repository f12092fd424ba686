"""From which match weight on a pair is accepted, and from which a person should look: read from the records at hand.

A threshold that is right for ten thousand records is wrong for a million: there are a hundred times as many pairs of
strangers for each pair that is one, and strangers who agree by chance grow with them. So the thresholds are found anew
whenever the engine counts its records, in four steps.

1. Some pairs label themselves. Both sides state an official number or a birth date: where these agree, the pair is one
   entity, where they differ, it is two. The rest of such a pair's weight, without that comparison, is what a pair of
   that weight would have that states no number.
2. A logistic curve is fitted from that weight to the label (Platt, 1999), starting from what the model itself claims
   (a weight of w bits is odds of 2 to the w) and leaving it as far as the labels are many. Labels may be wrong, for
   numbers and dates are mistyped: how many say two of what is one is fitted too, up to `MISTYPED`.
3. The curve gives each pair that could be accepted by its weight its probability of being false. `accept` is the least
   weight at which the expected share of false links, with a margin for what the curve does not know, is at most
   `FALSE_LINKS`, and the pair just accepted is itself believed to `SURE_ENOUGH`.
4. `review` is the weight at which a pair is as likely one entity as two.

Where fewer than `ENOUGH` pairs could be accepted, the thresholds that the model carries stand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt

from insight.linkage.model import TWO_AGREEMENTS, Model, column
from insight.linkage.rules import Comparison, Thresholds
from insight.linkage.score import carried_prior
from insight.linkage.sketch import Sketch
from insight.linkage.verdict import veto_sql
from insight.linkage.weights import prior_weight, scales, weighed_sql

Figures = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

FALSE_LINKS: Final = 0.01
"""The share of links made by weight alone that may be false."""
SURE_ENOUGH: Final = 0.9
"""How likely the least of them must be one entity."""
SURER: Final = 0.97
"""The same where rules are set aside, which would stand beside the weight."""
ENOUGH: Final = 50
"""Pairs that could be accepted, and pairs of either label, from which thresholds and the curve are read."""
FEW: Final = 1.0
"""False links that may be expected where there are so few links that their share cannot be told."""
CAUTION: Final = 1.0
"""How many times more false links than the curve expects are reckoned with."""
SAMPLE: Final = 400_000
"""Pairs that are looked at, at most about."""
LOWEST: Final = 1.0
HIGHEST: Final = 12.0
"""Between these, in bits, `accept` is found."""
STEEPNESS: Final = (0.6, 1.25)
"""Within what the curve's slope is kept."""
_LEAST_REVIEW: Final = -2.0
MISTYPED: Final = 0.08
"""Of pairs that are one entity, the most that may be labelled two."""
_SHARED: Final = 0.005
"""Of pairs that are two, those that are labelled one."""
_NEAR: Final = -4.0
"""The weight, without the label, from which a pair tells of acceptance, where two agreements are not asked for."""
_SPREAD: Final = (2.0, 0.25)
"""How far, in bits and as a factor, the curve is expected to lie from what the model claims (standard deviations)."""


@dataclass(frozen=True)
class Seen:
    """Compared pairs, one element a pair.

    Attributes:
        weights: Match weight in bits.
        eligible: Whether the weight alone decides: no veto, no strong key, and enough agreement, some of it firm.
        rest: Of each comparison that labels, the weight without it.
        labels: Of each such comparison, as firmly stated, 1 where it says one entity, 0 where it says two, -1 where
            nothing.
    """

    weights: Figures
    eligible: Flags
    rest: tuple[Figures, ...]
    labels: tuple[npt.NDArray[np.int8], ...]


def calibrate(con: duckdb.DuckDBPyConnection, model: Model, sketch: Sketch | None = None) -> Thresholds:
    """The thresholds for the records in a connection, in bits of match weight.

    Args:
        con: Where `record`, `feature` with its frequencies, `pair` and `tier_pair` are.
        model: The model, whose own thresholds stand where there is too little to read.
        sketch: What `make_sketch` made of the records; without it every pair is compared in full.
    """
    if _count(con, "pair") < ENOUGH:  # fewer could not be accepted, whatever they weigh
        return model.thresholds
    seen = look(con, model, sketch)
    # where weight alone decides, what was compared for nothing but its label would say how the rest of it is
    lowest = _NEAR if TWO_AGREEMENTS in model.set_aside else -np.inf
    sure = SURER if model.set_aside else SURE_ENOUGH
    return thresholds(seen, curve(seen, lowest), model.thresholds, sure)


def curve(seen: Seen, lowest: float = -np.inf) -> tuple[float, float]:
    """What turns a match weight into log-odds in bits: `a + b * weight`; (0, 1) is what the model claims.

    Args:
        seen: The pairs.
        lowest: The weight, without the label, from which labelled pairs are looked at.
    """
    rest = np.concatenate([one[label >= 0] for one, label in zip(seen.rest, seen.labels, strict=True)] or [np.zeros(0)])
    label = np.concatenate([label[label >= 0].astype(np.float64) for label in seen.labels] or [np.zeros(0)])
    near = rest >= lowest
    rest, label = rest[near], label[near]
    if min(float(label.sum()), float((1 - label).sum())) < ENOUGH:
        return 0.0, 1.0
    # the curve is wanted where acceptance is decided, so pairs far from there count no more than the rest together
    weight = np.minimum(1.0, 2000 / len(label))

    def loss(point: Figures) -> Any:  # noqa: ANN401  scipy takes any number
        a, b, wrong = point
        one = 1 / (1 + np.exp2(-np.clip(a + b * rest, -60, 60)))
        mistyped = MISTYPED / (1 + np.exp(-wrong))
        told = (1 - mistyped) * one + _SHARED * (1 - one)
        likelihood = float((label * np.log(told) + (1 - label) * np.log(1 - told)).sum()) * weight
        return -likelihood + (a / _SPREAD[0]) ** 2 / 2 + ((b - 1) / _SPREAD[1]) ** 2 / 2 + (wrong / 3) ** 2 / 2

    from scipy.optimize import minimize  # noqa: PLC0415  slow to load, and a small list needs none

    found: Any = minimize(loss, np.array([0.0, 1.0, 0.0]), method="Nelder-Mead")
    return float(found.x[0]), float(np.clip(found.x[1], *STEEPNESS))


def thresholds(seen: Seen, bent: tuple[float, float], carried: Thresholds, sure: float = SURE_ENOUGH) -> Thresholds:
    """The thresholds at which pairs such as these may be accepted, or are worth a look."""
    a, b = bent
    order = np.sort(seen.weights[seen.eligible & (seen.weights >= LOWEST)])[::-1]
    if len(order) < ENOUGH:
        return carried
    false = 1 / (1 + np.exp2(np.clip(a + b * order, -60, 60)))
    expected = np.cumsum(false) * CAUTION
    allowed = np.maximum(FALSE_LINKS * np.arange(1, len(order) + 1), FEW)
    fits = (expected <= allowed) & (false <= 1 - sure)
    within = np.flatnonzero(~fits)
    last = within[0] if len(within) else len(order)
    accept = HIGHEST if last == 0 else min(max(float(order[last - 1]), LOWEST), HIGHEST)
    review = min(max(-a / b, _LEAST_REVIEW), accept)
    return Thresholds(round(accept, 2), round(review, 2) + 0.0, carried.margin)


def look(con: duckdb.DuckDBPyConnection, model: Model, sketch: Sketch | None = None) -> Seen:
    """The compared pairs, or a sample of them: all pairs of one record in so many.

    Where there is a sketch, those that it shows to be neither labelled nor near any threshold are left out.

    What may not be accepted for want of a firm agreement moves no threshold, and what is not firmly stated labels no
    pair: a stranger who writes in as others would else decide how alike all the others must be.
    """
    telling = [one for one in model.linkage.comparisons if one.labels]
    every = max(1, _count(con, "pair") // SAMPLE)
    asked_pairs = f"SELECT a, b FROM pair WHERE hash(a) % {every} = 0"
    if sketch is not None:
        sketch.promise(con, "near", asked_pairs, _prior(con, model), LOWEST, stated=True)
        asked_pairs = "SELECT a, b FROM near"
    rest = "".join(
        f", mw_{column(one)} AS of_{column(one)}, {_label_sql(one)} AS label_{column(one)}" for one in telling
    )
    linkage = model.linkage
    identifying = tuple(one for one in linkage.comparisons if one.identifies)
    agreements, identified = agreements_sql(linkage.comparisons), agreements_sql(identifying)
    agree = f"({agreements} >= {linkage.agreements} AND {identified} >= {linkage.identifying})"
    con.execute(f"""
        CREATE OR REPLACE TABLE seen AS
        SELECT a, b, match_weight AS weight, forbidden, labelling_forbidden, strong,
               {agree} AS agrees{rest}
        FROM ({looked_sql(con, model, asked_pairs)})
    """)
    labels_sql = "".join(f", {_label_sql(one)} AS label_{column(one)}" for one in telling)
    asked = " OR ".join(["agrees", *(f"label_{column(one)} >= 0" for one in telling)])
    firm_pairs = f"""
        SELECT x.firm_position AS a, y.firm_position AS b
        FROM seen JOIN firm_id AS x ON x.position = a JOIN firm_id AS y ON y.position = b
        WHERE (x.firm_position <> a OR y.firm_position <> b) AND ({asked})
    """
    suffices = f"{agreements} >= 1" if linkage.attaches else agree
    con.execute(f"""
        CREATE OR REPLACE TABLE seen_firmly AS
        SELECT a, b, {suffices} AS suffices{labels_sql} FROM ({looked_sql(con, model, firm_pairs)})
    """)
    told = "".join(
        f", of_{name}, CASE WHEN firmly.label_{name} < 0 THEN -1 ELSE seen.label_{name} END AS label_{name}"
        for name in map(column, telling)
    )
    found = con.execute(f"""
        SELECT weight, forbidden, labelling_forbidden, strong, agrees AND coalesce(suffices, true) AS agrees{told}
        FROM seen JOIN firm_id AS x ON x.position = seen.a JOIN firm_id AS y ON y.position = seen.b
        LEFT JOIN seen_firmly AS firmly ON firmly.a = x.firm_position AND firmly.b = y.firm_position
    """).fetchnumpy()
    weights = np.asarray(found["weight"], dtype=np.float64)
    free = ~_flags(found["labelling_forbidden"])
    labels = [np.where(free, np.asarray(found[f"label_{column(one)}"], dtype=np.int8), -1) for one in telling]
    return Seen(
        weights,
        _flags(found["agrees"]) & ~_flags(found["forbidden"]) & ~_flags(found["strong"]),
        tuple(weights - np.asarray(found[f"of_{column(one)}"], dtype=np.float64) for one in telling),
        tuple(label.astype(np.int8) for label in labels),
    )


def looked_sql(con: duckdb.DuckDBPyConnection, model: Model, asked: str) -> str:
    """A query for `a, b, match_weight, strong, forbidden, labelling_forbidden` and `gamma_*`, `mw_*` of each pair.

    `labelling_forbidden` leaves out the vetoes that are made of a comparison which labels pairs.

    Args:
        con: Where `record`, `feature` with its frequencies and `tier_pair` are.
        model: The model.
        asked: A query for the pairs, `a` and `b`, positions in `feature`.
    """
    others = tuple(veto for veto in model.linkage.vetoes if veto.judges is None)
    carried = f"""
        asked.a, asked.b, tier_pair.a IS NOT NULL AS strong,
        ({veto_sql(model.linkage.vetoes)}) IS NOT NULL AS forbidden,
        ({veto_sql(others)}) IS NOT NULL AS labelling_forbidden
    """
    pairs = f"""
        ({asked}) AS asked
        LEFT JOIN tier_pair ON tier_pair.a = asked.a AND tier_pair.b = asked.b
        JOIN feature AS l ON l.position = asked.a
        JOIN feature AS r ON r.position = asked.b
    """
    return weighed_sql(scales(model.splink), _prior(con, model), carried, pairs)


def _prior(con: duckdb.DuckDBPyConnection, model: Model) -> float:
    """The weight of two of the records of which nothing is known."""
    count, strong = (_count(con, table) for table in ("record", "tier_pair"))
    return prior_weight(carried_prior(model, max(count, 1), strong))


def agreements_sql(comparisons: tuple[Comparison, ...]) -> str:
    """SQL that counts the comparisons that agree, over columns `gamma_...`."""
    counted = ["0"]
    for comparison in comparisons:
        grades = [len(comparison.levels) - place for place, level in enumerate(comparison.levels) if level.agrees]
        if grades:
            counted.append(f"(gamma_{column(comparison)} IN ({', '.join(map(str, grades))}))::INTEGER")
    return f"({' + '.join(counted)})"


def _label_sql(comparison: Comparison) -> str:
    return f"CASE gamma_{column(comparison)} WHEN {len(comparison.levels)} THEN 1 WHEN 0 THEN 0 ELSE -1 END"


def _flags(column_: Any) -> Flags:  # noqa: ANN401  what DuckDB hands over
    return np.asarray(column_, dtype=np.bool_)


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])
