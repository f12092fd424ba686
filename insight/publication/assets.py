"""The two assets that end insight's job: a candidate graph, and the published one.

The candidate is whole before anything is asked of it, and nobody reads it. `entity_graph` asks everything again before
it moves the pointer, so that materialising it by itself does not get past a check.
"""

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from importlib.metadata import version as installed
from pathlib import Path

import dagster as dg
from sqlalchemy import select

from insight import pages
from insight.assets import ALIAS, JUDGED, REJECTED, RELATIONSHIP, landed_of, stated_shapes
from insight.entities.build import EntitySet
from insight.entities.relationships import RelationshipSet
from insight.expiring import YOUNGEST, expire_folders
from insight.handed import hand_on, handed_one
from insight.judgements import JudgementSet
from insight.landing import LandedTable, version_of_table
from insight.landing.rows import row_hash
from insight.linkage.link import LinkSet
from insight.publication import linked, questions
from insight.publication.questions import Built, blocking_results, previous_graph
from insight.records.account import account
from insight.records.record_set import AliasSet, RecordSet, RejectedSet
from insight.records.suppressed import REASON as SUPPRESSED
from insight.resources import TEAM, WORKBENCH, is_erasing, is_full, materialised, settings_of
from insight.sources.source import Source
from orchestration.contracts import GRAPH_ASSET, Pin
from orchestration.erasure.suppression import found_again
from orchestration.graph.expire import expire
from orchestration.graph.inputs import CandidateInputs
from orchestration.graph.model import RECORD_TYPES
from orchestration.graph.promote import promote
from orchestration.graph.publish import build_candidate
from orchestration.graph.reader import EntityGraph
from orchestration.graph.rows import SnapshotInput, source_row_id
from orchestration.ledger.lineage import check_pins, pin
from orchestration.store.engine import Store, open_store
from orchestration.store.tables import snapshot

CANDIDATE, GRAPH = ["graph_candidate"], [GRAPH_ASSET]


