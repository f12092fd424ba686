"""The rules that the gate decides by, read from their files once for a batch: action types, agents and policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestration.action_types import ActionType, load_action_types
from orchestration.gate.policy import AgentPolicies, load_policies
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
    return Rules(action_types, agents, load_policies(agents, action_types))
