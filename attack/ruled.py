"""Rules of an attack's own: the tests' agents, with another policy or another card."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree
from typing import Final

from orchestration.action_types import load_action_types
from orchestration.gate.policy_files import load_policies
from orchestration.gate.rules import Rules
from orchestration.registry import load_agents
from orchestration.settings import PROJECT
from tests.unit.gate.case import AGENTS

ACTIONS: Final = PROJECT / "orchestration" / "actions"


def with_policy(folder: Path, policy: str, card: tuple[str, str] = ("", ""), *, added: bool = True) -> Rules:
    """The rules, where finance's policy file says something else.

    Args:
        folder: Where the agents' folders are written; each call writes them anew.
        policy: What the file says.
        card: What of the card is replaced by what.
        added: Whether it says that beside what it said.

    Raises:
        PrecedeError: That can be no rule.
    """
    agents = folder / f"agents-{sum(1 for _ in folder.iterdir())}"
    copytree(AGENTS, agents)
    file, yml = agents / "finance" / "policy.cedar", agents / "finance" / "agent.yml"
    file.write_text((file.read_text() if added else "") + policy)
    yml.write_text(yml.read_text().replace(*card) if card[0] else yml.read_text())
    known, types = load_agents(agents), load_action_types(ACTIONS)
    return Rules(types, known, load_policies(known, types))
