"""Insight's assets: from source tables to the published graph, a thin step around a plain function each.

A step's result is named by its content: where it is there already the step does nothing, and says so. `handed` carries
from one step to the next where the result stands. One job runs all of them (`jobs.py`).
"""

from collections.abc import Iterator, Sequence
from contextlib import closing

import dagster as dg

from insight import columns, pages
from insight import judgements as judgement_stage
from insight.entities import build as entity_stage
from insight.entities.build import EntitySet
from insight.entities.relationships import RelationshipSet, relationships
from insight.handed import hand_on, handed, handed_before, handed_one
from insight.judgements import JUDGEMENTS, SETTLEMENTS, JudgementSet
from insight.landing import LandedTable, land, version_of_table
from insight.linkage import link as link_stage
from insight.linkage.link import LinkSet
from insight.linkage.model import load_model, save_model
from insight.linkage.train import train
from insight.pages import Page
from insight.publication.questions import previous_graph
from insight.rebuilding import entities_apart, links_apart, records_apart
from insight.records import aliases as alias_stage
from insight.records import conform, rejected
from insight.records.record_set import AliasSet, RecordSet, RejectedSet
from insight.records.sandbox import tables_used
from insight.resources import TEAM, WORKBENCH, is_full, materialised, schema, settings_of, stage
from insight.sources.source import Source
from orchestration.erasure.suppression import NOBODY, load
from orchestration.graph.model import RECORD_TYPES, SHAPES, Shape
from orchestration.settings import Settings
from orchestration.store.engine import open_store

Sources = Sequence[Source]
ALIAS, REJECTED = ["records", "alias"], ["records", "rejected"]
RELATIONSHIP = ["entities", "relationship"]
JUDGED = ["judgements"]


def stated_shapes(sources: Sources) -> list[Shape]:
    """The shapes that there is an asset for: record types, and the facts that some source states."""
    return [shape for name, shape in SHAPES.items() if name in RECORD_TYPES or any(name in one.sql for one in sources)]


