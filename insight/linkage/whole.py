"""Links of all records of a type at once."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import duckdb

from insight.layers import rows
from insight.linkage.blocking import make_keys, make_largest, make_pairs, make_tier_pairs
from insight.linkage.calibrate import calibrate
from insight.linkage.features import add_commons, make_features, read_columns
from insight.linkage.model import Model
from insight.linkage.read import load_aliases, load_records
from insight.linkage.score import carried_prior, score, terms
from insight.linkage.sketch import Sketch, make_sketch
from insight.linkage.spark import score_on_spark
from insight.linkage.statistics import Numbers, count_terms, thaw
from insight.linkage.verdict import decide, give_verdicts, part, write_links
from insight.linkage.words import begin_listing

MANY: Final = 100_000
"""Pairs from which on it is quicker to ask sketches first than to compare every pair, and records that take a while."""


def link(  # noqa: PLR0913, PLR0917  one argument for each thing that links depend on
    con: duckdb.DuckDBPyConnection,
    records: Path,
    aliases: Path | None,
    model: Model,
    employer: Path | None = None,
    judgements: Path | None = None,
    statistics: Path | None = None,
    spark: str | None = None,
) -> Numbers:
    """Makes `link`, `footing`, `decided`, `apart` and `key` in a connection of its own, and returns what was counted.

    Args:
        con: The connection.
        records: The conformed records of the type that the model is for.
        aliases: The merges that sources made themselves.
        model: The trained model.
        employer: The organisations' `crosswalk.parquet`, for people.
        judgements: What people said of pairs.
        statistics: A folder of frozen counts; without one the records are counted.
        spark: The address of the Spark that compares the pairs; none does without one.
    """
    record_type, linkage = model.record_type, model.linkage
    frozen = None if statistics is None else thaw(con, record_type, statistics)
    load_records(con, record_type, records, columns=read_columns(record_type))
    if frozen is None and record_type == "organisation" and _count(con, "record") >= MANY:
        begin_listing()  # their people are linked next
    load_aliases(con, record_type, aliases)
    names = make_features(con, record_type, employer, frozen)
    stated = count_terms(con, terms(model), model.copies) if frozen is None else dict(frozen.stated)
    add_commons(con, stated)
    load_judgements(con, record_type, judgements)
    make_largest(con, linkage)
    make_keys(con, linkage)
    make_pairs(con, linkage)
    make_tier_pairs(con, linkage)
    sketch = make_sketch(con, model, stated) if _count(con, "pair") >= MANY else None
    numbers = frozen or _counted(con, model, names, stated, sketch)
    if spark is None:
        score(con, model, numbers, sketch=sketch)
    else:
        score_on_spark(con, model, numbers, spark)
    give_verdicts(con, linkage, numbers.thresholds)
    decide(con, numbers.thresholds.margin)
    accepted = "SELECT record_a, record_b FROM decided WHERE status = 'accepted'"
    part(con, linkage, accepted, compared="pairing")
    write_links(con, linkage)
    return numbers


def load_judgements(con: duckdb.DuckDBPyConnection, record_type: str, path: Path | None) -> None:
    """Makes `judged(a, b, verdict)`: by position, pairs of records that a person said are the `same` or `different`."""
    con.execute("CREATE OR REPLACE TABLE judged (a INTEGER, b INTEGER, verdict VARCHAR)")
    if path is not None:
        con.execute(
            f"""
            INSERT INTO judged
            SELECT one.position, other.position, verdict
            FROM ({judgements(path)})
            JOIN firm_id AS one ON one.record_id = record_a
            JOIN firm_id AS other ON other.record_id = record_b
            """,
            {"record_type": record_type},
        )


def judgements(path: Path) -> str:
    """A query for the judged pairs of a type in the table at `path`; the type is bound as `record_type`."""
    return f"""
        SELECT least(record_a, record_b) AS record_a, greatest(record_a, record_b) AS record_b, verdict
        FROM {rows(path)}
        WHERE entity_type = $record_type AND verdict IN ('same', 'different') AND record_a <> record_b
    """


def _counted(
    con: duckdb.DuckDBPyConnection, model: Model, names: int, stated: dict[str, int], sketch: Sketch | None
) -> Numbers:
    records, strong = _count(con, "record"), _count(con, "tier_pair")
    prior = carried_prior(model, max(records, 1), strong)
    return Numbers(records, names, strong, prior, calibrate(con, model, sketch), stated)


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])
