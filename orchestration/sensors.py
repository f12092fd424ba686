"""What starts the coordinator's jobs: the store and the exchange, never a Dagster event.

Anyone who reaches Dagster's web server can report an event; nobody but the coordinator moves the pointer.
"""

from contextlib import closing
from datetime import UTC, datetime

import dagster as dg

from orchestration.assets import pin_current
from orchestration.gate.rules import policy_digests
from orchestration.jobs import act, notify, wake, watch
from orchestration.registry import load_agents
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from orchestration.work import due
from orchestration.work import watch as watching
from orchestration.work.attempts import Due
from orchestration.work.exchange import Exchange
from orchestration.work.notify import due as to_be_sent
from orchestration.work.sensors import RUNNING, Requests, requests


@dg.sensor(
    job=wake,
    minimum_interval_seconds=Settings().sensor_seconds,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="A new current snapshot, or a new business date, wakes the agents. Looks at the store alone.",
)
def new_snapshot_or_date(context: dg.SensorEvaluationContext) -> Requests:
    """Ask for a run for each agent that was not woken yet on the current snapshot and business date."""
    settings = Settings()
    agents = load_agents(settings.agents)
    with closing(open_store(settings)) as store:
        with store.read() as connection:
            exchange = Exchange(settings.exchange)
            waiting = due.wakes(connection, exchange, agents, settings.business_date, datetime.now(UTC))
        if waiting and pin_current(store, context.instance) is None:
            yield dg.SkipReason("The run that published the snapshot has not ended, or its event is not in the log.")
            return
    yield from requests(context.instance, ["triggers"], waiting, after=["audit"])


@dg.sensor(
    job=act,
    minimum_interval_seconds=Settings().sensor_seconds,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "An answer in the exchange, a proposal to decide, an effect to settle or a batch to close; a new graph or "
        "policy, where anything is in review."
    ),
)
def answers_or_effects(context: dg.SensorEvaluationContext) -> Requests:
    """Ask for a run for each agent with anything of that kind."""
    settings = Settings()
    agents = load_agents(settings.agents)
    with closing(open_store(settings)) as store, store.read() as connection:
        waiting = due.acts(connection, Exchange(settings.exchange), agents, lambda: policy_digests(settings))
    yield from requests(context.instance, ["effects", "ledger"], waiting, after=["audit"])


@dg.sensor(
    job=watch,
    minimum_interval_seconds=Settings().sensor_seconds,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="A snapshot in which effects were not looked for yet, or not for as long as one may stay unseen.",
)
def snapshot_to_watch(context: dg.SensorEvaluationContext) -> Requests:
    """Ask for a run that looks what has become of effects."""
    settings = Settings()
    with closing(open_store(settings)) as store, store.read() as connection:
        found = watching.due(connection, settings, datetime.now(UTC))
        looked = watching.looks(connection, found) if found else ""
    waiting = [Due("effects", f"watch {found} {looked}", f"effects on {found}")] if found else []
    yield from requests(context.instance, ["watch"], waiting)


@dg.sensor(
    job=notify,
    minimum_interval_seconds=Settings().sensor_seconds,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Something that people are to be told, and a program to tell it.",
)
def notifications(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Ask for a run where something is to be sent now, unless one is at it."""
    settings = Settings()
    if not settings.notify:
        return dg.SkipReason("PRECEDE_NOTIFY is not set: notifications are kept, and not sent.")
    with closing(open_store(settings)) as store, store.read() as connection:
        waiting = to_be_sent(connection, datetime.now(UTC))
    busy = dg.RunsFilter(job_name=notify.name, statuses=RUNNING)
    if not waiting or context.instance.get_runs_count(busy):
        return dg.SkipReason("Nothing is to be sent now." if not waiting else "A run is sending.")
    return dg.RunRequest()
