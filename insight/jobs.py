"""Insight's jobs: `reconcile` from the sources to the published graph, on a schedule.

`rebuild` does the same from the start, rarely, and `erase` when somebody was erased; `train` makes models, by hand.
"""

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from insight.resources import ERASING, REBUILD
from orchestration.errors import ConfigurationError
from orchestration.work.sensors import JOB

reconcile = dg.define_asset_job(
    "reconcile",
    selection=dg.AssetSelection.all() - dg.AssetSelection.groups("models"),
    tags={JOB: "reconcile", "dagster/max_retries": "2", "dagster/retry_on_asset_or_op_failure": "false"},
    description=(
        "Read the sources, link their records, publish the graph. A step whose inputs did not change does nothing. "
        "Run again by itself where its process died; a failed check is not run again before the next time."
    ),
)
rebuild = dg.define_asset_job(
    "rebuild",
    selection=dg.AssetSelection.all() - dg.AssetSelection.groups("models"),
    tags={JOB: "reconcile", REBUILD: "true", "dagster/max_retries": "2"},
    description=(
        "Read every row again, count anew how rare values are, link everything, write the graph anew, and tell how far "
        "that is from what went on from one change to the next."
    ),
)
erase = dg.define_asset_job(
    "erase",
    selection=dg.AssetSelection.all() - dg.AssetSelection.groups("models"),
    tags={JOB: "reconcile", REBUILD: "true", ERASING: "true", "dagster/max_retries": "2"},
    description=(
        "As `rebuild`, and then removes at once what was landed and made before: nothing of people who were erased is "
        "left. `precede erase` runs it."
    ),
)
train = dg.define_asset_job(
    "train",
    selection=dg.AssetSelection.groups("models"),
    tags={JOB: "reconcile"},
    description="Train the linkage models on the records at hand; the next reading links with them.",
)


def reading(cron: str) -> dg.ScheduleDefinition:
    """The schedule by which the sources are read.

    Raises:
        ConfigurationError: That is no cron expression.
    """
    return _schedule("read_the_sources", reconcile, "PRECEDE_SCHEDULE", cron, "*/15 * * * *")


def rebuilding(cron: str) -> dg.ScheduleDefinition:
    """The schedule by which everything is made anew.

    Raises:
        ConfigurationError: That is no cron expression.
    """
    return _schedule("rebuild_the_graph", rebuild, "PRECEDE_REBUILD_SCHEDULE", cron, "0 3 * * 0")


def _schedule(
    name: str, job: UnresolvedAssetJobDefinition, variable: str, cron: str, such_as: str
) -> dg.ScheduleDefinition:
    try:
        return dg.ScheduleDefinition(
            name=name,
            job=job,
            cron_schedule=cron,
            execution_timezone="UTC",
            default_status=dg.DefaultScheduleStatus.RUNNING,
            description=job.description,
        )
    except dg.DagsterInvalidDefinitionError as error:
        raise ConfigurationError(variable, repr(cron), f"a cron expression such as {such_as}") from error
