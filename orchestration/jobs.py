"""The coordinator's jobs: whom the graph wakes, deciding and delivering, what became of effects, and telling people."""

from contextlib import closing
from datetime import UTC, datetime

import dagster as dg

from orchestration.settings import Settings
from orchestration.store.engine import open_store
from orchestration.work.notify import send
from orchestration.work.sensors import JOB

wake = dg.define_asset_job(
    "wake",
    selection=dg.AssetSelection.groups("triggers", "watch", "audit"),
    tags={JOB: "wake"},
    description="Run each agent's trigger on the current snapshot, leave the rows where the agents find them, and look "
    "what has become of earlier effects.",
)
watch = dg.define_asset_job(
    "watch",
    selection=dg.AssetSelection.groups("watch"),
    tags={JOB: "watch"},
    description="Look on the current snapshot what has become of effects: tainted, seen again, or nobody's.",
)
act = dg.define_asset_job(
    "act",
    selection=dg.AssetSelection.groups("effects", "audit"),
    tags={JOB: "act"},
    description="Take proposals in, decide, deliver what is permitted, close the ledger over it. Safe to run again.",
)


@dg.op(description="Hand what waits to the program that PRECEDE_NOTIFY names; what it does not take is tried later.")
def hand_over(context: dg.OpExecutionContext) -> None:
    """Send what waits, in a run of its own: nobody who acts waits for that program."""
    settings = Settings()
    with closing(open_store(settings)) as store:
        done = send(store, settings, datetime.now(UTC))
    context.log.info("%d notifications were sent, %d are not. %s", done.sent, done.unsent, done.error)


@dg.job(tags={JOB: "notify"}, description="Tell people what happened, through the program that PRECEDE_NOTIFY names.")
def notify() -> None:
    """One step: hand over what waits."""
    hand_over()
