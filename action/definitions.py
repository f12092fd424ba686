"""The agents' code location: it holds the agents' own credentials and nothing else."""

from __future__ import annotations

import dagster as dg

from action.assets import proposals_of
from action.jobs import propose
from action.sensors import waiting_batches
from orchestration.registry import load_only
from orchestration.settings import Settings


@dg.definitions
def defs() -> dg.Definitions:
    """One asset for each agent that this code server runs.

    Raises:
        AgentError: An agent's folder lacks a part of the loop, says something that cannot be, or is not there.
    """
    settings = Settings()
    agents = load_only(settings.agents, settings.only_agents)
    return dg.Definitions(
        assets=[proposals_of(agent) for agent in agents.values()],
        jobs=[propose],
        sensors=[waiting_batches],
        resources={"io_manager": dg.mem_io_manager},  # what passes between steps is never written down
        executor=dg.in_process_executor,
    )
