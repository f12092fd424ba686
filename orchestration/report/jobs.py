"""The job `audit_tables` makes the audit tables anew, and a schedule asks for it where anything was recorded since."""

from contextlib import closing
from datetime import UTC, datetime

import dagster as dg

from orchestration.report.assets import AUDIT
from orchestration.report.publish import behind
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from orchestration.work.sensors import JOB

audit = dg.define_asset_job(
    "audit_tables",
    selection=dg.AssetSelection.assets(AUDIT),
    tags={JOB: "audit_tables"},
    description="Make the audit tables anew, where anything was recorded since.",
)


@dg.schedule(
    job=audit,
    name="publish_audit",
    cron_schedule="*/15 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description=audit.description,
)
def publishing(_: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Ask for a run where people or runs recorded anything that the tables do not tell of."""
    settings = Settings()
    with closing(open_store(settings)) as store:
        due = behind(store, settings, datetime.now(UTC))
    return dg.RunRequest() if due else dg.SkipReason("Nothing was recorded since the last tables.")
