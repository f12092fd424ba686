"""What a graph says of how its records were linked: rules, thresholds, versions, and what became of each judgement."""

from __future__ import annotations

import math
from collections.abc import Mapping

import duckdb

from insight import layers
from insight.entities.build import EntitySet
from insight.judgements import JUDGEMENTS, SETTLEMENTS, JudgementSet
from insight.linkage.link import LinkSet
from insight.linkage.model import LINKAGES
from insight.linkage.statistics import numbers

_JUDGED = """
    WITH given AS (
        SELECT judgement_id, entity_type, record_a, record_b, NULL AS field, verdict AS said FROM {judgements}
        UNION ALL
        SELECT judgement_id, entity_type, record_id, NULL, field, value FROM {settlements}
    )
    SELECT judgement_id, given.entity_type, record_a, record_b, field, said, coalesce(state, 'unplaced'), detail
    FROM given LEFT JOIN ({states}) AS became USING (judgement_id) ORDER BY judgement_id
"""


def versions(links: Mapping[str, LinkSet]) -> dict[str, str]:
    """Record type to the model that its links were made with, and beside it to the counts that were frozen for it."""
    models = {name: one.model_id for name, one in links.items()}
    return models | {f"{name} statistics": one.statistics.name for name, one in links.items()}


def rules() -> list[tuple[str, str, str, str]]:
    """The declared rules, as rows of the graph's `rule`."""
    return [
        (name, kind, rule.name, rule.reason)
        for name, linkage in LINKAGES.items()
        for kind, declared in (("tier", linkage.tiers), ("veto", linkage.vetoes))
        for rule in declared
    ]


def thresholds(links: Mapping[str, LinkSet]) -> list[tuple[str, float, float, float, float]]:
    """How sure links had to be, as rows of the graph's `threshold`."""
    frozen = {name: numbers(one.statistics) for name, one in links.items()}
    return [
        (
            name,
            math.log2(one.prior / (1 - one.prior)),
            one.thresholds.accept,
            one.thresholds.review,
            one.thresholds.margin,
        )
        for name, one in frozen.items()
    ]


def judged(given: JudgementSet, entities: Mapping[str, EntitySet]) -> list[tuple[str | None, ...]]:
    """What people judged and what became of it, as rows of the graph's `judgement`."""
    states = " UNION ALL ".join(
        f"SELECT judgement_id, state, detail FROM {layers.rows(one.table('judgement_state'))}"
        for one in entities.values()
    )
    query = _JUDGED.format(
        judgements=layers.rows(given.table(JUDGEMENTS)),
        settlements=layers.rows(given.table(SETTLEMENTS)),
        states=states,
    )
    with duckdb.connect() as con:
        return con.execute(query).fetchall()
