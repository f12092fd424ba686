"""The asset `audit`: what the agents did, as tables that join with the graph."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import dagster as dg
import duckdb

from orchestration.contracts import GRAPH_ASSET
from orchestration.errors import PrecedeError
from orchestration.report.publish import publish
from orchestration.settings import Settings
from orchestration.store.engine import open_store

AUDIT = dg.AssetKey("audit")
_OTHERS = frozenset({"act", "wake"})
"""Jobs that do something else first, and do not fail with the tables: `audit_tables` makes them within its time."""


@dg.asset(
    key=AUDIT,
    deps=[dg.AssetKey(GRAPH_ASSET)],
    # last in every run: a dependency on `ledger/<agent>` would skip it where one agent of several had nothing to do
    op_tags={"dagster/priority": "-100"},
    group_name="audit",
    kinds={"duckdb"},
    owners=["team:coordinator"],
    output_required=False,
    description=(
        "What agents were woken for, wished and did, and what was decided of it: one row each in `wake`, `action`, "
        "`decision`, `approval`, `outcome`, `handoff`, `stop` and `incident`, in `audit.duckdb` beside `graph.duckdb`, "
        "with which they join on `entity_id`. Made where anything was recorded since; `precede report` counts the same."
    ),
)
def audit(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    """Make the audit tables anew, where anything was recorded since the last ones."""
    settings = Settings()
    said = "nothing was recorded since the last tables"
    try:
        with closing(open_store(settings)) as store:
            made = publish(store, settings, now=datetime.now(UTC))
    except (PrecedeError, duckdb.Error, OSError) as problem:
        if context.job_name not in _OTHERS:
            raise
        context.log.exception("The audit tables are not made; the job `audit_tables` tries again.")
        made, said = None, f"not made, the job `audit_tables` tries again: {type(problem).__name__}"
    if made is None:
        context.log_event(dg.AssetObservation(context.asset_key, metadata={"summary": said}))
        return
    yield dg.MaterializeResult(
        data_version=dg.DataVersion(f"{made.snapshot}.{made.head}"),
        metadata={
            "summary": f"{made.rows['action']:,} actions, up to entry {made.entries:,} of the ledger",
            "dagster/row_count": made.rows["action"],
            **{f"rows_{name}": rows for name, rows in made.rows.items()},
            "entries": made.entries,
            "head": made.head,
            "snapshot": made.snapshot or "none",
            "path": dg.MetadataValue.path(str(made.path)),
        },
    )
