"""The rules that the gate decides by, read from their files once for a batch: action types, agents and policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestration.action_types import ActionType, load_action_types
from orchestration.errors import AgentError, ConfigurationError
from orchestration.gate.policy import AgentPolicies
from orchestration.gate.policy_files import load_policies
from orchestration.registry import Agent, load_agents
from orchestration.settings import Settings


@dataclass(frozen=True, slots=True)
class Rules:
    """What may be done, who may ask, and what policy says of it."""

    action_types: Mapping[str, ActionType]
    agents: Mapping[str, Agent]
    policies: Mapping[str, AgentPolicies]


def load_rules(settings: Settings) -> Rules:
    """The rules of the folders that the settings name.

    Raises:
        ConfigurationError: A file of theirs says something that cannot be.
    """
    action_types, agents = load_action_types(settings.actions), load_agents(settings.agents)
    for agent in agents.values():
        _budgeted(agent, action_types)
    return Rules(action_types, agents, load_policies(agents, action_types))


def policy_digests(settings: Settings) -> dict[str, str]:
    """What each agent's policies are called now; of none, where they cannot be read."""
    try:
        return {name: each.digest for name, each in load_rules(settings).policies.items()}
    except ConfigurationError:
        return {}


def _budgeted(agent: Agent, action_types: Mapping[str, ActionType]) -> None:
    """Refuse a budget that an action could go round because nobody says what it comes to."""
    if agent.card.limits.money_per_day is None:
        return
    for name in agent.card.action_types:
        if name in action_types and action_types[name].amount is None:
            where = f"{agent.folder / 'agent.yml'}: limits.money_per_day"
            raise AgentError(
                where, f"the action type {name}, which names no `amount`", "one that names what it comes to"
            )
