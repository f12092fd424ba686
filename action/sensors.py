"""What starts the agents' job: a batch that waits in the exchange."""

import dagster as dg

from action.jobs import propose
from orchestration.registry import load_only
from orchestration.settings import Settings
from orchestration.work.attempts import Due
from orchestration.work.exchange import Exchange
from orchestration.work.sensors import Requests, requests


@dg.sensor(
    job=propose,
    minimum_interval_seconds=Settings().sensor_seconds,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="A batch that waits for an agent in the exchange.",
)
def waiting_batches(context: dg.SensorEvaluationContext) -> Requests:
    """Ask for a run for each agent that a batch waits for."""
    settings = Settings()
    exchange = Exchange(settings.exchange)
    waiting = {name: exchange.waiting(name) for name in sorted(load_only(settings.agents, settings.only_agents))}
    due = [Due(name, f"{name} {' '.join(ids)}", f"{len(ids)} batches") for name, ids in waiting.items() if ids]
    yield from requests(context.instance, ["proposals"], due)
