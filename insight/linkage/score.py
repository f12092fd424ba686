"""Scores of compared pairs: Splink's match weights, of what is stated and of what is firmly stated."""

from __future__ import annotations

import math
import warnings
from copy import deepcopy
from typing import Any, Final

import duckdb
from splink import DuckDBAPI, Linker

from insight.linkage.model import LINKAGES, Model, column

ENOUGH_STRONG: Final = 50
"""Pairs with a strong key from which they tell how many pairs are one entity."""

BEYOND_STRONG: Final = 2.0
"""Pairs that are one entity for each that strong keys find."""

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
        return min(BEYOND_STRONG * 2 * _rounded(strong / records) / _rounded(records), MOST)
    prior = float(model.splink["probability_two_random_records_match"])
    return min(prior * _rounded(model.trained_on) / _rounded(records), MOST)


def _rounded(number: float) -> float:
    return float(2.0 ** round(math.log2(max(number, 1 / 64))))


def make_linker(con: duckdb.DuckDBPyConnection, splink: dict[str, Any], features: str = "feature") -> Linker:
    """A linker over the features, with frequencies of terms.

    How rare a shared value is, is asked of the other records: a record does not count as its own namesake, nor does its
    firm row. Small lists would otherwise hold every name for a common one.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        api = DuckDBAPI(connection=con)
        linker = Linker(
            api.register(features, dataset_display_name=features),
            deepcopy(splink),
            log_level=None,
            validate_settings=False,
        )
    terms = {
        level["tf_adjustment_column"]
        for comparison in splink["comparisons"]
        for level in comparison["comparison_levels"]
        if level.get("tf_adjustment_column")
    }
    for term in sorted(terms):
        con.execute(f"""
            CREATE OR REPLACE TABLE frequency_of_{term} AS
            SELECT {term}, greatest(count(*) - 1, 1)::DOUBLE / sum(count(*)) OVER () AS tf_{term}
            FROM feature SEMI JOIN record ON record_id = unique_id WHERE {term} IS NOT NULL GROUP BY {term}
        """)
        linker.table_management.register_term_frequency_lookup(api.register(f"frequency_of_{term}"), term)
    return linker


def score(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Makes `scored(record_a, record_b, match_weight, firm_weight, match_probability, gamma_*, mw_*, firm_gamma_*)`.

    Expects `feature`, `firm_id`, `pair` and `tier_pair`. Every pair is scored as stated; those that reach the review
    threshold, or share a strong key, again in detail and as firmly stated. The lower of the two weights decides whether
    a pair may be accepted.
    """
    names = [column(comparison) for comparison in LINKAGES[model.record_type].comparisons]
    records = con.execute("SELECT count(*) FROM record").fetchall()[0][0]
    strong = con.execute("SELECT count(*) FROM tier_pair").fetchall()[0][0]
    splink = model.splink | {"probability_two_random_records_match": carried_prior(model, records, strong)}
    con.execute("""
        CREATE OR REPLACE TABLE asked AS
        SELECT record_a AS join_key_l, record_b AS join_key_r, '0' AS match_key FROM pair
    """)
    light = splink | {"retain_intermediate_calculation_columns": False}
    con.execute(f"""
        CREATE OR REPLACE TABLE promising AS
        SELECT unique_id_l AS record_a, unique_id_r AS record_b
        FROM {_predicted(con, light)} WHERE match_weight >= {model.thresholds.review}
        UNION
        SELECT record_a, record_b FROM tier_pair
    """)
    con.execute("""
        CREATE OR REPLACE TABLE asked AS
        SELECT record_a AS join_key_l, record_b AS join_key_r, '0' AS match_key FROM promising
        UNION
        SELECT a.firm_id, b.firm_id, '0'
        FROM promising JOIN firm_id AS a ON a.record_id = record_a JOIN firm_id AS b ON b.record_id = record_b
    """)
    prediction = _predicted(con, splink | {"retain_matching_columns": True})
    graded = ", ".join(f"stated.gamma_{name}, {_weight(name, splink)} AS mw_{name}" for name in names)
    firm = ", ".join(f"firm.gamma_{name} AS firm_gamma_{name}" for name in names)
    con.execute(f"""
        CREATE OR REPLACE TABLE scored AS
        SELECT record_a, record_b,
               round(stated.match_weight, 4) AS match_weight,
               round(stated.match_probability, 6) AS match_probability,
               round(firm.match_weight, 4) AS firm_weight,
               {graded}, {firm}
        FROM promising
        JOIN firm_id AS a ON a.record_id = record_a
        JOIN firm_id AS b ON b.record_id = record_b
        JOIN {prediction} AS stated ON stated.unique_id_l = record_a AND stated.unique_id_r = record_b
        JOIN {prediction} AS firm ON firm.unique_id_l = a.firm_id AND firm.unique_id_r = b.firm_id
    """)


def _weight(name: str, splink: dict[str, Any]) -> str:
    """What a comparison adds to the match weight, with the rarity of what agrees."""
    levels = next(one["comparison_levels"] for one in splink["comparisons"] if one["output_column_name"] == name)
    rarity = f" + stated.mw_tf_adj_{name}" if any(level.get("tf_adjustment_column") for level in levels) else ""
    return f"round(stated.mw_{name}{rarity}, 2)"


def _predicted(con: duckdb.DuckDBPyConnection, splink: dict[str, Any]) -> str:
    """The name of a table of Splink's predictions for the pairs in `asked`."""
    if not con.execute("SELECT count(*) FROM asked").fetchall()[0][0]:
        return _no_prediction(splink)
    linker = make_linker(con, splink)
    linker.table_management.register_blocked_pairs_for_predict(linker._db_api.register("asked"))  # noqa: SLF001
    return str(linker.inference.predict(warning_mode="never").physical_name)


def _no_prediction(splink: dict[str, Any]) -> str:
    columns = [
        "''::VARCHAR AS unique_id_l",
        "''::VARCHAR AS unique_id_r",
        "0.0 AS match_weight",
        "0.0 AS match_probability",
    ]
    for comparison in splink["comparisons"]:
        name = comparison["output_column_name"]
        columns += [f"0 AS gamma_{name}", f"0.0 AS mw_{name}", f"0.0 AS mw_tf_adj_{name}"]
    return f"(SELECT {', '.join(columns)} WHERE false)"
