"""The action type that docs/how-to/add-an-action-type.md adds is one that loads and that policies can speak of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from orchestration.action_types import ActionType, load_action_types
from orchestration.gate.cedar import NO_ANSWER
from orchestration.gate.policy_files import load_policies, load_vocabulary
from orchestration.gate.vocabulary import REQUIRED
from orchestration.registry import AgentCard
from orchestration.settings import PROJECT
from orchestration.work.tools import load_servers
from tests.documented import blocks
from tests.unit.gate.case import rules
from tests.unit.gate.test_decide import OBJECTIONS
from tests.unit.gate.test_policy import PERMIT, written

PAGE = "docs/how-to/add-an-action-type.md"
GATE = "docs/architecture-gate.md"
POLICIES = "docs/how-to/policies.md"
OF_THE_ACTION_TYPE = {
    *("invoice_paid", "invoice_disputed", "invoice_not_due", "invoice_not_receivable"),
    *("unknown_action_type", "missing_argument", "unexpected_argument", "not_reconciled"),
}
"""Reasons that its own file names, or that say themselves."""


@pytest.fixture
def note_call(tmp_path: Path) -> dict[str, ActionType]:
    declared, _ = (block for block in blocks("yaml") if block.where.startswith(PAGE))
    folder = tmp_path / "actions"
    folder.mkdir()
    (folder / "note_call.yml").write_text(declared.text, encoding="utf-8")
    return load_action_types(folder)


def test_the_action_type_of_the_page_loads(note_call: dict[str, ActionType]) -> None:
    assert note_call["note_call"].arguments == ("organisation", "ticket", "urgency")


def test_the_tool_server_of_the_page_is_one_that_can_be_registered(tmp_path: Path) -> None:
    _, servers = (block for block in blocks("yaml") if block.where.startswith(PAGE))
    (tmp_path / "servers.yml").write_text(servers.text, encoding="utf-8")
    assert list(load_servers(tmp_path / "servers.yml")["crm"].tools) == ["write_note"]


def test_policies_can_speak_of_the_action_type_of_the_page(note_call: dict[str, ActionType], tmp_path: Path) -> None:
    about = ';\n@id("look")\nforbid (principal, action == Action::"note_call", resource)\n'
    about += 'when { context.urgency == "today" && context.ticket.subject like "*lawyer*" };'
    agent = written(tmp_path / "one", PERMIT.replace(";", about))
    card = agent.card.model_copy(update={"action_types": (*agent.card.action_types, "note_call")})
    agent = replace(agent, card=card)
    policies = load_policies({"finance": agent}, {**rules().action_types, **note_call})
    assert policies["finance"].agent == "finance"


def test_the_policy_that_the_page_on_the_gate_shows_fits_the_schema(tmp_path: Path) -> None:
    (shown,) = (block for block in blocks("cedar") if block.where.startswith(GATE))
    agent = written(tmp_path, PERMIT + shown.text, review="[mine-large]")
    assert load_policies({"finance": agent}, rules().action_types)["finance"].review == {"mine-large"}


def test_every_objection_that_decisions_are_tested_for_is_named_on_the_page_on_the_gate() -> None:
    page = (PROJECT / GATE).read_text(encoding="utf-8")
    given = {said.partition(":")[0] for said in OBJECTIONS} - OF_THE_ACTION_TYPE
    assert sorted(code for code in given if f"`{code}`" not in page) == []


def test_the_bounds_that_the_page_on_policies_shows_are_ones_that_a_card_may_declare() -> None:
    (shown,) = (block for block in blocks("yaml") if block.where.startswith(POLICIES))
    said = yaml.safe_load(shown.text)
    card = AgentCard.model_validate({**rules().agents["finance"].card.model_dump(by_alias=True), **said})
    assert len(card.limits.rates) == 2
    assert card.limits.money_per_day is not None
    assert card.windows[0].fixed is not None
    assert card.residency == ("GB", "IE")


def test_the_page_on_the_gate_names_every_policy_of_the_core_its_reason_and_every_way_to_no_answer() -> None:
    page = (PROJECT / GATE).read_text(encoding="utf-8")
    core = load_vocabulary(rules().action_types).core
    said = [*core, *NO_ANSWER, *(each["annotations"].get("reason", "") for each in core.values())]
    said += [f"context.{name}" for name in REQUIRED if not name.startswith(("action", "business", "now", "objections"))]
    assert [name for name in said if name and f"`{name}`" not in page] == []
