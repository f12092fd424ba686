"""Listing actions, walking one back, and verifying the record from the command line."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import update

from orchestration.settings import Settings
from orchestration.store.engine import open_store
from orchestration.store.tables import decision
from tests.integration.cli.conftest import Precede
from tests.integration.ledger.story import DENIED, DONE

pytestmark = pytest.mark.usefixtures("told")


def test_actions_are_listed_with_decision_reasons_and_outcome(precede: Precede) -> None:
    result = precede("actions")
    assert result.code == 0
    for told in (DONE, DENIED, "allow", "deny", "invoice paid: erp:transaction:42", "send payment reminder (finance)"):
        assert told in result.out
    assert max(map(len, result.out.splitlines())) <= 100


def test_actions_give_json(precede: Precede) -> None:
    listed = precede("actions", "--json").json
    assert [one["action"] for one in listed] == [DONE, DENIED]
    said = {"action", "agent", "type", "entity", "decision", "reasons", "outcome", "undone", "review", "at"}
    assert set(listed[0]) == said
    assert [(one["decision"], one["outcome"]) for one in listed] == [("allow", "done"), ("deny", None)]
    assert listed[1]["reasons"][0]["code"] == "invoice_paid"
    assert listed[0]["at"] == "2026-11-02T09:00:02.123456+00:00"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--decision", "deny"], [DENIED]),
        (["--agent", "finance"], [DONE, DENIED]),
        (["--entity", "org_1"], [DONE, DENIED]),
        (["--entity", "org_2"], []),
        (["--limit", "1"], [DONE]),
    ],
)
def test_actions_can_be_narrowed(precede: Precede, options: list[str], expected: list[str]) -> None:
    assert [one["action"] for one in precede("actions", "--json", *options).json] == expected


def test_actions_say_how_many_more_there_are(precede: Precede) -> None:
    assert "and 1 more" in precede("actions", "--limit", "1").out
    assert "No action is of that agent, entity id or decision" in precede("actions", "--entity", "org_none").out


@pytest.mark.parametrize("command", [("actions",), ("report",), ("review", "list")])
def test_an_agent_that_never_was_is_told(precede: Precede, command: tuple[str, ...]) -> None:
    done = precede(*command, "--agent", "sales")
    assert (done.code, "There is no agent 'sales'; needed one of: finance" in done.err) == (1, True)


def test_the_last_decision_of_an_action_counts(precede: Precede, told: Path) -> None:
    with closing(open_store(Settings(home=told))) as store, store.begin() as connection:
        row = connection.execute(decision.select().where(decision.c.action == DENIED)).mappings().one()
        again = {**row, "decision_id": row["decision_id"] + 10, "verdict": "review", "reasons": []}
        connection.execute(decision.insert().values(again))
    listed = {one["action"]: one for one in precede("actions", "--json").json}
    assert (listed[DENIED]["decision"], listed[DENIED]["reasons"]) == ("review", [])
    assert len(listed) == 2


def test_trace_walks_from_effect_to_source_rows_though_the_graph_has_expired(precede: Precede) -> None:
    result = precede("trace", DONE, "--full")
    assert result.code == 0
    for told in (
        "Effect: done",
        "erp/write_payment_reminder",
        f"permit_{DONE}",
        "Decision: allow",
        "snap_1",
        "entity_graph",
        "erp:transaction:42",
        "erp:transaction_line:420",
        "completes erp:transaction:42",
        "foreignamountunpaid=1250.50",
        "what the ledger recorded",
    ):
        assert told in result.out
    assert max(map(len, result.out.splitlines())) <= 100


def test_trace_shows_the_chain_from_effect_to_source_rows_first(precede: Precede) -> None:
    result = precede("trace", DONE)
    said = " ".join(result.out.split())
    chain = ["effect done by erp/write_payment_reminder", f"<- permit permit_{DONE}", "<- decision allow", "<- entity"]
    chain += ["<- snapshot snap_1", "<- source rows erp:transaction:42, erp:transaction_line:420", "in the ledger"]
    places = [said.index(each) for each in chain]
    assert places == sorted(places)
    assert "what the ledger recorded" in said
    assert "--full shows" in said
    assert "foreignamountunpaid" not in said
    assert len(result.out.splitlines()) < len(precede("trace", DONE, "--full").out.splitlines()) / 2


def test_trace_gives_json(precede: Precede) -> None:
    walked = precede("trace", DONE, "--json").json
    needed = {"action", "entity", "permit", "decision", "snapshot", "materialisations", "source_rows"}
    assert needed <= set(walked)
    assert (walked["action"], walked["decision"], walked["snapshot"]) == (DONE, "allow", "snap_1")
    assert [pin["asset_key"] for pin in walked["materialisations"]] == ["entity_graph"]
    assert [row["record_id"] for row in walked["source_rows"]] == ["erp:transaction:42", "erp:transaction_line:420"]
    assert [row["supports"] for row in walked["source_rows"]] == [[], ["erp:transaction:42"]]


def test_trace_of_a_denied_action_has_no_permit_and_no_effect(precede: Precede) -> None:
    result = precede("trace", DENIED)
    assert "<- decision     deny" in result.out
    assert "Why it is denied" in result.out
    assert "permit" not in result.out
    assert "effect " not in result.out
    assert "Decision: deny" in precede("trace", DENIED, "--full").out


def test_trace_of_an_unknown_action_is_one_sentence(precede: Precede) -> None:
    result = precede("trace", "act_unknown")
    assert (result.code, result.out) == (1, "")
    assert "No action has the id 'act_unknown'" in result.err


def test_a_sound_ledger_is_verified(precede: Precede) -> None:
    result = precede("ledger", "verify")
    assert result.code == 0
    assert "The ledger is sound" in result.out
    verified = precede("ledger", "verify", "--json").json
    assert verified["ok"] is True
    assert verified["entries"] > 0
    assert verified["problems"] == []


def test_an_edited_record_is_a_problem_and_a_failure(precede: Precede, told: Path) -> None:
    with closing(open_store(Settings(home=told))) as store, store.begin() as connection:
        connection.execute(update(decision).where(decision.c.action == DENIED).values(verdict="allow"))
    result = precede("ledger", "verify")
    assert result.code == 1
    assert "1 problem in" in result.out
    edited = precede("ledger", "verify", "--json")
    assert edited.code == 1
    assert edited.json["ok"] is False
    assert edited.json["problems"]
