"""The agent that docs/how-to/write-an-agent.md writes is one that works as the page says."""

from __future__ import annotations

from pathlib import Path

import pytest

from action.loading import load_workflow
from orchestration.gate.policy_files import load_policies
from orchestration.registry import Agent, load_agent
from orchestration.settings import PROJECT
from tests.documented import blocks
from tests.waking import ACTION_TYPES, World, answer

PAGE = "docs/how-to/write-an-agent.md"
FILES = {
    "agent.yml": "yaml",
    "trigger.sql": "duckdb",
    "agent.py": "python",
    "policy.cedar": "cedar",
    "feedback.sql": "sql",
}


@pytest.fixture
def courtesy(tmp_path: Path) -> Agent:
    folder = tmp_path / "agents" / "courtesy"
    folder.mkdir(parents=True)
    for file, language in FILES.items():
        first = next(block for block in blocks(language) if block.where.startswith(PAGE))
        (folder / file).write_text(first.text)
    return load_agent(folder)


def test_the_agent_of_the_page_wakes_and_proposes(world: World, courtesy: Agent) -> None:
    world.agents = {"courtesy": courtesy}
    [wake] = world.wake()
    assert wake.batch is not None
    said = answer(wake.batch, load_workflow(courtesy.code))
    assert [one.arguments["invoice"] for one in said.proposals] == ["erp:transaction:2001"]
    assert (said.declined, said.failed) == ({}, {})


def test_the_policies_of_the_page_fit_its_card(courtesy: Agent) -> None:
    assert load_policies({"courtesy": courtesy}, ACTION_TYPES)["courtesy"].review == {"courtesy-large-amount"}


def test_the_feedback_of_the_page_measures_what_its_card_promises(world: World, courtesy: Agent) -> None:
    [row] = world.graph.rows(courtesy.feedback.read_text())
    assert (row["metric"], row["value"]) == (courtesy.card.metrics[0].name, 0.0)


def test_the_page_names_the_test_it_speaks_of() -> None:
    assert (PROJECT / "tests" / "integration" / "work" / "test_hostile_agent.py").is_file()
