from __future__ import annotations

import sys
from pathlib import Path
from shutil import copytree

import pytest

from orchestration.action_types import load_action_types
from orchestration.errors import ActionTypeError, AgentError, ConfigurationError
from orchestration.gate.keys import public_key, signing_key
from orchestration.gate.rules import load_rules
from orchestration.registry import PARTS, load_agents
from orchestration.settings import PROJECT, Settings
from tests.unit.gate.case import AGENTS

ACTIONS = PROJECT / "orchestration" / "actions"


@pytest.fixture
def agents(tmp_path: Path) -> Path:
    return Path(copytree(AGENTS, tmp_path / "agents"))


def test_an_agent_is_all_five_parts_of_its_loop_and_loading_runs_none_of_them(agents: Path) -> None:
    (agents / "finance" / "agent.py").write_text("import sys\nsys.was_run = True\n", encoding="utf-8")
    found = load_agents(agents)
    assert sorted(found) == ["collections", "finance"]
    assert found["finance"].card.limits.per_batch == 40
    assert not hasattr(sys, "was_run")


@pytest.mark.parametrize(("file", "part"), PARTS.items())
def test_an_agent_that_lacks_a_part_of_its_loop_does_not_load_and_the_part_is_named(
    agents: Path, file: str, part: str
) -> None:
    (agents / "finance" / file).unlink()
    with pytest.raises(AgentError) as refused:
        load_agents(agents)
    assert f"no {file}, which is its {part}" in str(refused.value)
    assert "all five parts of the loop" in str(refused.value)


def test_an_empty_part_is_none(agents: Path) -> None:
    (agents / "finance" / "feedback.sql").write_text("", encoding="utf-8")
    with pytest.raises(AgentError, match=r"an empty file; needed the agent's Feedback"):
        load_agents(agents)


@pytest.mark.parametrize(
    ("found", "instead", "said"),
    [
        ("name: finance", "name: fnance", "the folder's own name"),
        ("owner: Credit control", "", "owner: found nothing; needed field required"),
        ("[send_payment_reminder]", "[]", "at least 1 item"),
        ("per_batch: 40", "per_batch: -1", "limits.per_batch: found -1"),
        ("credential_lifetime: 15m", "credential_lifetime: 25h", "at most 24h"),
        ("credential_lifetime: 15m", "credential_lifetime: 15", "such as 15m"),
        ("memory: none", "memory: none\ncredentials: {env: [PRECEDE_STORE_URL]}", "found PRECEDE_STORE_URL"),
        ("memory: none", "memory: none\npassword: hunter2", "not permitted"),
        ("memory: none", "memory: [", "YAML in UTF-8"),
    ],
)
def test_a_card_that_cannot_be_is_refused_with_file_and_field(
    agents: Path, found: str, instead: str, said: str
) -> None:
    card = agents / "finance" / "agent.yml"
    text = card.read_text(encoding="utf-8")
    assert found in text
    card.write_text(text.replace(found, instead), encoding="utf-8")
    with pytest.raises(AgentError) as refused:
        load_agents(agents)
    assert str(card) in str(refused.value)
    assert said in str(refused.value)


def test_a_folder_without_agents_or_action_types_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="no agents"):
        load_agents(tmp_path / "nowhere")
    with pytest.raises(ActionTypeError, match="no action types"):
        load_action_types(tmp_path)


def test_an_action_type_is_called_as_its_file_is(tmp_path: Path) -> None:
    text = (ACTIONS / "send_payment_reminder.yml").read_text(encoding="utf-8")
    (tmp_path / "remind.yml").write_text(text, encoding="utf-8")
    with pytest.raises(ActionTypeError, match="the file's own name, 'remind'"):
        load_action_types(tmp_path)


def test_an_action_type_that_settles_for_one_system_is_refused_with_file_and_field(tmp_path: Path) -> None:
    text = (ACTIONS / "send_payment_reminder.yml").read_text(encoding="utf-8")
    file = tmp_path / "send_payment_reminder.yml"
    file.write_text(text.replace("linked: [crm]\n    searched: [support]", "linked: [crm]"), encoding="utf-8")
    with pytest.raises(ActionTypeError) as refused:
        load_action_types(tmp_path)
    assert f"{file}: parameters.person" in str(refused.value)
    assert "at least two systems" in str(refused.value)


def test_the_products_own_rules_load() -> None:
    rules = load_rules(Settings(actions=ACTIONS, agents=PROJECT / "action" / "agents"))
    assert rules.policies.keys() == rules.agents.keys()
    assert set(rules.action_types) >= {name for agent in rules.agents.values() for name in agent.card.action_types}


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    signing_key(tmp_path)
    (tmp_path / "permit.key").chmod(0o644)
    with pytest.raises(ConfigurationError, match="others may read"):
        signing_key(tmp_path)


def test_a_key_is_made_once_and_its_public_half_put_right(tmp_path: Path) -> None:
    first = signing_key(tmp_path).public_key().public_bytes_raw()
    (tmp_path / "permit.pub").write_text("something else", encoding="utf-8")
    assert signing_key(tmp_path).public_key().public_bytes_raw() == first
    assert public_key(tmp_path / "permit.pub").public_bytes_raw() == first
    assert {file.name for file in tmp_path.iterdir()} == {"permit.key", "permit.pub"}


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_what_is_no_public_key_is_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "permit.pub").write_bytes(content)
    with pytest.raises(ConfigurationError, match="public key"):
        public_key(tmp_path / "permit.pub")
