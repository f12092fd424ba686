"""`precede tune`: a model trained and calibrated on the user's own records, and what of it is new."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from insight.judgements import JUDGEMENTS
from insight.layers import rows
from insight.linkage.model import Model, keep_model, load_model, save_model
from insight.linkage.train import train
from insight.linkage.tuning.patterns import bits, graded
from insight.linkage.tuning.records import elsewhere, read_judgements, read_records, resolve
from orchestration.settings import Settings


@dataclass(frozen=True, slots=True)
class Change:
    """One level of a comparison whose weight is another now, in bits."""

    comparison: str
    level: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Tuned:
    """A candidate and what it is compared with.

    Attributes:
        before: The model that was current.
        after: The candidate.
        path: Where it is kept.
        current: Whether it is the current one now.
        changes: Levels whose weight moved by half a bit or more, the furthest first.
    """

    before: Model
    after: Model
    path: Path
    current: bool
    changes: list[Change]


def tune(
    settings: Settings, types: tuple[str, ...], *, promote: bool, tell: Callable[[str], None] = lambda _: None
) -> list[Tuned]:
    """Train and calibrate a candidate for each record type, and keep it.

    Args:
        settings: The home and the sources.
        types: Record types to tune. Those of which there are no records are left out.
        promote: Whether to make the candidates the current models.
        tell: Is told what is being done.

    Raises:
        SourceError: A source cannot be read.
    """
    tell("Reading the records")
    records = read_records(settings)
    said = read_judgements(settings)
    found: list[Tuned] = []
    models = {name: load_model(name, settings) for name in ("organisation", "person")}
    with elsewhere(settings) as scratch:
        for name in ("organisation", "person"):
            if name not in types or not _count(records.shapes[name].record):
                continue
            employer = None
            if name == "person":
                tell("Linking organisations, which people work for")
                resolved = resolve(records, models, scratch, said, types=("organisation",))
                employer = resolved.entities["organisation"].table("crosswalk")
            tell(f"Training on {_count(records.shapes[name].record):,} records of type {name}")
            judged = said.table(JUDGEMENTS) if said is not None else None
            candidate = train(records.shapes[name], records.aliases, employer, judgements=judged)
            path = (save_model if promote else keep_model)(candidate, settings)
            found.append(Tuned(models[name], candidate, path, promote, changes(models[name], candidate)))
            models[name] = candidate
    return found


def changes(before: Model, after: Model) -> list[Change]:
    """The levels whose weight moved by half a bit or more between two models of a type, the furthest first."""
    moved = [
        Change(one["comparison_description"], level["label_for_charts"], float(was), float(now))
        for one, other in zip(before.splink["comparisons"], after.splink["comparisons"], strict=True)
        for level, was, now in zip(graded(other), bits(one)[::-1], bits(other)[::-1], strict=True)
    ]
    return sorted((one for one in moved if abs(one.after - one.before) >= 0.5), key=_how_far)  # noqa: PLR2004  half a bit


def _how_far(change: Change) -> float:
    return -abs(change.after - change.before)


def _count(path: Path) -> int:
    with duckdb.connect() as con:
        return int(con.execute(f"SELECT count(*) FROM {rows(path)}").fetchall()[0][0])
