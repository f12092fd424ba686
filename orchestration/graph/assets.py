"""The coordinator's copy of the graph for analysts who may not see people.

Insight, which publishes the graph, does not have the key that pseudonyms are made with.
"""

from collections.abc import Iterator
from contextlib import closing

import dagster as dg

from orchestration.contracts import GRAPH_ASSET
from orchestration.graph.current import current_path, current_snapshot
from orchestration.graph.pseudonymised import copy_of, pseudonymised
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from orchestration.work.sensors import JOB


@dg.asset(
    deps=[dg.AssetKey(GRAPH_ASSET)],
    group_name="copies",
    kinds={"duckdb"},
    owners=["team:coordinator"],
    output_required=False,
    description=(
        "`graph_pseudonymised.duckdb`: the current graph without names, contact points, notes and source rows, with "
        "keyed pseudonyms in place of people's ids."
    ),
)
def graph_pseudonymised(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    """Write the copy, where that of the current graph is not there yet."""
    settings = Settings()
    with closing(open_store(settings)) as store:
        with store.read() as connection:
            current = current_snapshot(connection)
        if current is None or copy_of(settings) == current:
            context.log_event(dg.AssetObservation(context.asset_key, metadata={"summary": "nothing to copy"}))
            return
        path = pseudonymised(current_path(store, settings), settings)
    yield dg.MaterializeResult(
        data_version=dg.DataVersion(current),
        metadata={"summary": f"a copy of {current}", "path": dg.MetadataValue.path(str(path))},
    )


copy = dg.define_asset_job(
    "pseudonymise",
    selection=dg.AssetSelection.groups("copies"),
    tags={JOB: "pseudonymise"},
    description="Write the copy of the current graph for analysts who may not see people.",
)


@dg.sensor(
    job=copy,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="The copy for analysts who may not see people is of an earlier graph. Looks at store and file alone.",
)
def graph_to_copy(_: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Ask for a run where the copy is not of the current graph."""
    settings = Settings()
    with closing(open_store(settings)) as store, store.read() as connection:
        current = current_snapshot(connection)
    if current is None or copy_of(settings) == current:
        return dg.SkipReason("The copy is of the current graph.")
    return dg.RunRequest(run_key=current)
