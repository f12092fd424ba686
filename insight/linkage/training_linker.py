"""Splink's linker over the features, with frequencies of terms: what training learns with."""

from __future__ import annotations

import warnings
from copy import deepcopy
from typing import Any

import duckdb
from splink import DuckDBAPI, Linker


def make_linker(con: duckdb.DuckDBPyConnection, splink: dict[str, Any], features: str = "feature") -> Linker:
    """A linker over a table of features, with frequencies of terms.

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
            FROM feature WHERE NOT is_firm AND {term} IS NOT NULL GROUP BY {term}
        """)
        linker.table_management.register_term_frequency_lookup(api.register(f"frequency_of_{term}"), term)
    return linker
