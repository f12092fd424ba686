"""Agent cards: who exists, who owns them and what they may touch.

An agent is a folder in `PRECEDE_AGENTS` with all five parts of its loop. It is read here, never run: loading does not
import `agent.py`. Whether an agent has been stopped stands in the store (`gate/stopping.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from orchestration.contracts import Contract
from orchestration.declarations import Duration, Name, read_declaration
from orchestration.errors import AgentError
from orchestration.limits import Country, Limits, Window

PARTS: Final[dict[str, str]] = {
    "agent.yml": "identity",
    "trigger.sql": "Trigger",
    "agent.py": "Action",
    "policy.cedar": "guardrails",
    "feedback.sql": "Feedback and ROI",
}
"""File of an agent's folder to the part of the loop that it is."""

Sentence = Annotated[str, Field(min_length=1, max_length=1000)]
Variable = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,62}$")]


class Metric(Contract):
    """What shows whether the agent is worth its while, and what it was before."""

    name: Name
    unit: Sentence
    baseline: int | float | None
    """The figure before the agent acted; null where nobody measured it."""


class Credentials(Contract):
    """Variables of the agent's own that its process may see; none of Precede's is among them."""

    env: tuple[Variable, ...] = ()

    @model_validator(mode="after")
    def _its_own(self) -> Self:
        if ours := [name for name in self.env if name.startswith(("PRECEDE_", "DAGSTER_"))]:
            raise ValueError(f"variables of the agent's own (found {', '.join(ours)})")
        return self


class AgentCard(Contract):
    """Who an agent is, who answers for it and what it may touch: `agent.yml`."""

    name: Name
    owner: Sentence
    """Who answers for it: a team or a mailbox."""
    use_case: Sentence
    """What it was approved for."""
    action_types: tuple[Name, ...] = Field(min_length=1)
    limits: Limits = Limits()
    windows: tuple[Window, ...] = ()
    """When it may have effects; at any time where none is named."""
    residency: tuple[Country, ...] | None = Field(default=None, min_length=1)
    """Countries whose entities it may act on; of every country, also an unknown one, where none is named."""
    columns: tuple[Name, ...] = ()
    """What `trigger.sql` may return beside `entity_id`, in any order; where none is named, what it returns."""
    review: tuple[str, ...] = ()
    """Names of the policies in `policy.cedar` that hold an action for a person."""
    credential_lifetime: Duration = timedelta(minutes=15)
    """How long a permit lasts."""
    session_lifetime: Duration = timedelta(hours=1)
    """How long it may take to answer a batch: how long the credential lasts that it is given for that."""
    approval_lifetime: Duration = timedelta(hours=24)
    """How long a person's consent to a proposal of its lasts."""
    exclude_owner: bool = False
    """Whether its owner, named by their mailbox, may not consent to what it proposes."""
    revisions: int = Field(default=2, ge=0, le=10)
    """How often it may revise a proposal that a person rejected."""
    credentials: Credentials = Credentials()
    memory: Sentence
    """What it keeps from one batch to the next."""
    metrics: tuple[Metric, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _short_lived(self) -> Self:
        if self.credential_lifetime > timedelta(hours=24):
            raise ValueError("a `credential_lifetime` of at most 24h")
        if self.session_lifetime > timedelta(hours=24):
            raise ValueError("a `session_lifetime` of at most 24h")
        if not timedelta() < self.approval_lifetime <= timedelta(days=7):
            raise ValueError("an `approval_lifetime` of at most 168h")
        if self.exclude_owner and "@" not in self.owner:
            raise ValueError(f"a mailbox as `owner`, where it is excluded (found {self.owner!r})")
        return self


@dataclass(frozen=True, slots=True)
class Agent:
    """A registered agent: its card and where its folder is."""

    card: AgentCard
    folder: Path

    @property
    def trigger(self) -> Path:
        """The SQL that wakes it."""
        return self.folder / "trigger.sql"

    @property
    def code(self) -> Path:
        """Its steps from trigger row to proposal."""
        return self.folder / "agent.py"

    @property
    def policy(self) -> Path:
        """Its guardrails."""
        return self.folder / "policy.cedar"

    @property
    def feedback(self) -> Path:
        """The SQL that shows what came of its effects."""
        return self.folder / "feedback.sql"


def load_agents(folder: Path) -> dict[str, Agent]:
    """The agents of a folder by name.

    Raises:
        AgentError: The folder is missing or holds no agent, an agent lacks a part of its loop, or its card says
            something that cannot be.
    """
    names = sorted(each for each in folder.iterdir() if _is_agent(each)) if folder.is_dir() else []
    if not names:
        raise AgentError(str(folder), "no agents", "a folder with at least one agent's folder in it")
    return {each.name: load_agent(each) for each in names}


def load_only(folder: Path, names: frozenset[str]) -> dict[str, Agent]:
    """The agents of a folder that a code server runs, where it is told which; the folders of others are not read.

    Raises:
        AgentError: As `load_agents`; or one of those names is no agent's.
    """
    if not names:
        return load_agents(folder)
    if unknown := sorted(name for name in names if not (folder / name).is_dir()):
        raise AgentError("PRECEDE_ONLY_AGENTS", ", ".join(unknown), f"names of agents in {folder}")
    return {name: load_agent(folder / name) for name in sorted(names)}


def load_agent(folder: Path) -> Agent:
    """The agent of one folder.

    Raises:
        AgentError: It lacks a part of its loop, or its card says something that cannot be.
    """
    for file, part in PARTS.items():
        path = folder / file
        if not path.is_file():
            raise AgentError(str(folder), f"no {file}, which is its {part}", "all five parts of the loop")
        if not path.stat().st_size:
            raise AgentError(str(path), "an empty file", f"the agent's {part}")
    card = read_declaration(folder / "agent.yml", AgentCard, AgentError)
    if card.name != folder.name:
        raise AgentError(f"{folder / 'agent.yml'}: name", repr(card.name), f"the folder's own name, {folder.name!r}")
    return Agent(card, folder)


def _is_agent(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith((".", "_"))
