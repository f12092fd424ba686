"""Records become links: candidates, scores, strong keys, vetoes, verdicts. One function, `build`.

The steps are modules of their own, each over tables in one DuckDB: `read`, `features`, `blocking`, `score`, `verdict`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from insight.linkage.blocking import make_pairs, make_tier_pairs
from insight.linkage.features import make_features
from insight.linkage.model import LINKAGES, Model
from insight.linkage.read import load_aliases, load_records, open_memory
from insight.linkage.score import score
from insight.linkage.verdict import give_verdicts
from insight.records.record_set import AliasSet, RecordSet
from insight.stage import code_version, version_of, writing
from orchestration.settings import Settings

TABLES: Final = ("link", "footing")


@dataclass(frozen=True, slots=True)
class LinkSet:
    """The links of one record type: a folder with `link.parquet` (the graph's columns) and `footing.parquet`."""

    record_type: str
    version: str
    path: Path
    model_id: str
    margin: float
    """How far apart two candidates' weights are that are no longer equally good."""
    accept: float
    """The match weight from which on a pair is accepted."""

    def table(self, name: str) -> Path:
        """The Parquet file of a table."""
        return self.path / f"{name}.parquet"


def build(
    records: RecordSet,
    aliases: AliasSet,
    model: Model,
    settings: Settings,
    employer: Path | None = None,
) -> LinkSet:
    """The links between the records of a type. Where the same was linked before, nothing is done.

    Args:
        records: The conformed records.
        aliases: The merges that sources made themselves.
        model: The trained model of the record type.
        settings: Where stages are kept.
        employer: The organisations' `crosswalk.parquet`, for people; it stands in a folder named by its content.
    """
    record_type = records.shape
    inputs = (records.version, aliases.version, employer.parent.name if employer is not None else "")
    version = version_of(*inputs, model.model_id, code_version(Path(__file__).parent))
    folder = settings.stages / "links" / record_type / version
    links = LinkSet(record_type, version, folder, model.model_id, model.thresholds.margin, model.thresholds.accept)
    if links.path.exists():
        return links
    with open_memory() as con:
        link(con, records.record, aliases.alias, model, employer)
        with writing(links.path) as draft:
            for table in TABLES:
                found = con.sql(f"FROM {table} ORDER BY record_a, record_b")
                found.write_parquet(str(draft / f"{table}.parquet"), compression="zstd")
    return links


def link(
    con: duckdb.DuckDBPyConnection, records: Path, aliases: Path | None, model: Model, employer: Path | None = None
) -> None:
    """Makes `link` and `footing` in a connection of its own, of the record type that the model is for."""
    linkage = LINKAGES[model.record_type]
    load_records(con, model.record_type, records)
    load_aliases(con, model.record_type, aliases)
    make_features(con, model.record_type, employer)
    make_pairs(con, linkage.blocks)
    make_tier_pairs(con, linkage.tiers)
    score(con, model)
    give_verdicts(con, model)
