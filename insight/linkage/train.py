"""Training a linkage model on the records at hand. Run rarely: a model is kept until it is trained anew.

The model is that of Fellegi and Sunter (1969): u, how often two different entities agree, and m, how often two records
of one entity do. u comes from random pairs, after records that strong keys join have been taken together, and with each
pair counted for as much as it is believed to be two entities: in a list full of copies, most pairs that agree by
chance are no chance. m comes from pairs that are one entity for another reason than the comparison being taught: what
names look like is learnt from shared numbers, what numbers look like from shared names and addresses. Expectation
maximisation (Dempster, Laird and Rubin, 1977), the usual teacher, takes relatives and households for one; here it only
teaches what no key does, from compared pairs that no veto forbids, and how likely two records are to be one. What the
records cannot say, a field that nobody states or a key that nobody shares, stays as the declared rules assume.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np

from insight.linkage.blocking import make_keys, make_largest, make_pairs, make_tier_pairs, shared_key_sql
from insight.linkage.calibrate import calibrate, looked_sql
from insight.linkage.components import joined
from insight.linkage.features import add_commons, make_features
from insight.linkage.model import LEAST, LINKAGES, Model, untrained
from insight.linkage.read import load_aliases, load_records, open_memory
from insight.linkage.rules import Comparison, Linkage
from insight.linkage.score import terms
from insight.linkage.statistics import count_terms
from insight.linkage.tuning.patterns import Patterns, graded, patterns
from insight.linkage.tuning.vetoes import failing, try_rules
from insight.linkage.verdict import veto_sql
from insight.linkage.weights import prior_weight, scales
from insight.linkage.whole import load_judgements
from insight.records.record_set import AliasSet, RecordSet

RANDOM_PAIRS: Final = 1_000_000
COMPARED: Final = 1_000_000
"""Compared pairs from which the prior is learnt, at most about."""
ENOUGH: Final = 100
"""Pairs from which a comparison's m is learnt; from fewer it stays as assumed."""
ROUNDS: Final = 8
"""Rounds of expectation and maximisation; the figures have settled by then."""
MOST: Final = 0.05
_TEACHING_KEY: Final = 12
"""Records that may share a key and still teach."""
_ASSUMED: Final = 20
"""What an assumption weighs against what was seen, in pairs."""
_ASSUMED_APART: Final = 200_000
"""What an assumption weighs against random pairs of strangers: a short list does not show what is rare."""
_ENOUGH_STRONG: Final = 50


def train(
    records: RecordSet,
    aliases: AliasSet,
    employer: Path | None = None,
    note: str = "",
    judgements: Path | None = None,
) -> Model:
    """A model of the record type, trained on these records. `save_model` makes it the current one.

    Args:
        records: The conformed records.
        aliases: The merges that sources made themselves.
        employer: The organisations' `crosswalk.parquet`, for people.
        note: What the records are, for whoever looks at the model.
        judgements: What people said of pairs. They move no threshold.
    """
    linkage = LINKAGES[records.shape]
    with open_memory() as con:
        prepare(con, records, aliases, employer)
        count = int(con.execute("SELECT count(*) FROM record").fetchall()[0][0])
        model = Model(
            records.shape, untrained(linkage), linkage.thresholds, max(count, 1), note or f"{count:,} records"
        )
        if count < 2:  # noqa: PLR2004  one record teaches nothing
            return model
        load_judgements(con, records.shape, judgements)
        random = _random(con, model)
        learnt = learn(con, model, count, random)
        aside = _failing_rules(con, learnt)
        if aside:
            # what a rule kept from teaching teaches now
            learnt = learn(con, replace(model, splink=untrained(linkage), set_aside=aside), count, random)
        _count_commons(con, learnt)
        return replace(learnt, thresholds=calibrate(con, learnt))


def prepare(con: duckdb.DuckDBPyConnection, records: RecordSet, aliases: AliasSet, employer: Path | None) -> None:
    """Makes `record`, `alias`, `feature`, `pair` and `tier_pair`: what training and calibration look at."""
    linkage = LINKAGES[records.shape]
    load_records(con, records.shape, records.record)
    load_aliases(con, records.shape, aliases.alias)
    make_features(con, records.shape, employer)
    make_largest(con, linkage)
    make_keys(con, linkage)
    make_pairs(con, linkage)
    make_tier_pairs(con, linkage)


