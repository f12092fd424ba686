"""The coordinator's assets: whom the graph wakes, what was decided and done, and the ledger that closes over it.

Each is a thin step around a plain function. What it stands for lives in the store; the materialisation points at it.
"""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import dagster as dg
from sqlalchemy import select, update

from orchestration.contracts import Pin
from orchestration.errors import PrecedeError
from orchestration.graph.current import current_snapshot, open_current
from orchestration.ledger import lineage
from orchestration.registry import Agent, load_agents
from orchestration.settings import Settings
from orchestration.store.engine import Store, open_store
from orchestration.store.tables import snapshot
from orchestration.work.dagster import owner_of
from orchestration.work.exchange import Exchange
from orchestration.work.triggers import WakeState, run_triggers

GRAPH = dg.AssetKey("entity_graph")
"""The asset of insight's that publishes the graph."""
_TROUBLE = frozenset({WakeState.REFUSED, WakeState.FAILED})


def triggers_of(agent: Agent) -> dg.AssetsDefinition:
    """The asset `triggers/<agent>`: the rows that wake an agent on the current snapshot and business date."""
    name = agent.card.name

    @dg.asset(
        key=["triggers", name],
        deps=[GRAPH],
        group_name="triggers",
        kinds={"sql"},
        owners=[owner_of(agent.card.owner)],
        output_required=False,
        description=(
            f"Entities that wake the agent `{name}`, found by its `trigger.sql` on the current snapshot: once for each "
            "snapshot and business date, without rows that were answered before and have not changed."
        ),
    )
    def triggers(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        settings = Settings()
        with closing(open_store(settings)) as store, open_current(store, settings) as graph:
            [wake] = run_triggers(
                store,
                Exchange(settings.exchange),
                graph,
                {name: load_agents(settings.agents)[name]},
                business_date=settings.business_date,
                now=datetime.now(UTC),
                pin=pin_current(store, context.instance),
            )
        if wake.state in _TROUBLE:
            raise PrecedeError(wake.detail)
        context.log.info("%s: %s. %s", name, wake.state, wake.detail)
        if wake.batch is None:
            context.add_output_metadata({"summary": wake.detail})
            return
        rows = len(wake.batch.rows)
        yield dg.MaterializeResult(
            data_version=dg.DataVersion(wake.batch.batch_id),
            metadata={
                "summary": f"{rows:,} rows wake it, {wake.left_out:,} were answered before",
                "dagster/row_count": rows,
                "left_out": wake.left_out,
                "batch": wake.batch.batch_id,
                "snapshot": wake.batch.snapshot_id,
                "business_date": wake.batch.business_date.isoformat(),
            },
        )

    return triggers


def pin_current(store: Store, instance: dg.DagsterInstance) -> Pin | None:
    """The verified materialisation of the current graph by the run that published it, kept beside the snapshot.

    None where the event log holds no such event, or no longer the one that was kept.
    """
    with store.read() as connection:
        row = connection.execute(
            select(snapshot.c.snapshot_id, snapshot.c.run_id, snapshot.c.pin).where(
                snapshot.c.snapshot_id == current_snapshot(connection)
            )
        ).one_or_none()
    if row is None:
        return None
    if row.pin is not None:
        kept = Pin.model_validate(row.pin)
        return kept if lineage.check_pin(instance, kept) is None else None
    found = lineage.pin(instance, GRAPH.to_user_string(), row.snapshot_id, row.run_id)
    if found is not None:
        with store.begin() as connection:
            connection.execute(
                update(snapshot)
                .where(snapshot.c.snapshot_id == row.snapshot_id, snapshot.c.pin.is_(None))
                .values(pin=found.model_dump(mode="json"))
            )
    return found
