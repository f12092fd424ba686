"""Insight's jobs: `reconcile` from the sources to the published graph, on a schedule; `train`, rarely and by hand."""

import dagster as dg

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
    try:
        return dg.ScheduleDefinition(
            name="read_the_sources",
            job=reconcile,
            cron_schedule=cron,
            execution_timezone="UTC",
            default_status=dg.DefaultScheduleStatus.RUNNING,
            description="Reads the sources and publishes what changed.",
        )
    except dg.DagsterInvalidDefinitionError as error:
        raise ConfigurationError("PRECEDE_SCHEDULE", repr(cron), "a cron expression such as */15 * * * *") from error
