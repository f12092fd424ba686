"""The asset that looks what has become of effects, a thin step around `watch.py`."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import dagster as dg

from orchestration.action_types import load_action_types
from orchestration.contracts import GRAPH_ASSET
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from orchestration.work.watch import due, watch


@dg.asset(
    key=["watch", "effects"],
    deps=[dg.AssetKey(GRAPH_ASSET)],
    group_name="watch",
    kinds={"sql"},
    owners=["team:coordinator"],
    output_required=False,
    description=(
        "What has become of effects by the current snapshot: tainted ones, whose entity was since split, merged, "
        "retired or judged otherwise; those that a source shows again, and those that it ought to by now; and "
        "incidents, rows of Precede's account that the ledger does not account for. `precede effects` lists them."
    ),
)
def watched_effects(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    """Look what has become of effects, once for each snapshot."""
    settings, now = Settings(), datetime.now(UTC)
    with closing(open_store(settings)) as store:
        with store.read() as connection:
            waits = due(connection, settings, now)
        found = watch(store, settings, load_action_types(settings.actions), now) if waits else None
    if found is None:
        nothing = {"summary": "effects were looked for in this snapshot already"}
        context.log_event(dg.AssetObservation(context.asset_key, metadata=nothing))
        return
    if found.unread:
        context.log.warning("The graph has nothing that effects are read back from: %s", ", ".join(found.unread))
    yield dg.MaterializeResult(
        data_version=dg.DataVersion(f"{found.snapshot_id} {now.isoformat()}"),
        metadata={
            "summary": f"{found.effects:,} effects: {found.tainted:,} tainted, {found.confirmed:,} seen for the first "
            f"time, {found.missing:,} missing, {found.incidents:,} incidents",
            "dagster/row_count": found.effects,
            "snapshot": found.snapshot_id,
            "tainted": found.tainted,
            "newly_tainted": found.newly_tainted,
            "cleared": found.cleared,
            "confirmed": found.confirmed,
            "missing": found.missing,
            "incidents": found.incidents,
            "unread": ", ".join(found.unread) or "none",
        },
    )
