"""Splink's own linker over the features that links are made from."""

from __future__ import annotations

import warnings
from copy import deepcopy
from typing import Any

import duckdb
from splink import DuckDBAPI, Linker

from insight.linkage.model import Model
from insight.linkage.score import terms
from insight.linkage.statistics import Numbers


def predicted(con: duckdb.DuckDBPyConnection, model: Model, numbers: Numbers, asked: str) -> str:
    """The name of a table of Splink's predictions for the pairs that a query selects as `one` and `other`."""
    splink = deepcopy(model.splink) | {
        "probability_two_random_records_match": numbers.prior,
        "retain_intermediate_calculation_columns": True,
        "retain_matching_columns": True,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        api = DuckDBAPI(connection=con)
        linker: Any = Linker(
            api.register("feature", dataset_display_name="feature"), splink, log_level=None, validate_settings=False
        )
    for term in terms(model):
        con.execute(f"""
            CREATE OR REPLACE TABLE frequency_of_{term} AS
            SELECT {term}, pow(2::DOUBLE, any_value(common_{term})) AS tf_{term}
            FROM feature WHERE {term} IS NOT NULL GROUP BY {term}
        """)
        linker.table_management.register_term_frequency_lookup(api.register(f"frequency_of_{term}"), term)
    con.execute(f"""
        CREATE OR REPLACE TABLE asked_of_splink AS
        SELECT l.unique_id AS join_key_l, r.unique_id AS join_key_r, '0' AS match_key
        FROM ({asked}) JOIN feature AS l ON l.position = one JOIN feature AS r ON r.position = other
    """)
    linker.table_management.register_blocked_pairs_for_predict(api.register("asked_of_splink"))
    return str(linker.inference.predict(warning_mode="never").physical_name)
