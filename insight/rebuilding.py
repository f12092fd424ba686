"""How far what was made from the start is from what went on from one change to the next.

Links and entities made anew rest on counts made anew, so that some of them may differ; how far the counts themselves
moved is told beside it. With the same counts nothing differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb

from insight import layers
from insight.entities.build import EntitySet
from insight.linkage.link import LinkSet
from insight.linkage.statistics import drift
from insight.records.record_set import RecordSet

Numbers = Mapping[str, float]


def records_apart(before: RecordSet, made: RecordSet) -> Numbers:
    """How many records are in only one of the two, or otherwise: each time, what changed in a source went unseen."""
    return {"differing_records": _differing(before.record, made.record, "*")}


def links_apart(before: LinkSet, made: LinkSet) -> Numbers:
    """How many links have another status or are in only one of the two, and how far the frozen counts moved."""
    told: dict[str, float] = {
        "differing_links": _differing(before.table("link"), made.table("link"), "record_a, record_b, status")
    }
    if before.statistics.exists() and before.statistics != made.statistics:
        moved = drift(before.statistics, made.statistics)
        told |= {
            "drift_records": moved.records,
            "drift_prior_bits": moved.prior,
            "drift_accept_bits": moved.accept,
            "drift_review_bits": moved.review,
            "drift_rarity_bits": max(moved.terms.values(), default=0.0),
        }
    return told


def entities_apart(before: EntitySet, made: EntitySet) -> Numbers:
    """How many records are of another entity."""
    return {
        "differing_crosswalk": _differing(before.table("crosswalk"), made.table("crosswalk"), "record_id, entity_id")
    }


def _differing(before: Path, made: Path, columns: str) -> int:
    """How many rows of some columns only one of two tables has."""
    was, now = (f"(SELECT {columns} FROM {layers.rows(path)})" for path in (before, made))
    with duckdb.connect() as con:
        query = f"SELECT count(*) FROM ((FROM {was} EXCEPT FROM {now}) UNION ALL (FROM {now} EXCEPT FROM {was}))"
        return int(con.execute(query).fetchall()[0][0])
