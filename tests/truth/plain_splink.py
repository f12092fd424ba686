"""Splink as its own documentation shows it, to say how hard the data is.

The settings follow the tutorial and the examples of its site: a comparison of the library for each column, random
sampling for u, expectation maximisation on two blocking rules, prediction, connected components at .95.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import duckdb
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

THRESHOLD: Final = 0.95
_RECALL: Final = 0.7
_SEED: Final = 1


@dataclass(frozen=True)
class Settings:
    """One record type's settings.

    Attributes:
        columns: SQL expressions over the conformed records, by the name that the comparisons use.
        comparisons: One of the library's comparisons a column.
        blocking: Rules that generate the pairs to predict.
        deterministic: Rules taken to be nearly always right, for the prior.
        training: Rules within which m is estimated.
    """

    columns: dict[str, str]
    comparisons: Sequence[Any]
    blocking: Sequence[Any]
    deterministic: Sequence[Any]
    training: Sequence[Any]


def settings(record_type: str) -> Settings:
    """The settings for organisations or people."""
    return _organisations() if record_type == "organisation" else _people()


def _organisations() -> Settings:
    return Settings(
        columns={
            "name": "lower(name)",
            "postcode": "postcode",
            "city": "lower(city)",
            "phone": "phone",
            "email": "lower(email)",
            "website": "website",
            "vat_number": "vat_number",
            "company_number": "company_number",
        },
        comparisons=[
            cl.NameComparison("name").configure(term_frequency_adjustments=True),
            cl.PostcodeComparison("postcode"),
            cl.ExactMatch("city").configure(term_frequency_adjustments=True),
            cl.ExactMatch("phone").configure(term_frequency_adjustments=True),
            cl.EmailComparison("email"),
            cl.ExactMatch("website").configure(term_frequency_adjustments=True),
            cl.ExactMatch("vat_number"),
            cl.ExactMatch("company_number"),
        ],
        blocking=[
            block_on("postcode"), block_on("name"), block_on("phone"), block_on("email"), block_on("website"),
            block_on("vat_number"), block_on("company_number"), block_on("substr(name, 1, 6)"),
        ],
        deterministic=[block_on("name", "postcode"), block_on("vat_number")],
        training=[block_on("name"), block_on("postcode")],
    )  # fmt: skip


def _people() -> Settings:
    return Settings(
        columns={
            "first_name": "lower(given_name)",
            "surname": "lower(family_name)",
            "email": "lower(email)",
            "phone": "phone",
            "mobile": "mobile",
            "organisation_name": "lower(organisation_name)",
            "postcode": "postcode",
        },
        comparisons=[
            cl.NameComparison("first_name").configure(term_frequency_adjustments=True),
            cl.NameComparison("surname").configure(term_frequency_adjustments=True),
            cl.EmailComparison("email").configure(term_frequency_adjustments=True),
            cl.ExactMatch("phone").configure(term_frequency_adjustments=True),
            cl.ExactMatch("mobile"),
            cl.JaroWinklerAtThresholds("organisation_name", [0.9, 0.7]),
            cl.PostcodeComparison("postcode"),
        ],
        blocking=[
            block_on("first_name", "surname"), block_on("email"), block_on("phone"), block_on("mobile"),
            block_on("surname", "postcode"), block_on("surname", "organisation_name"),
        ],
        deterministic=[block_on("first_name", "surname", "email"), block_on("email")],
        training=[block_on("first_name", "surname"), block_on("email")],
    )  # fmt: skip


def clusters(con: duckdb.DuckDBPyConnection, records: str, chosen: Settings) -> dict[str, str]:
    """Record id to cluster, of the conformed records in the table or view `records`."""
    columns = ", ".join(f"nullif({expression}, '') AS {name}" for name, expression in chosen.columns.items())
    con.execute(f"CREATE OR REPLACE TABLE plain AS SELECT record_id AS unique_id, {columns} FROM {records} ORDER BY 1")
    database = DuckDBAPI(connection=con)
    linker = Linker(
        database.register("plain", dataset_display_name="plain"),
        SettingsCreator(
            link_type="dedupe_only",
            comparisons=list(chosen.comparisons),
            blocking_rules_to_generate_predictions=list(chosen.blocking),
        ),
        log_level="ERROR",
    )
    linker.training.estimate_probability_two_random_records_match(list(chosen.deterministic), recall=_RECALL)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=_SEED)
    for rule in chosen.training:
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    predicted = linker.inference.predict(threshold_match_probability=0.2)
    clustered = linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, THRESHOLD)
    return dict(con.execute(f"SELECT unique_id, cluster_id FROM {clustered.physical_name}").fetchall())