def learn(con: duckdb.DuckDBPyConnection, model: Model, count: int, random: Patterns) -> Model:
    """The model with m, u, the prior and the copies that the records show.

    Args:
        con: Where `record`, `feature`, `pair`, `tier_pair` and `representative` are.
        model: The model, untrained; what it sets aside forbids no pair to teach.
        count: How many records there are.
        random: Random pairs of strangers.
    """
    linkage, splink = model.linkage, model.splink
    apart = _count(con, "representative")
    different = apart * (apart - 1) / 2
    # one record in `every` stands for all, so that all pairs of a record are seen together
    every = max(1, _count(con, "pair") // COMPARED)
    compared = patterns(
        con, splink, f"SELECT a, b FROM pair WHERE hash(a) % {every} = 0", f"({veto_sql(linkage.vetoes)}) IS NOT NULL"
    )
    prior = _first_prior(con, count, linkage.prior)
    taught = [_learn_m(con, linkage, comparison, splink) for comparison in linkage.comparisons]
    for _ in range(ROUNDS):
        _learn_u(linkage, splink, random, prior, different)
        believed = compared.believed(splink, prior) * ~compared.forbidden
        for place, known in enumerate(taught):
            if not known:
                _learn_m_blindly(linkage, splink, compared, believed, place)
        matching = float((believed * compared.counts).sum()) * every
        prior = min(max(matching, 1.0) / (count * (count - 1) / 2), MOST)
    strong = _count(con, "tier_pair")
    splink["probability_two_random_records_match"] = prior
    return Model(
        model.record_type,
        splink,
        model.thresholds,
        model.trained_on,
        model.note,
        beyond_strong=round(min(max(matching / strong, 1.0), 20.0), 3) if strong >= _ENOUGH_STRONG else 2.0,
        copies=round(max(1.0, _copies(con, splink, prior, every, veto_sql(linkage.vetoes))), 2),
        set_aside=model.set_aside,
    )


def _random(con: duckdb.DuckDBPyConnection, model: Model) -> Patterns:
    """Random pairs of records that no strong key joins, counted by how they compare."""
    _make_representatives(con)
    return patterns(con, model.splink, _random_sql(RANDOM_PAIRS, max(_count(con, "representative"), 1)))


def _failing_rules(con: duckdb.DuckDBPyConnection, model: Model) -> tuple[str, ...]:
    """The rules that the records speak against, by a model that learnt under them."""
    _count_commons(con, model)
    every = max(1, _count(con, "pair") // COMPARED)
    looked = looked_sql(con, model, f"SELECT a, b FROM pair WHERE hash(a) % {every} = 0")
    asked = f"SELECT *, match_weight AS weight FROM ({looked})"
    return failing(try_rules(con, model, asked))


def _count_commons(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Makes `frequency`, and adds the rarity of what is stated to `feature`, in place of what was there."""
    stated = count_terms(con, terms(model), model.copies)
    con.execute("""
        CREATE OR REPLACE TABLE feature AS SELECT COLUMNS(lambda name: NOT starts_with(name, 'common_')) FROM feature
    """)
    add_commons(con, stated)


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])


def _make_representatives(con: duckdb.DuckDBPyConnection) -> None:
    """Makes `representative(place, position)`: one record of each group that strong keys join."""
    with joined(con, "SELECT record_a, record_b FROM tier_pair"):
        con.execute("""
            CREATE OR REPLACE TABLE representative AS
            SELECT (row_number() OVER (ORDER BY feature.position) - 1)::UBIGINT AS place, feature.position
            FROM feature
            ANTI JOIN (SELECT record_id FROM joined JOIN arriving USING (position) WHERE component <> position)
                ON record_id = unique_id
            WHERE NOT is_firm
        """)


def _random_sql(pairs: int, records: int) -> str:
    """A query for random pairs of representatives; the same ones each time."""
    return f"""
        SELECT one.position AS a, other.position AS b
        FROM (SELECT hash(i, 1) % {records} AS x, hash(i, 2) % {records} AS y FROM range({pairs}) AS t(i)) AS drawn
        JOIN representative AS one ON one.place = x
        JOIN representative AS other ON other.place = y
        WHERE one.position <> other.position
    """


def _first_prior(con: duckdb.DuckDBPyConnection, count: int, assumed: float) -> float:
    """The probability that two random records are one entity, to begin with: two pairs for each with a strong key."""
    found = _count(con, "tier_pair")
    return min(2 * found / (count * (count - 1) / 2), MOST) if found else assumed


def _learn_u(linkage: Linkage, splink: dict[str, Any], random: Patterns, prior: float, different: float) -> None:
    """Takes over the u that random pairs show, each counted for as much as it is believed to be two entities.

    No more pairs count than there are `different` ones: drawn twice, a pair says nothing new.
    """
    apart = (1 - random.believed(splink, prior)) * random.counts
    for place, comparison in enumerate(linkage.comparisons):
        if comparison.assumes_u:
            continue
        levels = graded(splink["comparisons"][place])
        seen = random.shares(place, apart, len(levels))
        if seen is not None:
            assumed = [level.u for level in comparison.levels]
            there = min(float(apart[random.gammas[:, place] >= 0].sum()), different)
            starts = [*assumed, 1 - sum(assumed)]
            for level, share, start in zip(levels, seen, starts, strict=True):
                level["u_probability"] = (share * there + start * _ASSUMED_APART) / (there + _ASSUMED_APART)


def _learn_m_blindly(
    linkage: Linkage, splink: dict[str, Any], compared: Patterns, believed: np.ndarray[Any, Any], place: int
) -> None:
    """Takes over the m of a comparison that no key teaches, from compared pairs as far as they are believed one."""
    comparison = linkage.comparisons[place]
    levels = graded(splink["comparisons"][place])
    one = believed * compared.counts
    weight = float(one[compared.gammas[:, place] >= 0].sum())
    seen = compared.shares(place, one, len(levels))
    if seen is None or weight < ENOUGH:
        return
    assumed = [*(level.m for level in comparison.levels), max(1 - sum(one.m for one in comparison.levels), LEAST)]
    for level, share, start in zip(levels, seen, assumed, strict=True):
        level["m_probability"] = max((share * weight + start * ENOUGH) / (weight + ENOUGH), LEAST)


def _learn_m(con: duckdb.DuckDBPyConnection, linkage: Linkage, comparison: Comparison, splink: dict[str, Any]) -> bool:
    """Takes over the m of one comparison that the pairs which teach it show; whether there were enough of them."""
    place = linkage.comparisons.index(comparison)
    shared = " UNION ".join(f"({shared_key_sql(key, _TEACHING_KEY)})" for key in comparison.taught_by)
    if not shared:
        return False
    only = {**splink, "comparisons": [splink["comparisons"][place]]}
    lesson = patterns(
        con,
        only,
        f"""
        SELECT one.position AS a, other.position AS b FROM ({shared})
        JOIN firm_id AS one ON one.record_id = record_a JOIN firm_id AS other ON other.record_id = record_b
        """,
        f"({veto_sql(linkage.vetoes)}) IS NOT NULL",
    )
    counts = lesson.counts * ~lesson.forbidden * (lesson.gammas[:, 0] >= 0)
    count = float(counts.sum())
    levels = graded(splink["comparisons"][place])
    seen = lesson.shares(0, counts, len(levels))
    if seen is None or count < ENOUGH:
        return False
    for level, share in zip(levels, seen, strict=True):
        there = float(share) * count + level["m_probability"] * _ASSUMED
        level["m_probability"] = max(there / (count + _ASSUMED), LEAST)
    return True


def _copies(con: duckdb.DuckDBPyConnection, splink: dict[str, Any], prior: float, every: int, vetoes: str) -> float:
    """How many others a record that has any is believed to be one with."""
    asked = scales(splink)
    weight = " + ".join(f"({scale.weight(scale.gamma)})" for scale in asked)
    found = con.execute(f"""
        WITH one AS (
            SELECT a, b FROM (
                SELECT a, b FROM pair WHERE hash(a) % {every} = 0
                UNION
                SELECT a, b FROM pair WHERE hash(b) % {every} = 0
            )
            JOIN feature AS l ON l.position = a JOIN feature AS r ON r.position = b
            WHERE {prior_weight(prior)!r}::DOUBLE + {weight} > 0 AND ({vetoes}) IS NULL
        )
        SELECT count(*) / greatest(count(DISTINCT record), 1)
        FROM (SELECT a AS record FROM one UNION ALL SELECT b FROM one) WHERE hash(record) % {every} = 0
    """).fetchall()
    return float(found[0][0])
