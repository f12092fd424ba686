"""What the page of a materialisation shows: counts, a masked sample, a small picture, in plain values.

Here stands what is said; `assets.py` hands it to Dagster. Everybody who may open Dagster sees it, so that no value of a
person's stands here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from insight.landing import LandedTable
from insight.pictures import bars, histogram, shares
from insight.samples import markdown_table, masked_sample
from insight.scratch import scratch
from orchestration.graph.reader import EntityGraph
from orchestration.layers import rows

_WIDTH_OF_BIN: Final = 4.0
_STANDING: Final = "SELECT count(*) FILTER (standing = 'reconciled'), count(*) FROM {rows}"


@dataclass(frozen=True, slots=True)
class Page:
    """What is shown of a materialisation.

    Attributes:
        summary: What came of it, in a few words.
        rows: Rows of the table that it is.
        numbers: Name to a figure; figures plot over time.
        texts: Name to Markdown.
    """

    summary: str
    rows: int
    numbers: dict[str, int | float] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)


def landed_page(landed: Sequence[LandedTable]) -> Page:
    """Of one table of a source as it was read."""
    read = sum(one.row_count for one in landed)
    deleted, rejected = sum(one.deleted_count for one in landed), sum(one.rejected_count for one in landed)
    left_out = sum(one.suppressed_count for one in landed)
    systems = {one.system: one.row_count for one in landed}
    notes = [f"{read:,} rows"]
    notes += [f"{deleted:,} deleted in the source"] if deleted else []
    notes += [f"{rejected:,} without a key of their own"] if rejected else []
    notes += [f"{left_out:,} suppressed"] if left_out else []
    texts = {"sample": masked_sample([one.path for one in landed])}
    if len(systems) > 1:
        texts["systems"] = bars("Rows by system", systems)
    return Page(", ".join(notes), read, {"deleted": deleted, "rejected": rejected, "suppressed": left_out}, texts)


def records_page(record: Path, quarantine: Path) -> Page:
    """Of one record type or fact."""
    by_system = dict(_rows("SELECT system, count(*) FROM {rows} GROUP BY 1 ORDER BY 1", record))
    reasons = _rows("SELECT reason, count(*) FROM {rows} GROUP BY 1 ORDER BY 2 DESC, 1", quarantine)
    made, refused = sum(by_system.values()), sum(number for _, number in reasons)
    summary = f"{made:,} records" + (f", {refused:,} in quarantine" if refused else "")
    texts = {"sample": masked_sample([record]), "by_system": bars("Records by system", by_system)}
    if reasons:
        texts["quarantine"] = _listed(("reason", "records"), reasons)
    share = refused / (made + refused) if made + refused else 0.0
    return Page(summary, made, {"quarantined": refused, "quarantine_share": share}, texts)


def links_page(link: Path) -> Page:
    """Of the links of one record type."""
    status = dict(_rows("SELECT status, count(*) FROM {rows} GROUP BY 1 ORDER BY 2 DESC", link))
    tiers = dict(
        _rows(
            "SELECT coalesce('strong key ' || tier, 'model'), count(*) FROM {rows} WHERE status = 'accepted' "
            "GROUP BY 1 ORDER BY 2 DESC",
            link,
        )
    )
    weights = _rows(
        f"SELECT floor(match_weight / {_WIDTH_OF_BIN}) * {_WIDTH_OF_BIN} AS bin, count(*) FROM {{rows}} "
        "WHERE match_weight IS NOT NULL GROUP BY 1 ORDER BY 1",
        link,
    )
    accepted = status.get("accepted", 0)
    summary = f"{accepted:,} accepted, {sum(status.values()) - accepted:,} possible, ambiguous or vetoed"
    texts = {
        "match_weights": histogram("Pairs by match weight", weights),
        "made_by": bars("Accepted links by what made them", tiers),
    }
    return Page(summary, sum(status.values()), status, texts)


def entities_page(entity: Path, conflict: Path, review_pair: Path) -> Page:
    """Of the entities of one record type."""
    [(standing, number)] = _rows(_STANDING, entity)
    reasons = dict(
        _rows(
            "SELECT reason, count(*) "
            "FROM (SELECT unnest(standing_reasons) AS reason FROM {rows}) GROUP BY 1 ORDER BY 2 DESC",
            entity,
        )
    )
    conflicts = dict(_rows("SELECT field, count(*) FROM {rows} GROUP BY 1 ORDER BY 2 DESC", conflict))
    [(doubts,)] = _rows("SELECT count(*) FROM {rows}", review_pair)
    texts = {"standing": shares("Entities that have standing", {"standing": (standing, number)})}
    if reasons:
        texts["why_not"] = bars("Entities without standing by reason", reasons)
    if conflicts:
        texts["conflicts"] = bars("Conflicts by field", conflicts)
    numbers = {
        "standing": standing,
        "standing_share": standing / number if number else 0.0,
        "conflicts": sum(conflicts.values()),
        "review_pairs": doubts,
    }
    return Page(f"{number:,} entities, {standing:,} with standing", number, numbers, texts)


def relationships_page(relationship: Path) -> Page:
    """Of the relationships between entities."""
    kinds = dict(_rows("SELECT kind, count(*) FROM {rows} GROUP BY 1 ORDER BY 1", relationship))
    said = ", ".join(f"{number:,} {kind.replace('_', ' ')}" for kind, number in kinds.items())
    return Page(said or "none", sum(kinds.values()), {}, {"kinds": bars("Relationships by kind", kinds)})


def graph_page(path: Path) -> Page:
    """Of a whole graph."""
    with EntityGraph(path) as graph:
        tables = {
            table: graph.rows(f"SELECT count(*) AS rows FROM {table}")[0]["rows"]
            for table in (
                "source_record",
                "crosswalk",
                "entity",
                "link",
                "review_pair",
                "conflict",
                "quarantine",
                "fact",
            )
        }
        standing = graph.rows(
            "SELECT entity_type, count(*) FILTER (standing = 'reconciled') AS part, count(*) AS whole FROM entity "
            "GROUP BY ALL ORDER BY 1"
        )
    parts = {row["entity_type"]: (row["part"], row["whole"]) for row in standing}
    part, whole = sum(one for one, _ in parts.values()), sum(one for _, one in parts.values())
    texts = {"standing": shares("Entities that have standing", parts), "tables": bars("Rows by table", tables)}
    numbers = {**tables, "standing": part, "standing_share": part / whole if whole else 0.0}
    return Page(f"{whole:,} entities, {part:,} with standing", whole, numbers, texts)


def _rows(query: str, file: Path) -> list[tuple[Any, ...]]:
    """The rows of a query over a table, which it calls `{rows}`."""
    with scratch() as connection:
        return connection.execute(query.format(rows=rows(file))).fetchall()


def _listed(columns: tuple[str, str], found: Iterable[tuple[Any, ...]]) -> str:
    names = list(columns)
    return markdown_table([{names[0]: str(name), names[1]: f"{number:,}"} for name, number in found], names)
