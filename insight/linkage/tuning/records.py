"""The records to tune on, and what a model makes of them in a home that is thrown away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from insight import judgements
from insight.entities import build as entity_stage
from insight.entities.build import EntitySet
from insight.entities.survivorship import Priority
from insight.judgements import JudgementSet
from insight.landing import land
from insight.linkage import link as link_stage
from insight.linkage.link import LinkSet
from insight.linkage.model import Model
from insight.records import every
from insight.records.every import Records
from insight.sources.loading import load_sources
from orchestration.errors import StoreError
from orchestration.graph.model import RECORD_TYPES
from orchestration.settings import Settings
from orchestration.store.engine import open_store


@dataclass(frozen=True, slots=True)
class Resolved:
    """Links and entities by record type."""

    links: Mapping[str, LinkSet]
    entities: Mapping[str, EntitySet]


@dataclass(frozen=True, slots=True)
class Read(Records):
    """The records, and what the sources declare about resolving them.

    Attributes:
        rarely_twice: Of each record type, the systems that rarely hold one entity twice.
        priority: Of each record type, which systems are believed first, by field.
    """

    rarely_twice: Mapping[str, frozenset[str]]
    priority: Mapping[str, Priority]


def read_records(settings: Settings) -> Read:
    """The records of the sources as they are now; what did not change since it was last read is not made again.

    Raises:
        SourceError: A source cannot be read.
    """
    sources = load_sources(settings.sources)
    landed = [table for source in sources for table in land(source, settings)]
    made = every.build(sources, landed, settings)
    declared = {source.system: source for source in sources}
    systems = {table.system: declared[table.source] for table in landed}
    rarely = {
        name: frozenset(system for system, source in systems.items() if name in source.rarely_twice)
        for name in RECORD_TYPES
    }
    priority = {
        name: {system: order for system, source in systems.items() if (order := source.survivorship.get(name))}
        for name in RECORD_TYPES
    }
    return Read(made.shapes, made.aliases, made.rejected, rarely, priority)


def read_judgements(settings: Settings) -> JudgementSet | None:
    """What people judged; None where there is no store yet."""
    try:
        store = open_store(settings, create=False)
    except StoreError:
        return None
    try:
        return judgements.build(store, settings)
    finally:
        store.close()


@contextmanager
def elsewhere(settings: Settings) -> Iterator[Settings]:
    """Settings whose stages are in a folder that is thrown away."""
    with TemporaryDirectory(prefix="precede-tune-") as folder:
        yield replace(settings, home=Path(folder))


def resolve(  # noqa: PLR0913, PLR0917  one argument for each thing the result depends on
    records: Read,
    models: Mapping[str, Model],
    settings: Settings,
    said: JudgementSet | None,
    previous: Path | None = None,
    types: tuple[str, ...] = tuple(RECORD_TYPES),
) -> Resolved:
    """What models make of records.

    Args:
        records: The records.
        models: A model of each record type.
        settings: Where to keep stages.
        said: What people judged.
        previous: The graph whose ids live on.
        types: How far to go: people need organisations.
    """
    links: dict[str, LinkSet] = {}
    entities: dict[str, EntitySet] = {}
    pairs = said.table(judgements.JUDGEMENTS) if said is not None else None
    values = said.table(judgements.SETTLEMENTS) if said is not None else None
    for name in types:
        employer = entities["organisation"].table("crosswalk") if name == "person" else None
        shape = records.shapes[name]
        links[name] = link_stage.build(shape, records.aliases, models[name], settings, employer, judgements=pairs)
        entities[name] = entity_stage.build(
            shape,
            records.aliases,
            links[name],
            previous,
            settings,
            judgements=pairs,
            settlements=values,
            rarely_twice=records.rarely_twice[name],
            priority=records.priority[name],
        )
    return Resolved(links, entities)
