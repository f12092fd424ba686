"""Why two records are one entity, or are not, and why an entity is what it is: in figures and in words.

What was compared stands in the graph's `link`, the rules' own words in `rule`, and how sure a link had to be in
`threshold`. Nothing here scores anything: a weight that is told is the one that decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from orchestration.graph.reader import EntityGraph

Row = Mapping[str, Any]
STATUSES: Final = {
    "accepted": "They were taken for one",
    "possible": "They may be one, and a person could say",
    "ambiguous": "They may be one, but another candidate is as good",
    "vetoed": "They may not be one",
}
"""What a link's status means."""
_OWN_WORDS: Final = {
    "alias": "The source merged them itself.",
    "judgement": "A person said so.",
    "better_candidate": "Another candidate in the same system fits better.",
}
"""Reasons that no declared rule has."""
_STRENGTH: Final = {"alias": 0, "judgement": 1}
"""Which links hold before strong keys, whose place is 2, and the model, whose place is 3."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one comparison added to the match weight, in bits; `weak` where a stranger's word made it."""

    name: str
    level: str
    weight: float | None
    weak: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One compared pair: what was found, what it weighs in bits, and what decided.

    Attributes:
        record_a: A record.
        record_b: Another.
        status: accepted | possible | ambiguous | vetoed.
        rule: The strong key or veto that decided; None where the weight did.
        reason: What decided, in a sentence.
        prior: The weight that the two began with.
        comparisons: What each comparison added, the heaviest first.
        match_weight: The sum; None where they were never scored.
        match_probability: The same as a match probability.
        accept: From which weight on a link joins; None where the graph does not say.
        review: From which weight on it is in doubt.
    """

    record_a: str
    record_b: str
    status: str
    rule: str | None
    reason: str
    prior: float | None
    comparisons: tuple[Part, ...]
    match_weight: float | None
    match_probability: float | None
    accept: float | None
    review: float | None


def explained(graph: EntityGraph, entity_type: str, links: Iterable[Row]) -> list[Step]:
    """Links of one record type, each explained."""
    words, thresholds = _OWN_WORDS | graph.rules(entity_type), graph.thresholds(entity_type) or {}
    return [_step(link, words, thresholds) for link in links]


def spanning(records: Iterable[str], links: Iterable[Row]) -> Sequence[Row]:
    """The fewest links that hold records together, the strongest that do: merges, strong keys, then by weight."""
    group = {record: record for record in records}

    def root(record: str) -> str:
        while group[record] != record:
            record = group[record]
        return record

    chosen: list[Row] = []
    for link in sorted(links, key=_order):
        one, other = root(link["record_a"]), root(link["record_b"])
        if one != other:
            group[max(one, other)] = min(one, other)
            chosen.append(link)
    return chosen


def holding(graph: EntityGraph, entity_id: str) -> Sequence[Row]:
    """Every accepted link and merge of a source's own between records of an entity."""
    sql = """
        WITH own AS (SELECT record_id FROM crosswalk WHERE entity_id = $id)
        SELECT record_a, record_b, status, tier, match_weight, match_probability, veto, comparisons FROM link
        WHERE status = 'accepted' AND record_a IN (FROM own) AND record_b IN (FROM own)
        UNION ALL
        SELECT least(record_id, merged_into), greatest(record_id, merged_into), 'accepted', 'alias',
            NULL, NULL, NULL, NULL
        FROM alias WHERE record_id IN (FROM own) AND merged_into IN (FROM own)
    """
    return graph.parsed(sql, {"id": entity_id})


def nearest(graph: EntityGraph, entity_id: str, limit: int) -> Sequence[Row]:
    """The best link with each other entity that came near: rows of `link` with the other's `entity_id` and `name`.

    Entities whose link was accepted and did not hold come first, then by match weight.
    """
    sql = """
        WITH own AS (SELECT record_id FROM crosswalk WHERE entity_id = $id),
        near AS (
            SELECT link.*, other.entity_id FROM link JOIN crosswalk AS other ON other.record_id = record_b
            WHERE record_a IN (FROM own) AND other.entity_id <> $id
            UNION ALL
            SELECT link.*, other.entity_id FROM link JOIN crosswalk AS other ON other.record_id = record_a
            WHERE record_b IN (FROM own) AND other.entity_id <> $id
        )
        SELECT near.*, entity.name FROM near JOIN entity USING (entity_id)
        QUALIFY row_number() OVER (PARTITION BY entity_id ORDER BY status = 'accepted' DESC,
            match_weight DESC NULLS LAST, record_a, record_b) = 1
        ORDER BY status = 'accepted' DESC, match_weight DESC NULLS LAST, entity_id
        LIMIT $most
    """
    return graph.parsed(sql, {"id": entity_id, "most": limit})


def between(graph: EntityGraph, one: str, other: str) -> Row | None:
    """The best link between records of two entities; none where none of theirs came near each other."""
    return next((row for row in nearest(graph, one, 1000) if row["entity_id"] == other), None)


def _order(link: Row) -> tuple[int, float, str, str]:
    place = _STRENGTH.get(link["tier"] or "", 2 if link["tier"] else 3)
    return place, -(link["match_weight"] or 0.0), link["record_a"], link["record_b"]


def _step(link: Row, words: Mapping[str, str], thresholds: Row) -> Step:
    parts = _parts(link["comparisons"] if isinstance(link["comparisons"], dict) else {})
    total = link["match_weight"]
    weighed = [part.weight for part in parts if part.weight is not None]
    rule = link["veto"] or link["tier"]
    accept, review = thresholds.get("accept"), thresholds.get("review")
    return Step(
        record_a=link["record_a"],
        record_b=link["record_b"],
        status=link["status"],
        rule=rule,
        reason=words.get(rule, f"The rule `{rule}` says so.") if rule else _by_weight(link["status"], total, parts),
        prior=None if total is None or not weighed else round(total - sum(weighed), 2),
        comparisons=parts,
        match_weight=total,
        match_probability=link["match_probability"],
        accept=accept,
        review=review,
    )


def _by_weight(status: str, total: float | None, parts: Sequence[Part]) -> str:
    if status == "accepted":
        return "Their weight reaches what a link takes."
    if status == "ambiguous":
        return "Their weight is that of another candidate too, so that none is taken."
    if any(part.weak for part in parts):
        return "What nobody accountable states cannot accept a link alone."
    return "" if total is None else "Their weight, or what agrees, is too little to be sure."


def _parts(stated: Mapping[str, Any]) -> tuple[Part, ...]:
    parts = [_part(name, level) for name, level in stated.items() if level is not None]
    return tuple(sorted(parts, key=lambda part: (-(part.weight or 0.0), part.name)))


def _part(name: str, level: Any) -> Part:  # noqa: ANN401  a level, or one with its weight
    if not isinstance(level, dict):
        return Part(name, str(level), None)
    return Part(name, str(level.get("level")), level.get("weight"), bool(level.get("weak")))
