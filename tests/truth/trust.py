"""What matters to whoever acts on entities: how many with standing are wrong, and how much of the truth is usable."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from tests.truth.interval import Share


@dataclass(frozen=True)
class Trust:
    """How far entities with standing agree with the truth.

    Attributes:
        wrong_merges: Of the entities with standing that hold several records that the truth knows, those that hold
            records of more than one true entity.
        covered: Of the true entities of several records, those that come out whole, with nothing else, with standing.
    """

    wrong_merges: Share
    covered: Share

    def as_dict(self) -> dict[str, dict[str, float]]:
        """Every figure by its name."""
        return {"wrong_merge": self.wrong_merges.as_dict(), "coverage": self.covered.as_dict()}


def trust(truth: Mapping[str, str], clusters: Mapping[str, str], trusted: AbstractSet[str]) -> Trust:
    """Compare entities with the truth.

    Args:
        truth: Record to its true entity.
        clusters: Record to its entity. Records that the truth does not know are ignored.
        trusted: The entities that have standing.
    """
    held = _members(truth, clusters)
    true = _members(truth, truth)
    judged = [records for entity, records in held.items() if entity in trusted and len(records) > 1]
    wrong = sum(len({truth[record] for record in records}) > 1 for records in judged)
    several = [records for records in true.values() if len(records) > 1]
    whole = sum(_is_whole(records, held, clusters, trusted) for records in several)
    return Trust(Share(wrong, len(judged)), Share(whole, len(several)))


def _members(records: Collection[str], groups: Mapping[str, str]) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for record in records:
        if record in groups:
            found[groups[record]].append(record)
    return found


def _is_whole(
    records: list[str], held: Mapping[str, list[str]], clusters: Mapping[str, str], trusted: AbstractSet[str]
) -> bool:
    entities = {clusters.get(record) for record in records}
    entity = entities.pop()
    return not entities and entity is not None and entity in trusted and len(held[entity]) == len(records)
