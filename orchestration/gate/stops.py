"""What is stopped, as values: an agent, a type of action, or everything. Nothing here reads a store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from orchestration.contracts import Reason


class ScopeKind(StrEnum):
    """What a stop can be of."""

    AGENT = "agent"
    ACTION_TYPE = "action_type"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Scope:
    """What one stop is of: its kind, and the agent's or the type's name; no name where it is of all."""

    kind: ScopeKind
    name: str = ""

    @classmethod
    def agent(cls, name: str) -> Self:
        """One agent, in whatever it does."""
        return cls(ScopeKind.AGENT, name)

    @classmethod
    def action_type(cls, name: str) -> Self:
        """One type of action, whoever proposes it."""
        return cls(ScopeKind.ACTION_TYPE, name)

    @classmethod
    def everything(cls) -> Self:
        """Every agent."""
        return cls(ScopeKind.ALL)

    def __str__(self) -> str:
        match self.kind:
            case ScopeKind.AGENT:
                return self.name
            case ScopeKind.ACTION_TYPE:
                return f"the action type {self.name}"
            case ScopeKind.ALL:
                return "every agent"

    @property
    def are(self) -> str:
        """The same at the beginning of a sentence, with its verb."""
        match self.kind:
            case ScopeKind.AGENT:
                return f"{self.name} is"
            case ScopeKind.ACTION_TYPE:
                return f"The action type {self.name} is"
            case ScopeKind.ALL:
                return "All agents are"


@dataclass(frozen=True, slots=True)
class Stopped:
    """Everything that is stopped now, and why.

    Attributes:
        everything: Why all agents are; none where they are not.
        agents: Agent to why it is.
        action_types: Type of action to why it is.
    """

    everything: str | None = None
    agents: Mapping[str, str] = field(default_factory=dict)
    action_types: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.everything is not None or bool(self.agents) or bool(self.action_types)

    def agent(self, name: str) -> bool:
        """Whether an agent may do nothing at all."""
        return self.everything is not None or name in self.agents

    def against(self, agent: str, action_type: str) -> list[Reason]:
        """Each stop that speaks against an action; none where nothing does."""
        reasons = []
        if agent in self.agents:
            detail = f"{agent} was stopped: {self.agents[agent] or 'no reason was given'}."
            reasons.append(Reason(code="agent_stopped", subject=agent, detail=detail))
        if action_type in self.action_types:
            detail = f"Actions of that type were stopped: {self.action_types[action_type] or 'no reason was given'}."
            reasons.append(Reason(code="action_type_stopped", subject=action_type, detail=detail))
        if self.everything is not None:
            detail = f"All agents were stopped: {self.everything or 'no reason was given'}."
            reasons.append(Reason(code="all_stopped", detail=detail))
        return reasons
