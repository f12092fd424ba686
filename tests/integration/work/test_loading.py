from __future__ import annotations

from pathlib import Path

import pytest

from action.loading import load_workflow
from orchestration.errors import AgentError
from tests.agents import CODE, write_agent


def test_an_agents_steps_are_loaded_from_its_folder(tmp_path: Path) -> None:
    assert [step.name for step in load_workflow(write_agent(tmp_path).code).steps] == ["say"]


def test_two_agents_do_not_share_a_module(tmp_path: Path) -> None:
    first = write_agent(tmp_path, "first")
    second = write_agent(tmp_path, "second", code=CODE.replace('"say"', '"shout"', 1))
    assert [load_workflow(agent.code).steps[0].name for agent in (first, second, first)] == ["say", "shout", "say"]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import nothing_of_the_kind", "ModuleNotFoundError"),
        ("def", "SyntaxError"),
        ("raise SystemExit(0)", "SystemExit"),
        ("x = 1", "no `workflow`"),
        ("workflow = 1", "no `workflow`"),
        (CODE.replace('"say"', '"Say"', 1), "named 'Say'"),
        (CODE.replace("}), Proposal)", "}), dict)"), "last steps whose output is a Proposal"),
    ],
    ids=["import", "syntax", "exit", "none", "no pattern", "name", "no proposal"],
)
def test_an_agent_that_cannot_be_loaded_says_which_file_and_why(tmp_path: Path, code: str, said: str) -> None:
    with pytest.raises(AgentError, match=said) as refused:
        load_workflow(write_agent(tmp_path, code=code).code)
    assert str(tmp_path / "tester" / "agent.py") in str(refused.value)
