"""What `precede run` says at the end: numbers of the current graph and of the store, for a machine and for a person."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import insert

from orchestration.cli.run_shown import show
from orchestration.cli.summary import Summary, as_json, collect, performed_so_far
from orchestration.gate.stopping import stop
from orchestration.gate.stops import Scope
from orchestration.settings import Settings
from orchestration.store import tables
from orchestration.store.engine import Store, open_store
from tests.graph_fixture import BUSINESS_DATE, SNAPSHOT, publish_graph

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.delenv("PRECEDE_STORE_URL", raising=False)
    return Settings(home=tmp_path)


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    store = open_store(settings)
    yield store
    store.close()


def decided(store: Store, action: str, *answers: tuple[str, tuple[str, ...]], state: str | None = None) -> None:
    """An action with its decisions, oldest first, and its effect's state."""
    with store.begin() as connection:
        connection.execute(
            insert(tables.proposal).values(
                action=action, batch_id="batch", row_id=action, agent="finance", action_type="send_payment_reminder",
                entity_id="org_acme", arguments={}, rationale="", proposed_at=NOW, digest=action,
            )
        )  # fmt: skip
        for verdict, codes in answers:
            reasons = [dict(zip(("code", "subject"), code.split(":"), strict=True)) for code in codes]
            connection.execute(
                insert(tables.decision).values(
                    action=action, verdict=verdict, reasons=reasons,
                    policies=[], policy_digest="", read_set_digest="", decided_at=NOW, transient=False,
                )
            )  # fmt: skip
        if state is not None:
            connection.execute(
                insert(tables.permit).values(
                    permit_id=f"permit-{action}", action=action, agent="finance", payload="", signature="",
                    read_set_digest="", issued_at=NOW, expires_at=NOW,
                )
            )  # fmt: skip
            connection.execute(
                insert(tables.outbox).values(
                    action=action, permit_id=f"permit-{action}", effect_key=action, tool_server="erp", tool="write",
                    tool_arguments={}, state=state, attempts=1, intended_at=NOW,
                )
            )  # fmt: skip


@pytest.fixture
def summary(settings: Settings, store: Store) -> Summary:
    with store.begin() as connection:
        connection.execute(
            insert(tables.batch).values(
                batch_id="batch", agent="finance", snapshot_id=SNAPSHOT, business_date=BUSINESS_DATE, created_at=NOW,
                state="closed", row_count=0,
            )
        )  # fmt: skip
    decided(store, "done", ("allow", ()), state="done")
    decided(store, "failed", ("allow", ()), state="failed")
    decided(store, "held", ("review", ("review:finance-large-amount",)))
    decided(store, "denied", ("deny", ("conflict:org_acme", "not_linked:crm")))
    decided(store, "void", ("allow", ()), ("deny", ("conflict:org_acme",)))
    with publish_graph(store, settings) as graph:
        return collect(graph, store)


def test_actions_count_by_their_last_decision_and_their_effect(summary: Summary, store: Store) -> None:
    actions = summary.actions
    assert (actions.performed, actions.review, actions.denied, actions.unsettled) == (1, 1, 2, 1)
    assert actions.denied_reasons == {"conflict": 2, "not_linked": 1}
    assert performed_so_far(store) == 1


def test_every_row_that_was_read_is_somewhere_in_the_counts(summary: Summary) -> None:
    for counts in summary.sources.values():
        assert counts.supporting >= 0
        assert counts.rows <= counts.records + counts.facts + counts.supporting + counts.quarantined


def test_the_object_has_the_keys_that_were_promised_and_counts_that_add_up(
    summary: Summary, settings: Settings
) -> None:
    said = as_json(summary)
    assert list(said) == [
        "snapshot", "graph", "sources", "records", "entities", "standing", "quarantined", "actions", "stopped",
    ]  # fmt: skip
    assert said["snapshot"] == SNAPSHOT
    assert Path(said["graph"]) == settings.snapshots / f"{SNAPSHOT}.duckdb"
    assert {tuple(counts) for counts in said["sources"].values()} == {
        ("rows", "records", "facts", "supporting", "quarantined")
    }
    assert said["records"] == sum(counts["records"] for counts in said["sources"].values()) > 0
    assert set(said["standing"]) == {"organisation", "person"}
    assert said["entities"] >= sum(said["standing"].values()) > 0
    assert said["actions"] == {"performed": 1, "review": 1, "denied": 2}
    assert said["stopped"] == {}


def test_what_is_stopped_is_in_the_summary(settings: Settings, store: Store) -> None:
    for scope in (Scope.agent("finance"), Scope.action_type("send_payment_reminder"), Scope.everything()):
        stop(store, scope, "an incident", operator="ada", now=NOW)
    with publish_graph(store, settings) as graph:
        summary = collect(graph, store)
    assert set(summary.stopped) == {"finance", "the action type send_payment_reminder", "every agent"}
    page = io.StringIO()
    show(summary, Console(file=page, width=100), performed_now=0, link=Path("graph.duckdb"), example=None)
    assert "every agent is stopped: an incident" in page.getvalue()


def test_a_person_reads_every_number_with_its_reason(summary: Summary) -> None:
    page = io.StringIO()
    show(summary, Console(file=page, width=100), performed_now=0, link=Path("graph.duckdb"), example="Acme Ltd")
    text = page.getvalue()
    for system, counts in summary.sources.items():
        assert system in text
        assert f"{counts.rows:,}" in text
    assert "1 performed in all, 0 of them in this run" in text
    assert "finance-large-amount" in text
    assert "not linked" in text
    assert "precede find 'Acme Ltd'" in text


def test_a_summary_of_next_to_nothing_can_be_shown_too(settings: Settings, store: Store) -> None:
    with publish_graph(store, settings, "DELETE FROM conflict", "DELETE FROM quarantine") as graph:
        summary = collect(graph, store)
    page = io.StringIO()
    show(summary, Console(file=page, width=100), performed_now=0, link=Path("graph.duckdb"), example=None)
    assert "Every row could be used." in page.getvalue()
    assert "No conflicts." in page.getvalue()
