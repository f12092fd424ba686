"""The ledger's own assets: its signed heads, and the evidence that goes after its time.

Each is a thin step around a plain function. What they are about lives in the store and in the folder of checkpoints;
a materialisation points at it.
"""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import dagster as dg

from orchestration.ledger.retention import expire_evidence
from orchestration.ledger.signing import make
from orchestration.settings import Settings
from orchestration.store.engine import open_store


@dg.asset(
    key=["checkpoints"],
    group_name="checkpoints",
    kinds={"file"},
    owners=["team:coordinator"],
    output_required=False,
    description=(
        "Signed heads of the ledger, a file each in PRECEDE_CHECKPOINTS: how many entries there are and the root over "
        "them. Kept where nobody who may write to the store can, they show what a hash chain alone cannot: that all of "
        "it was written anew, or its end cut off. Where no entry came since the last one, none is written."
    ),
)
def checkpoints(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    """Sign the ledger's head, where there is anything new."""
    settings = Settings()
    with closing(open_store(settings)) as store:
        made = make(store, settings, datetime.now(UTC))
    if made is None:
        nothing = {"summary": "no entry came since the last checkpoint"}
        context.log_event(dg.AssetObservation(context.asset_key, metadata=nothing))
        return
    yield dg.MaterializeResult(
        data_version=dg.DataVersion(made.head.root),
        metadata={
            "summary": f"checkpoint {made.head.number:,} signs {made.head.last:,} entries",
            "dagster/row_count": made.head.last,
            "checkpoint": made.head.number,
            "root": made.head.root,
            "permits_hold_up_to": made.head.permits,
            "path": dg.MetadataValue.path(str(made.path)),
        },
    )


@dg.asset(
    key=["evidence_retention"],
    group_name="retention",
    kinds={"table"},
    owners=["team:coordinator"],
    output_required=False,
    description=(
        "Removes what decisions rested on, after PRECEDE_KEEP_EVIDENCE_DAYS. The ledger keeps a digest of it and says "
        "when it was removed. Where the variable is not set, evidence is kept for ever."
    ),
)
def evidence_retention(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    """Remove evidence after its time."""
    settings, removed = Settings(), 0
    if days := settings.keep_evidence_days:
        with closing(open_store(settings)) as store:
            removed = expire_evidence(store, days, datetime.now(UTC))
    if not removed:
        context.log_event(dg.AssetObservation(context.asset_key, metadata={"summary": "nothing to remove"}))
        return
    yield dg.MaterializeResult(
        metadata={"summary": f"evidence of {removed:,} actions removed", "removed": removed, "kept_days": days or 0}
    )
