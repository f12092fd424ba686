"""The coordinator's code location: it holds the signing key, decides, delivers and records."""

from __future__ import annotations

import dagster as dg

from orchestration.assets import effects_of, ledger_of, triggers_of
from orchestration.graph.assets import copy, graph_pseudonymised, graph_to_copy
from orchestration.jobs import act, notify, wake, watch
from orchestration.ledger.assets import checkpoints, evidence_retention
from orchestration.ledger.jobs import checkpoint, removing, retention, signing
from orchestration.registry import load_agents
from orchestration.report.assets import audit as audit_tables
from orchestration.report.jobs import audit, publishing
from orchestration.sensors import answers_or_effects, new_snapshot_or_date, notifications, snapshot_to_watch
from orchestration.settings import Settings
from orchestration.work.assets import watched_effects


@dg.definitions
def defs() -> dg.Definitions:
    """The assets of every registered agent.

    Raises:
        AgentError: An agent's folder lacks a part of the loop, or says something that cannot be.
        ConfigurationError: `PRECEDE_CHECKPOINT_SCHEDULE` is no cron expression.
    """
    settings = Settings()
    agents = load_agents(settings.agents)
    return dg.Definitions(
        assets=[
            *(asset(agent) for agent in agents.values() for asset in (triggers_of, effects_of, ledger_of)),
            checkpoints,
            evidence_retention,
            watched_effects,
            audit_tables,
            graph_pseudonymised,
        ],
        jobs=[wake, act, watch, notify, checkpoint, retention, audit, copy],
        schedules=[signing(settings.checkpoint_schedule), removing, publishing],
        sensors=[new_snapshot_or_date, answers_or_effects, snapshot_to_watch, notifications, graph_to_copy],
        executor=dg.in_process_executor,
    )
