"""Training a linkage model on the records at hand. Run rarely: a model is kept until it is trained anew.

u, how often two different entities agree, comes from random pairs, after records that strong keys join have been
taken together. m, how often two records of one entity agree, comes from pairs that are one entity for another reason
than the comparison being taught: what names look like is learnt from shared numbers, what numbers look like from
shared names and addresses. Expectation maximisation, the usual teacher, takes relatives and households for one. What
the records cannot say, a field that nobody states or a key that nobody shares, stays as the declared rules assume.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import duckdb

from insight.linkage.blocking import make_tier_pairs, shared_key_sql
from insight.linkage.components import joined
from insight.linkage.features import FIRM, make_features
from insight.linkage.model import LEAST, LINKAGES, Model, column, untrained
from insight.linkage.read import load_aliases, load_records, open_memory
from insight.linkage.rules import Comparison, Linkage
from insight.linkage.score import BEYOND_STRONG, MOST, make_linker
from insight.linkage.verdict import veto_sql
from insight.records.record_set import AliasSet, RecordSet

RANDOM_PAIRS: Final = 2e6
SEED: Final = 1
ENOUGH: Final = 100
"""Pairs from which a comparison's m is learnt; from fewer it stays as assumed."""
_TEACHING_KEY: Final = 12
"""Records that may share a key and still teach."""
_ASSUMED: Final = 20
"""What an assumption weighs against what was seen, in pairs."""
_RARER: Final = 10
"""How many times rarer than assumed an agreement of strangers may come out: a sample does not show what is rarer."""


def train(records: RecordSet, aliases: AliasSet, employer: Path | None = None, note: str = "") -> Model:
    """A model of the record type, trained on these records. `save_model` makes it the current one.

    Args:
        records: The conformed records.
        aliases: The merges that sources made themselves.
        employer: The organisations' `crosswalk.parquet`, for people.
        note: What the records are, for whoever looks at the model.
    """
    linkage = LINKAGES[records.shape]
    with open_memory() as con:
        load_records(con, records.shape, records.record)
        load_aliases(con, records.shape, aliases.alias)
        make_features(con, records.shape, employer)
        make_tier_pairs(con, linkage.tiers)
        count = int(con.execute("SELECT count(*) FROM record").fetchall()[0][0])
        _make_representatives(con)
        splink = untrained(linkage)
        if count > 1:
            _learn_u(con, linkage, splink)
            for comparison in linkage.comparisons:
                _learn_m(con, linkage, comparison, splink)
            splink["probability_two_random_records_match"] = _prior(con, count, linkage.prior)
    return Model(records.shape, splink, linkage.thresholds, max(count, 1), note or f"{count:,} records")


def _make_representatives(con: duckdb.DuckDBPyConnection) -> None:
    """Makes `representative`, the features of one record of each group that strong keys join."""
    with joined(con, "SELECT record_a, record_b FROM tier_pair"):
        con.execute(f"""
            CREATE OR REPLACE TABLE representative AS
            SELECT feature.* FROM feature
            ANTI JOIN (SELECT record_id FROM joined JOIN arriving USING (position) WHERE component <> position)
                ON record_id = unique_id
            WHERE NOT ends_with(unique_id, '{FIRM}')
        """)


def _prior(con: duckdb.DuckDBPyConnection, count: int, assumed: float) -> float:
    """The probability that two random records are one entity: for each pair that strong keys find, `BEYOND_STRONG`."""
    found = con.execute("SELECT count(*) FROM tier_pair").fetchall()[0][0]
    return min(BEYOND_STRONG * found / (count * (count - 1) / 2), MOST) if found else assumed


def _learn_u(con: duckdb.DuckDBPyConnection, linkage: Linkage, splink: dict[str, Any]) -> None:
    """Takes over the u that random pairs of representatives show."""
    linker = make_linker(con, splink, "representative")
    linker.training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=SEED, min_count_per_level=None)
    seen = linker.misc.save_model_to_json()["comparisons"]
    for comparison, mine, theirs in zip(linkage.comparisons, splink["comparisons"], seen, strict=True):
        if not comparison.assumes_u:
            for level, shown in zip(_graded(mine), _graded(theirs), strict=True):
                least = level["u_probability"] / _RARER
                level["u_probability"] = max(shown.get("u_probability") or 0.0, least)


def _learn_m(con: duckdb.DuckDBPyConnection, linkage: Linkage, comparison: Comparison, splink: dict[str, Any]) -> None:
    """Takes over the m of one comparison that the pairs which teach it show, where there are enough of them."""
    count = _make_lesson(con, linkage, comparison)
    if count < ENOUGH:
        return
    linker = make_linker(con, splink)
    training: Any = linker.training
    training.estimate_m_from_pairwise_labels("lesson")
    seen = linker.misc.save_model_to_json()["comparisons"]
    for mine, theirs in zip(splink["comparisons"], seen, strict=True):
        if mine["output_column_name"] == column(comparison):
            for level, shown in zip(_graded(mine), _graded(theirs), strict=True):
                there = (shown.get("m_probability") or 0.0) * count + level["m_probability"] * _ASSUMED
                level["m_probability"] = max(there / (count + _ASSUMED), LEAST)


def _make_lesson(con: duckdb.DuckDBPyConnection, linkage: Linkage, comparison: Comparison) -> int:
    """Makes `lesson`, the pairs that teach a comparison, and returns how many have something to compare."""
    shared = " UNION ".join(f"({shared_key_sql(key, _TEACHING_KEY)})" for key in comparison.taught_by)
    con.execute("CREATE OR REPLACE TABLE lesson (unique_id_l VARCHAR, unique_id_r VARCHAR)")
    if shared:
        con.execute(f"""
            INSERT INTO lesson
            SELECT record_a, record_b
            FROM ({shared})
            JOIN feature AS l ON l.unique_id = record_a
            JOIN feature AS r ON r.unique_id = record_b
            WHERE {veto_sql(linkage.vetoes)} IS NULL AND NOT coalesce({comparison.missing}, false)
        """)
    return int(con.execute("SELECT count(*) FROM lesson").fetchall()[0][0])


def _graded(comparison: dict[str, Any]) -> list[dict[str, Any]]:
    return [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
