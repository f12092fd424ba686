"""What sensors share: how waiting work becomes requests for runs.

A run is known again by a tag that says what it was started for. A run key would not do: Dagster never starts a second
run for a key, though the first one failed.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

import dagster as dg

from orchestration.work.attempts import Due, try_at

DUE: Final = "precede/due"
"""The run tag that says what a run was started for."""
JOB: Final = "precede/job"
"""The run tag by which the queue lets one run of a job go at a time (`dagster.yaml`)."""
RUNNING: Final = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
"""States of a run that is not over."""
_REMEMBERED: Final = 30  # attempts that are looked back at

Requests = Iterator[dg.RunRequest | dg.SkipReason]


def requests(
    instance: dg.DagsterInstance,
    assets: Sequence[str],
    waiting: Iterable[Due],
    *,
    after: Sequence[str] = (),
    now: datetime | None = None,
) -> Requests:
    """A run for each agent whose work waits, is not being done, and may be tried now; else why not.

    Args:
        instance: Whose runs are the attempts so far.
        assets: First parts of the keys of the assets that do the work: `<asset>/<agent>`.
        waiting: The work.
        after: Assets that tell of it, made once it is done.
        now: The time.
    """
    moment = now or datetime.now(UTC)
    reasons = []
    asked = False
    for due in waiting:
        attempts = instance.get_run_records(dg.RunsFilter(tags={DUE: due.key}), limit=_REMEMBERED)
        running = [record for record in attempts if record.dagster_run.status in RUNNING]
        ended = [
            datetime.fromtimestamp(record.end_time, UTC)
            if record.end_time
            else record.update_timestamp.replace(tzinfo=UTC)
            for record in attempts
        ]
        later = try_at(ended)
        if running:
            reasons.append(f"{due.agent}: {due.why}, in run {running[0].dagster_run.run_id}.")
        elif later is not None and later > moment:
            reasons.append(f"{due.agent}: {due.why}, tried {len(ended)} times, again at {later:%H:%M:%S} UTC.")
        else:
            asked = True
            yield dg.RunRequest(
                run_key=f"{due.key} #{len(ended) + 1}",
                asset_selection=[*(dg.AssetKey([asset, due.agent]) for asset in assets), *map(dg.AssetKey, after)],
                tags={DUE: due.key},
            )
    if not asked:
        yield dg.SkipReason(" ".join(reasons) or "Nothing waits.")
