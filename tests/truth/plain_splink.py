"""Splink as its own documentation shows it, to say how hard the data is; the settings stand in `plain_settings`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import duckdb
from splink import DuckDBAPI, Linker, SettingsCreator
from splink.internals.exceptions import EMTrainingException

PREDICTED: Final = 0.2
"""The least probability of a pair that is kept at all, as in the demos."""
_SEED: Final = 1


@dataclass(frozen=True)
class Settings:
    """What a page of Splink's documentation chooses for one kind of data.

    Attributes:
        columns: SQL expressions over the records, by the name that the comparisons use.
        comparisons: What is compared.
        blocking: Rules that generate the pairs to predict.
        deterministic: Rules taken to be nearly always right, for the prior.
        training: Rules within which m is estimated.
        recall: What share of the true pairs the deterministic rules are taken to find.
        sampled: Pairs that u is estimated on.
        without_frequencies: Whether m is estimated without term frequencies.
        threshold: The least probability of a link.
        lists: The column that names the list of a record, where each list is linked with others and never with itself.
    """

    columns: dict[str, str]
    comparisons: Sequence[Any]
    blocking: Sequence[Any]
    deterministic: Sequence[Any]
    training: Sequence[Any]
    recall: float = 0.7
    sampled: float = 1e6
    without_frequencies: bool = False
    threshold: float = 0.95
    lists: str | None = None


def clusters(con: duckdb.DuckDBPyConnection, records: str, chosen: Settings) -> dict[str, str]:
    """Record id to cluster, of the records in a table, view or parenthesised query with a column `record_id`."""
    tables = register(con, records, chosen)
    database = DuckDBAPI(connection=con)
    linker = trained(database, tables, chosen)
    predicted = linker.inference.predict(threshold_match_probability=PREDICTED)
    clustered = linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, chosen.threshold)
    return dict(con.execute(f"SELECT unique_id, cluster_id FROM {clustered.physical_name}").fetchall())


def register(con: duckdb.DuckDBPyConnection, records: str, chosen: Settings) -> list[str]:
    """Make the tables that Splink is given: one, or one a list."""
    columns = ", ".join(f"nullif({expression}, '') AS {name}" for name, expression in chosen.columns.items())
    con.execute(f"CREATE OR REPLACE TABLE plain AS SELECT record_id AS unique_id, {columns} FROM {records} ORDER BY 1")
    if chosen.lists is None:
        return ["plain"]
    tables = []
    for place, (name,) in enumerate(
        con.execute(f"SELECT DISTINCT {chosen.lists} FROM {records} ORDER BY 1").fetchall()
    ):
        tables.append(f"plain_{place}")
        con.execute(
            f"CREATE OR REPLACE TABLE plain_{place} AS FROM plain "
            f"SEMI JOIN (SELECT record_id AS unique_id FROM {records} WHERE {chosen.lists} = $name) USING (unique_id)",
            {"name": name},
        )
    return tables


def trained(database: DuckDBAPI, tables: Sequence[str], chosen: Settings) -> Linker:
    """A linker with its model trained."""
    linker = Linker(
        [database.register(table, dataset_display_name=table) for table in tables],
        SettingsCreator(
            link_type="dedupe_only" if chosen.lists is None else "link_only",
            comparisons=list(chosen.comparisons),
            blocking_rules_to_generate_predictions=list(chosen.blocking),
        ),
        log_level="ERROR",
    )
    linker.training.estimate_probability_two_random_records_match(list(chosen.deterministic), recall=chosen.recall)
    linker.training.estimate_u_using_random_sampling(max_pairs=chosen.sampled, seed=_SEED)
    for rule in chosen.training:
        with suppress(EMTrainingException):  # no two records that share it: what it would teach keeps its default
            linker.training.estimate_parameters_using_expectation_maximisation(
                rule, estimate_without_term_frequencies=chosen.without_frequencies
            )
    return linker
