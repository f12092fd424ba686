"""The graph that perfect linkage would give: the same records, with the truth in place of links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import duckdb

from insight.assets import ALIAS, REJECTED, landed_of, stated_shapes
from insight.entities import build as entity_stage
from insight.entities.relationships import relationships
from insight.handed import handed_one
from insight.linkage.link import LinkSet
from insight.records.record_set import AliasSet, RecordSet, RejectedSet
from insight.sources.loading import load_sources
from orchestration.graph.inputs import CandidateInputs
from orchestration.graph.model import RECORD_TYPES
from orchestration.graph.publish import build_candidate
from orchestration.settings import Settings
from orchestration.sql import literal

_TRUE_LINK: Final = """
    SELECT
        $type AS entity_type, record_a, record_b, 100.0 AS match_weight, 1.0 AS match_probability, 'truth' AS tier,
        NULL AS veto, 'accepted' AS status, '{}' AS comparisons
    FROM joined
"""
_TRUE_FOOTING: Final = "SELECT record_a, record_b, 1 AS strength, true AS firm FROM joined"
_JOINED: Final = """
    CREATE TABLE joined AS
    WITH member AS (
        SELECT crosswalk.record_id, truth.entity
        FROM graph.crosswalk AS crosswalk JOIN truth ON truth.record = split_part(crosswalk.record_id, '#', 1)
        WHERE crosswalk.entity_type = $type
    )
    SELECT first AS record_a, record_id AS record_b
    FROM (SELECT *, min(record_id) OVER (PARTITION BY entity) AS first FROM member)
    WHERE first <> record_id
"""


def true_graph(settings: Settings, truths: Mapping[str, Mapping[str, str]], folder: Path) -> Path:
    """Build the graph of the truth from what a home's last run handed on.

    Args:
        settings: The home whose graph was published.
        truths: Record type to source row to true entity.
        folder: Where to keep it.

    Returns:
        Its file. Entities have the ids of the published graph's that they overlap most, so that nothing that goes by
        ids differs for no reason.
    """
    sources = load_sources(settings.sources)
    aside = replace(settings, home=folder)
    shapes = {shape.name: handed_one(settings, ["records", shape.name], RecordSet) for shape in stated_shapes(sources)}
    aliases = handed_one(settings, ALIAS, AliasSet)
    links, entities = {}, {}
    for name in RECORD_TYPES:
        links[name] = _true_links(handed_one(settings, ["links", name], LinkSet), settings, truths[name], folder)
        entities[name] = entity_stage.build(shapes[name], aliases, links[name], settings.graph_link, aside)
    held = relationships(entities["organisation"], entities["person"], shapes["organisation"], shapes["person"], aside)
    built = build_candidate(
        CandidateInputs(
            landed=landed_of(sources, settings),
            records={name: one.path for name, one in shapes.items()},
            entities={name: one.path for name, one in entities.items()},
            links={name: one.path for name, one in links.items()},
            aliases=aliases.path,
            relationships=held.path.parent,
            rejected=handed_one(settings, REJECTED, RejectedSet).path,
            run_id="truth",
            code_version="truth",
        ),
        aside,
    )
    return built.path


def _true_links(found: LinkSet, settings: Settings, truth: Mapping[str, str], folder: Path) -> LinkSet:
    """The links of a type with the truth's in their place: each record of an entity to its first."""
    path = folder / "stages" / "links" / found.record_type / "truth"
    path.mkdir(parents=True)
    typed = {"type": found.record_type}
    with duckdb.connect() as con:
        con.execute(f"ATTACH {literal(settings.graph_link)} AS graph (READ_ONLY)")
        con.execute("CREATE TABLE truth AS SELECT unnest($record) AS record, unnest($entity) AS entity",
                    {"record": list(truth), "entity": list(truth.values())})  # fmt: skip
        con.execute(_JOINED, typed)
        for table, query, bound in (("link", _TRUE_LINK, typed), ("footing", _TRUE_FOOTING, {})):
            con.execute(f"CREATE TABLE {table} AS FROM read_parquet({literal(found.table(table))}) LIMIT 0")
            con.execute(f"INSERT INTO {table} BY NAME {query}", bound)
            con.table(table).write_parquet(str(path / f"{table}.parquet"))
    return replace(found, version=f"truth-{found.version}", path=path)