def candidate_of(sources: Sequence[Source]) -> dg.AssetsDefinition:
    """The asset `graph_candidate`: the whole graph, as it would be published."""
    shapes = [shape.name for shape in stated_shapes(sources)]
    tables = [[source.system, table] for source in sources for table in source.tables]
    made = [
        *(["records", name] for name in shapes),
        *([of, name] for of in ("links", "entities") for name in RECORD_TYPES),
        *(ALIAS, REJECTED, RELATIONSHIP, JUDGED),
    ]

    @dg.asset(
        key=CANDIDATE,
        deps=[dg.AssetKey(key) for key in (*tables, *made)],
        group_name="graph",
        kinds={"duckdb"},
        owners=[TEAM],
        description=(
            "The whole graph as one DuckDB file that nobody reads yet. Blocking checks look at it; when one fails it "
            "is not published, and the last good graph stays current."
        ),
        required_resource_keys={WORKBENCH},
    )
    def graph_candidate(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        settings = settings_of(context)
        records = {name: handed_one(settings, ["records", name], RecordSet) for name in shapes}
        links = {name: handed_one(settings, ["links", name], LinkSet) for name in RECORD_TYPES}
        entities = {name: handed_one(settings, ["entities", name], EntitySet) for name in RECORD_TYPES}
        aliases = handed_one(settings, ALIAS, AliasSet)
        rejected = handed_one(settings, REJECTED, RejectedSet)
        relationship = handed_one(settings, RELATIONSHIP, RelationshipSet)
        judged = handed_one(settings, JUDGED, JudgementSet)
        landed = landed_of(sources, settings)
        versions = {
            **{
                f"{source.system}/{table}": version_of_table(
                    [one for one in landed if (one.source, one.table) == (source.system, table)]
                )
                for source in sources
                for table in source.tables
            },
            **{f"records/{name}": one.version for name, one in records.items()},
            **{f"links/{name}": one.version for name, one in links.items()},
            **{f"entities/{name}": one.version for name, one in entities.items()},
            "/".join(ALIAS): aliases.version,
            "/".join(REJECTED): rejected.version,
            "/".join(RELATIONSHIP): relationship.version,
            "/".join(JUDGED): judged.version,
        }
        with closing(open_store(settings)) as store:
            previous = previous_graph(store, settings)
            code = code_of(store, context.instance, previous)
        candidate = build_candidate(
            CandidateInputs(
                landed=landed,
                records={name: one.path for name, one in records.items()},
                entities={name: one.path for name, one in entities.items()},
                links={name: one.path for name, one in links.items()},
                aliases=aliases.path,
                relationships=relationship.path.parent,
                rejected=rejected.path,
                run_id=context.run.run_id,
                code_version=code,
                model_versions=linked.versions(links),
                pins=[pinned(context.instance, key, version) for key, version in versions.items()],
                accounts=account(landed, records, rejected),
                previous=previous,
                hashed=hashed(sources, landed),
                judged=linked.judged(judged, entities),
                rules=linked.rules(),
                thresholds=linked.thresholds(links),
                whole=is_full(context),
            ),
            settings,
        )
        hand_on(settings, CANDIDATE, Built(candidate, landed))
        page = pages.graph_page(candidate.path)
        return materialised(CANDIDATE, candidate.snapshot_id, page, unchanged=not candidate.built)

    return graph_candidate


def hashed(sources: Sequence[Source], landed: Sequence[LandedTable]) -> dict[tuple[str, str], str]:
    """System and table to SQL that makes the hash of a row of its columns."""
    declared = {source.system: source for source in sources}
    return {(one.system, one.table): row_hash(declared[one.source].tables[one.table]) for one in landed}


def code_of(store: Store, instance: dg.DagsterInstance, previous: Path | None) -> str:
    """What a graph says of the code that made it; something new where the current graph lost its lineage.

    A graph whose materialisations are no longer in the event log lets nobody act. The same inputs would be that graph
    again, so that another one has to differ in something.
    """
    code = f"precede {installed('precede')}"
    if previous is None:
        return code
    with EntityGraph(previous) as graph:
        before = graph.snapshot
    pins = [
        Pin(asset_key=one.asset_key, storage_id=one.storage_id, run_id=one.run_id, data_version=one.data_version)
        for one in before.inputs
        if one.storage_id is not None and one.run_id
    ]
    with store.read() as connection:
        kept = connection.execute(select(snapshot.c.pin).where(snapshot.c.snapshot_id == before.snapshot_id)).scalar()
    pins += [Pin.model_validate(kept)] if kept else []
    if next(check_pins(instance, pins), None) is not None:
        return f"{code}, after {before.snapshot_id} lost its lineage"
    return before.code_version if before.code_version.startswith(f"{code},") else code


def pinned(instance: dg.DagsterInstance, asset_key: str, version: str) -> SnapshotInput:
    """The materialisation of an asset by a run of ours that carries a version; without an id where there is none."""
    found = pin(instance, asset_key, version)
    return SnapshotInput(asset_key, found.storage_id if found else None, found.run_id if found else None, version)


def suppressed_in(path: Path) -> list[str]:
    """The rows of a graph that turned out to be of people who were erased: from now on they are not even landed."""
    with EntityGraph(path) as graph:
        found = graph.rows("SELECT DISTINCT record_id FROM quarantine WHERE reason = ?", [SUPPRESSED])
    return [source_row_id(row["record_id"]) for row in found]


def graph_of(sources: Sequence[Source]) -> dg.AssetsDefinition:
    """The asset `entity_graph`: the current graph, published where every blocking check passed."""

    @dg.asset(
        key=GRAPH,
        deps=[dg.AssetKey(CANDIDATE)],
        group_name="graph",
        kinds={"duckdb"},
        owners=[TEAM],
        description=(
            "The entity graph that agents and analysts read: `graph.duckdb` in the home folder, or the file that the "
            "store's pointer names. Its data version is the snapshot's id. The pointer wakes agents, not this event."
        ),
        required_resource_keys={WORKBENCH},
    )
    def entity_graph(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        settings = settings_of(context)
        built = questions.found_again(handed_one(settings, CANDIDATE, Built), settings)
        with closing(open_store(settings)) as store:
            moved = promote(
                store,
                settings,
                built.candidate,
                blocking_results(built, sources, store, settings.accept_missing),
                built.landed,
                run_id=context.run.run_id,
            )
            expire(store, settings, everything=is_erasing(context))
            path = previous_graph(store, settings)
            found_again(store, settings, suppressed_in(path or built.candidate.path), datetime.now(UTC))
        expire_folders(settings, path, youngest=0.0 if is_erasing(context) else YOUNGEST)
        page = pages.graph_page(path or built.candidate.path)
        return materialised(GRAPH, built.candidate.snapshot_id, page, unchanged=not moved)

    return entity_graph