def landing_of(source: Source) -> dg.AssetsDefinition:
    """The assets `<system>/<table>` of a source: what was read from it."""

    @dg.multi_asset(
        name=f"land_{''.join(letter if letter.isalnum() else '_' for letter in source.system)}",
        specs=[
            dg.AssetSpec(
                [source.system, table],
                group_name="landing",
                kinds={"parquet", source.kind},
                owners=[TEAM],
                description=_described(source, table),
                metadata=schema(columns.landed_columns(source, table)),
            )
            for table in source.tables
        ],
        description=f"Read the tables of {source.system} over a connection that cannot write.",
        required_resource_keys={WORKBENCH},
    )
    def landing(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        settings = settings_of(context)
        last = {table: handed_before(settings, [source.system, table], LandedTable) for table in source.tables}
        with closing(open_store(settings)) as store:
            suppression = load(store, settings)
        before = [one for parts in last.values() for one in parts]
        landed = land(source, settings, before=before, full=is_full(context), suppression=suppression)
        for table in source.tables:
            key, parts = [source.system, table], [one for one in landed if one.table == table]
            hand_on(settings, key, *parts)
            unchanged = [one.data_version for one in last[table]] == [one.data_version for one in parts]
            yield materialised(key, version_of_table(parts), pages.landed_page(parts), unchanged=unchanged)

    return landing


def records_of(shape: Shape, sources: Sources) -> dg.AssetsDefinition:
    """The asset `records/<shape>`: the conformed records of a record type, or the facts of a kind."""
    stated = [source for source in sources if {shape.name, "alias"} & source.sql.keys()]
    known = {one.name for one in stated_shapes(sources)}
    needed = conform.needed_before(shape, sources)
    merged = [] if shape.name == "organisation" else [ALIAS]

    def make(settings: Settings, before: RecordSet | None) -> RecordSet:
        earlier = {
            name: handed_one(settings, ["records", name], RecordSet) if name in known else _no_records(name, settings)
            for name in needed
        }
        aliases = handed_one(settings, ALIAS, AliasSet) if merged else None
        suppression = NOBODY
        if shape.name in RECORD_TYPES:
            with closing(open_store(settings)) as store:
                suppression = load(store, settings)
        landed = landed_of(stated, settings)
        return conform.build(shape, stated, landed, earlier, aliases, settings, before=before, suppression=suppression)

    return stage(
        ["records", shape.name],
        RecordSet,
        make,
        lambda made: pages.records_page(made.record, made.quarantine),
        apart=records_apart,
        deps=[
            *_tables(stated, (shape.name, "alias")),
            *(["records", name] for name in needed if name in known),
            *merged,
        ],
        group="records",
        description=(
            f"What the sources state of {shape.name.replace('_', ' ')}s: typed, normalised, each with the record that "
            "its keys name. What cannot be used is in quarantine with its reason."
        ),
        shown=columns.record_columns(shape),
    )


def aliases_of(sources: Sources) -> dg.AssetsDefinition:
    """The asset `records/alias`: the merges that sources made themselves."""
    stated = [source for source in sources if "alias" in source.sql]

    def make(settings: Settings, before: AliasSet | None) -> AliasSet:
        organisations = handed_one(settings, ["records", "organisation"], RecordSet)
        return alias_stage.build(stated, landed_of(stated, settings), organisations, settings, before=before)

    return stage(
        ALIAS,
        AliasSet,
        make,
        lambda made: Page(f"{made.alias_count:,} merges", made.alias_count),
        deps=[*_tables(stated, ("alias",)), ["records", "organisation"]],
        group="records",
        description="Merges that a source made itself: which of its records stands for which now.",
    )


def rejected_of(sources: Sources) -> dg.AssetsDefinition:
    """The asset `records/rejected`: rows that became nothing, and rows that only complete others."""
    return stage(
        REJECTED,
        RejectedSet,
        lambda settings, before: rejected.build(sources, landed_of(sources, settings), settings, before=before),
        lambda made: Page(f"{made.quarantine_count:,} rows", made.quarantine_count),
        deps=[[source.system, table] for source in sources for table in source.tables],
        group="records",
        description="Rows without a key of their own, or refused by the source's `reject.sql`, each with its reason.",
    )


def judgements_of() -> dg.AssetsDefinition:
    """The asset `judgements`: what people said of pairs and of values, as linkage and entities obey it."""

    def make(settings: Settings, _: JudgementSet | None) -> JudgementSet:
        with closing(open_store(settings)) as store:
            return judgement_stage.build(store, settings)

    return stage(
        JUDGED,
        JudgementSet,
        make,
        lambda made: Page(f"{made.judgement_count:,} pairs and {made.settlement_count:,} values", made.judgement_count),
        deps=[],
        group="links",
        description="What people judged: pairs that are the same or different, and values that are right.",
    )


def links_of(record_type: str) -> dg.AssetsDefinition:
    """The asset `links/<type>`: pairs of records that may be one entity, with what speaks for it and against it."""
    employed = record_type == "person"

    def make(settings: Settings, before: LinkSet | None) -> LinkSet:
        records = handed_one(settings, ["records", record_type], RecordSet)
        aliases = handed_one(settings, ALIAS, AliasSet)
        employer = handed_one(settings, ["entities", "organisation"], EntitySet) if employed else None
        return link_stage.build(
            records,
            aliases,
            load_model(record_type, settings),
            settings,
            employer.table("crosswalk") if employer else None,
            judgements=handed_one(settings, JUDGED, JudgementSet).table(JUDGEMENTS),
            before=before,
        )

    return stage(
        ["links", record_type],
        LinkSet,
        make,
        lambda made: pages.links_page(made.table("link")),
        apart=links_apart,
        deps=[
            ["records", record_type],
            ["linkage_model", record_type],
            ALIAS,
            JUDGED,
            *([["entities", "organisation"]] if employed else []),
        ],
        group="links",
        kinds=("splink", "duckdb"),
        description=(
            f"Compared pairs of {record_type} records: strong keys first, then a trained model, then vetoes. Accepted, "
            "possible or ambiguous."
        ),
    )


def model_of(record_type: str) -> dg.AssetsDefinition:
    """The asset `linkage_model/<type>`: what agreement and disagreement are worth, learnt from the records at hand."""
    key = ["linkage_model", record_type]
    employed = record_type == "person"

    @dg.asset(
        key=key,
        deps=[
            dg.AssetKey(dep)
            for dep in (["records", record_type], ALIAS, *([["entities", "organisation"]] if employed else []))
        ],
        group_name="models",
        kinds={"splink"},
        owners=[TEAM],
        description=(
            f"The model by which {record_type} records are compared. It is trained rarely, by the job `train`; where "
            "none was trained the shipped one stands."
        ),
        required_resource_keys={WORKBENCH},
    )
    def linkage_model(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        settings = settings_of(context)
        employer = handed_one(settings, ["entities", "organisation"], EntitySet) if employed else None
        records = handed_one(settings, ["records", record_type], RecordSet)
        aliases = handed_one(settings, ALIAS, AliasSet)
        model = train(records, aliases, employer.table("crosswalk") if employer else None)
        before = load_model(record_type, settings).model_id
        save_model(model, settings)
        page = Page(f"trained on {model.trained_on:,} records", model.trained_on)
        return materialised(key, model.model_id, page, unchanged=model.model_id == before)

    return linkage_model


def entities_of(record_type: str, sources: Sources) -> dg.AssetsDefinition:
    """The asset `entities/<type>`: clusters with stable ids, golden records, crosswalk, conflicts and standing."""

    def make(settings: Settings, before: EntitySet | None) -> EntitySet:
        records = handed_one(settings, ["records", record_type], RecordSet)
        aliases = handed_one(settings, ALIAS, AliasSet)
        links = handed_one(settings, ["links", record_type], LinkSet)
        judged = handed_one(settings, JUDGED, JudgementSet)
        with closing(open_store(settings)) as store:
            previous = previous_graph(store, settings)
        systems = {one.system: one.source for one in landed_of(sources, settings)}
        declared = {source.system: source for source in sources}
        return entity_stage.build(
            records,
            aliases,
            links,
            previous,
            settings,
            judgements=judged.table(JUDGEMENTS),
            settlements=judged.table(SETTLEMENTS),
            rarely_twice=frozenset(
                system for system, source in systems.items() if record_type in declared[source].rarely_twice
            ),
            priority={
                system: order
                for system, source in systems.items()
                if (order := declared[source].survivorship.get(record_type))
            },
            before=before,
        )

    return stage(
        ["entities", record_type],
        EntitySet,
        make,
        lambda made: pages.entities_page(made.table("entity"), made.table("conflict"), made.table("review_pair")),
        apart=entities_apart,
        deps=[["links", record_type], ["records", record_type], ALIAS, JUDGED],
        group="entities",
        description=(
            f"The {record_type}s that records stand for: an id that survives rebuilds, the surviving value of each "
            "field, and whether an agent may act on it."
        ),
    )


def relationships_of() -> dg.AssetsDefinition:
    """The asset `entities/relationship`: who works where, and which organisation is whose parent."""

    def make(settings: Settings, before: RelationshipSet | None) -> RelationshipSet:
        organisations, people = (handed_one(settings, ["entities", name], EntitySet) for name in RECORD_TYPES)
        theirs, of_people = (handed_one(settings, ["records", name], RecordSet) for name in RECORD_TYPES)
        return relationships(organisations, people, theirs, of_people, settings, before=before)

    return stage(
        RELATIONSHIP,
        RelationshipSet,
        make,
        lambda made: pages.relationships_page(made.path),
        deps=[[of, name] for of in ("entities", "records") for name in RECORD_TYPES],
        group="entities",
        description="Directed relationships between entities, each with the record that says so.",
    )


def landed_of(sources: Sources, settings: Settings) -> list[LandedTable]:
    """What was landed last of every table of these sources."""
    return [
        one
        for source in sources
        for table in source.tables
        for one in handed(settings, [source.system, table], LandedTable)
    ]


def _no_records(name: str, settings: Settings) -> RecordSet:
    """The records of a shape that no source states."""
    shape = SHAPES[name]
    earlier = {other: _no_records(other, settings) for other in conform.needed_before(shape, [])}
    return conform.build(shape, [], [], earlier, None, settings)


def _tables(sources: Sources, names: Sequence[str]) -> list[list[str]]:
    """The keys of the tables that the `.sql` files of these names read."""
    return [
        [source.system, table]
        for source in sources
        for table in sorted(
            {table for name in names if name in source.sql for table in tables_used(source, source.sql[name])}
        )
    ]


def _described(source: Source, table: str) -> str:
    spec = source.tables[table]
    return f"`{spec.name or table}` of {source.system} as it was last read. Key: {', '.join(spec.key)}."
