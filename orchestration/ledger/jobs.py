"""The ledger's jobs and when they run: `checkpoint` signs its head, `retention` removes evidence after its time.

A schedule looks at the store first, and starts a run only where there is something to do.
"""

from contextlib import closing
from datetime import UTC, datetime

import dagster as dg

from orchestration.errors import ConfigurationError
from orchestration.ledger.assets import checkpoints, evidence_retention
from orchestration.ledger.retention import over
from orchestration.ledger.signing import unsigned
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from orchestration.work.sensors import JOB

checkpoint = dg.define_asset_job(
    "checkpoint",
    selection=dg.AssetSelection.assets(checkpoints),
    tags={JOB: "checkpoint"},
    description="Sign the ledger's head and write it to the folder of checkpoints, where there is anything new.",
)
retention = dg.define_asset_job(
    "retention",
    selection=dg.AssetSelection.assets(evidence_retention),
    tags={JOB: "retention"},
    description="Remove evidence after its time.",
)


def signing(cron: str) -> dg.ScheduleDefinition:
    """The schedule by which the ledger's head is signed; it starts no run where there is nothing new.

    Raises:
        ConfigurationError: That is no cron expression.
    """

    def due(_: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        with closing(open_store(Settings())) as store, store.read() as connection:
            new = unsigned(connection)
        return dg.RunRequest() if new else dg.SkipReason("No entry came since the last checkpoint.")

    try:
        return dg.ScheduleDefinition(
            name="sign_the_ledger",
            job=checkpoint,
            cron_schedule=cron,
            execution_timezone="UTC",
            execution_fn=due,
            default_status=dg.DefaultScheduleStatus.RUNNING,
            description=checkpoint.description,
        )
    except dg.DagsterInvalidDefinitionError as error:
        raise ConfigurationError(
            "PRECEDE_CHECKPOINT_SCHEDULE", repr(cron), "a cron expression such as */15 * * * *"
        ) from error


@dg.schedule(
    job=retention,
    name="remove_evidence",
    cron_schedule="45 2 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description=retention.description,
)
def removing(_: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Ask for a run at night, where evidence is kept for a time and some of it is over."""
    settings = Settings()
    days = settings.keep_evidence_days
    if days is None:
        return dg.SkipReason("PRECEDE_KEEP_EVIDENCE_DAYS is not set: evidence is kept for ever.")
    with closing(open_store(settings)) as store, store.read() as connection:
        due = over(connection, days, datetime.now(UTC))
    return dg.RunRequest() if due else dg.SkipReason("No evidence is older than that.")
