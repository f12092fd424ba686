from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from orchestration.contracts import Batch, Pin
from orchestration.errors import StoreError
from orchestration.gate import stopping
from orchestration.gate.stops import Scope
from orchestration.graph import EntityGraph
from orchestration.registry import Agent
from orchestration.store import tables
from orchestration.work.due import wakes
from orchestration.work.exchange import Exchange
from orchestration.work.triggers import MOST_ROWS, WakeState, run_triggers
from tests.agents import write_agent
from tests.graph_fixture import BUSINESS_DATE, SNAPSHOT
from tests.waking import DUE_TODAY, NOW, TOMORROW, World, pin_of


def only(world: World, agent: Agent) -> None:
    world.agents = {agent.card.name: agent}


def test_overdue_invoices_wake_the_finance_agent_with_nothing_but_the_columns_on_its_card(world: World) -> None:
    [wake] = world.wake()
    assert wake.state is WakeState.WOKEN
    assert wake.batch is not None
    assert {row.values["number"] for row in wake.batch.rows} == {
        "INV-1001", "INV-1003", "INV-2001", "INV-3001", "INV-4001", "INV-5001",
    }  # fmt: skip
    assert wake.batch.rows[0].entity_id == "org_acme"
    assert wake.batch.rows[0].values == {
        "organisation": "Acme Widgets Ltd",
        "invoice": "erp:transaction:1001",
        "number": "INV-1001",
        "amount_open": "1200.00",
        "currency": "GBP",
        "due_on": "2026-10-03",
        "stage": 3,
        "person": "person_ada",
        "mailbox": "ada@acme.example",
    }
    assert world.exchange.read_batch("finance", wake.batch.batch_id) == wake.batch


def test_what_was_shown_is_in_the_store_and_the_ledger(world: World) -> None:
    [wake] = world.wake()
    assert wake.batch is not None
    [kept] = world.rows(tables.batch)
    assert (kept["state"], kept["row_count"], kept["pin"]) == ("waiting", 6, pin_of(SNAPSHOT).model_dump())
    assert {row["row_id"]: row["values"] for row in world.rows(tables.trigger_row)} == {
        row.row_id: row.values for row in wake.batch.rows
    }
    assert [entry["kind"] for entry in world.rows(tables.ledger_entry)][-2:] == ["batch", "credential"]


def test_an_agent_wakes_once_for_a_snapshot_and_business_date(world: World) -> None:
    world.wake()
    [again] = world.wake()
    assert (again.state, again.batch) == (WakeState.ALREADY, None)
    assert len(world.rows(tables.batch)) == 1


def test_an_invoice_that_falls_overdue_overnight_wakes_the_agent_though_no_row_changed(world: World) -> None:
    world.publish(DUE_TODAY)
    assert "INV-1004" not in world.invoices()
    world.answer()
    world.decide("allow")
    assert world.invoices(TOMORROW) == {"INV-1004"}


def test_an_invoice_that_reaches_the_next_dunning_stage_wakes_the_agent_again(world: World) -> None:
    world.wake()
    world.answer()
    world.decide("allow")
    stages = {row["number"]: row["stage"] for row in world.woken(BUSINESS_DATE + timedelta(days=5))}
    assert stages == {"INV-2001": 2, "INV-1004": 1}


@pytest.mark.parametrize("day", [BUSINESS_DATE, TOMORROW])
def test_a_graph_published_anew_with_nothing_changed_wakes_nobody(world: World, day: date) -> None:
    world.wake()
    world.answer()
    world.decide("deny", "conflict")
    world.publish()
    [wake] = world.wake(day)
    assert (wake.state, wake.left_out) == (WakeState.NOTHING_NEW, 6)
    assert world.exchange.waiting("finance") == []
    assert [(kept["state"], kept["row_count"]) for kept in world.rows(tables.batch)][1:] == [("closed", 0)]


@pytest.mark.parametrize("undecided", ["waiting", "answered"])
def test_a_row_that_is_still_being_answered_is_not_shown_twice(world: World, undecided: str) -> None:
    world.wake()
    if undecided == "answered":
        world.answer()
    world.publish()
    assert world.invoices() == set()


def test_a_row_that_was_denied_for_a_reason_that_may_pass_wakes_again_on_the_next_snapshot(world: World) -> None:
    world.wake()
    world.answer()
    world.decide("deny", "stale_source", transient=True)
    assert world.invoices() == set()
    world.publish()
    assert len(world.invoices()) == 6


def test_a_row_that_broke_a_limit_of_the_day_wakes_again_on_the_next_business_date(world: World) -> None:
    world.wake()
    world.answer()
    world.decide("deny", "entity_limit", transient=True)
    world.publish()
    assert world.invoices() == set()
    assert len(world.invoices(TOMORROW)) == 6


@pytest.mark.parametrize("verdict", ["allow", "review", "deny"])
def test_a_row_whose_last_decision_holds_does_not_wake_again(world: World, verdict: str) -> None:
    world.wake()
    world.answer()
    world.decide("deny", "stale_source", transient=True)
    world.publish()
    world.wake()
    world.answer()
    world.decide(verdict)
    world.publish()
    assert world.invoices() == set()


def test_a_row_whose_effect_is_known_not_to_have_happened_wakes_again(world: World) -> None:
    world.wake()
    world.answer()
    world.decide("allow")
    with world.store.begin() as connection:
        for number, proposed in enumerate(connection.execute(select(tables.proposal)).all()):
            state = "failed" if proposed.arguments["invoice"] == "erp:transaction:2001" else "done"
            common = {"action": proposed.action, "permit_id": f"p{number}"}
            connection.execute(
                insert(tables.permit).values(
                    **common,
                    agent="finance",
                    payload="",
                    signature="",
                    read_set_digest="",
                    issued_at=NOW,
                    expires_at=NOW,
                )
            )
            connection.execute(
                insert(tables.outbox).values(
                    **common,
                    effect_key=f"e{number}",
                    tool_server="erp",
                    tool="t",
                    tool_arguments={},
                    state=state,
                    attempts=1,
                    intended_at=NOW,
                )
            )
    world.publish()
    assert world.invoices() == {"INV-2001"}


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ("UPDATE invoice SET amount_open = 1000 WHERE number = 'INV-2001'", {"INV-2001"}),
        ("UPDATE source_record SET row_hash = 'x' WHERE record_id = 'erp:transaction:1003'", {"INV-1003"}),
        ("UPDATE source_record SET row_hash = 'x' WHERE record_id = 'erp:transaction_line:10030'", {"INV-1003"}),
        ("UPDATE entity SET version = 'v2' WHERE entity_id = 'org_acme'", {"INV-1001", "INV-1003"}),
        ("UPDATE entity SET version = 'v2' WHERE entity_id = 'person_eve'", {"INV-3001"}),
        ("UPDATE entity SET version = 'v2' WHERE entity_id = 'person_cat'", set()),
    ],
    ids=["amount", "dispute settled", "line", "customer", "contact", "somebody else"],
)
def test_a_row_wakes_again_when_something_that_it_names_has_changed(world: World, change: str, shown: set[str]) -> None:
    world.wake()
    world.answer()
    world.decide("deny", "conflict")
    world.publish(change)
    assert world.invoices() == shown


@pytest.mark.parametrize(("answer", "tomorrow"), [("declined", 0), ("failed", 6), ("refused", 6)])
def test_what_a_person_must_look_at_comes_again_the_next_day_and_what_was_declined_does_not(
    world: World, answer: str, tomorrow: int
) -> None:
    world.wake()
    with world.store.begin() as connection:
        connection.execute(update(tables.trigger_row).values(answer=answer))
    world.publish()
    assert world.invoices() == set()
    assert len(world.invoices(TOMORROW)) == tomorrow


@pytest.mark.parametrize(
    ("pin", "said"),
    [
        (None, "No materialisation"),
        (pin_of(SNAPSHOT).model_copy(update={"run_id": ""}), "No materialisation"),
        (pin_of("another"), "of version another"),
    ],
    ids=["none", "reported from outside", "of another graph"],
)
def test_without_the_materialisation_of_the_graph_nobody_is_woken(world: World, pin: Pin | None, said: str) -> None:
    [wake] = world.wake(pin=pin)
    assert wake.state is WakeState.REFUSED
    assert said in wake.detail
    assert world.rows(tables.batch) == []
    [later] = world.wake()
    assert later.state is WakeState.WOKEN


def test_a_graph_that_is_not_the_current_one_wakes_nobody(world: World) -> None:
    old = EntityGraph(world.graph.path)
    world.publish()
    [wake] = run_triggers(
        world.store, world.exchange, old, world.agents, business_date=BUSINESS_DATE, now=NOW, pin=pin_of(SNAPSHOT),
        key=world.key,
    )  # fmt: skip
    old.close()
    assert wake.state is WakeState.REFUSED


def stop(world: World) -> None:
    stopping.stop(world.store, Scope.agent("finance"), "too keen", operator="ada", now=NOW)


def start(world: World) -> None:
    stopping.start(world.store, Scope.agent("finance"), "told off", operator="ada", now=NOW)


def test_a_stopped_agent_is_not_woken_until_it_may_run_again(world: World) -> None:
    stop(world)
    [wake] = world.wake()
    assert wake.state is WakeState.STOPPED
    start(world)
    [wake] = world.wake()
    assert wake.state is WakeState.WOKEN


def test_what_waits_for_an_agent_is_withdrawn_while_it_is_stopped(world: World) -> None:
    [wake] = world.wake()
    assert wake.batch is not None
    stop(world)
    world.wake()
    assert world.exchange.waiting("finance") == []
    start(world)
    world.wake()
    assert world.exchange.read_batch("finance", wake.batch.batch_id) == wake.batch


class CrashError(Exception):
    pass


class CrashingExchange(Exchange):
    """Dies before anything is offered."""

    def offer(self, batch: Batch, credential: str) -> None:
        assert credential
        raise CrashError(batch.batch_id)


def test_a_batch_that_was_written_but_not_offered_is_offered_by_the_next_run(world: World) -> None:
    working, world.exchange = world.exchange, CrashingExchange(world.exchange.root)
    with pytest.raises(CrashError):
        world.wake()
    world.exchange = working
    [again] = world.wake()
    assert again.state is WakeState.ALREADY
    [batch_id] = working.waiting("finance")
    offered = working.read_batch("finance", batch_id)
    assert [row.row_id for row in offered.rows] == [row["row_id"] for row in world.rows(tables.trigger_row)]
    assert len(world.rows(tables.batch)) == 1


def test_nothing_is_offered_that_the_store_does_not_know(world: World) -> None:
    world.store.close()
    world.settings.home.joinpath("store.db").write_bytes(b"not a store")
    for left in world.settings.home.glob("store.db-*"):
        left.unlink()
    with pytest.raises(StoreError):
        world.wake()
    assert world.exchange.agents() == []


def test_a_batch_too_large_to_offer_is_not_written_either(world: World) -> None:
    world.exchange = Exchange(world.exchange.root, limit=500)
    [wake] = world.wake()
    assert wake.state is WakeState.FAILED
    assert "needed at most 500" in wake.detail
    assert world.rows(tables.batch) == []


def test_one_agent_with_a_broken_trigger_keeps_no_other_from_waking(world: World, tmp_path: Path) -> None:
    world.agents |= {"broken": write_agent(tmp_path / "agents", "broken", trigger="SELECT nothing FROM nowhere")}
    states = {wake.agent: wake.state for wake in world.wake()}
    assert states == {"broken": WakeState.FAILED, "finance": WakeState.WOKEN}


@pytest.mark.parametrize(
    ("trigger", "columns", "said"),
    [
        ("SELECT name FROM entity", "", "entity_id"),
        ("SELECT NULL AS entity_id, name FROM entity", "", "in every row"),
        ("SELECT entity_id, name, version FROM entity", "name", "those of agent.yml: name"),
        ("SELECT entity_id, name FROM entity", "name, standing", "those of agent.yml: name, standing"),
        ("SELECT entity_id, systems FROM entity", "", "list in column systems"),
        ("SELECT entity_id, 'NaN'::DOUBLE AS score FROM entity", "", "a finite number"),
        ("SELECT 1; SELECT 2", "", "one SELECT"),
        ("COPY entity TO '/tmp/stolen.csv'", "", "one SELECT"),
        ("SELECT $snapshot AS entity_id", "", "business_date"),
        ("SELECT content AS entity_id FROM read_text('/etc/passwd')", "", "trigger.sql"),
        ("SELECT entity_id FROM entity WHERE", "", "trigger.sql"),
    ],
)
def test_a_trigger_that_returns_what_it_may_not_says_what_is_wrong(
    world: World, tmp_path: Path, trigger: str, columns: str, said: str
) -> None:
    only(world, write_agent(tmp_path / "agents", trigger=trigger, columns=columns))
    [wake] = world.wake()
    assert wake.state is WakeState.FAILED
    assert said in wake.detail
    assert world.exchange.agents() == []


def test_equal_rows_are_shown_once(world: World, tmp_path: Path) -> None:
    twice = "SELECT 'org_acme' AS entity_id, 'Acme Widgets Ltd' AS name FROM range(2)"
    only(world, write_agent(tmp_path / "agents", trigger=twice))
    assert world.woken() == [{"name": "Acme Widgets Ltd"}]


def test_amounts_dates_and_times_reach_the_agent_as_exact_text(world: World, tmp_path: Path) -> None:
    values = """
        SELECT 'org_acme' AS entity_id, 1234567.10::DECIMAL(18,2) AS amount, DATE '2026-11-02' AS day, true AS flag,
            TIMESTAMPTZ '2026-11-02 09:00:00+01' AS at, NULL AS nothing, 3 AS number, 0.5::DOUBLE AS share
    """
    only(world, write_agent(tmp_path / "agents", trigger=values))
    assert world.woken() == [
        {
            "amount": "1234567.10",
            "day": "2026-11-02",
            "flag": True,
            "at": "2026-11-02T08:00:00+00:00",
            "nothing": None,
            "number": 3,
            "share": 0.5,
        }
    ]


def test_an_invoice_that_was_reminded_of_at_its_stage_does_not_wake_the_agent(world: World) -> None:
    source_row = """
        INSERT INTO source_record VALUES
        ('erp:customrecord_dunning:1', 'erp', 'customrecord_dunning', '1', 'h', '{}', $built_at, $built_at)
    """
    reminder = """
        INSERT INTO message BY NAME SELECT 'erp:customrecord_dunning:1' AS record_id, 'org_bolt' AS entity_id,
            'erp' AS system, 'customrecord_dunning' AS source_table, '1' AS source_key, 'h' AS row_hash,
            'payment_reminder' AS kind, 1 AS stage, 'erp:transaction:2001' AS invoice_record
    """
    world.publish(source_row, reminder)
    assert "INV-2001" not in world.invoices()
    assert "INV-2001" in world.invoices(BUSINESS_DATE + timedelta(days=5))


def test_an_invoice_of_a_customer_whom_nobody_can_be_written_to_still_wakes_the_agent(world: World) -> None:
    world.publish("DELETE FROM contact_point WHERE entity_id = 'person_finn'")
    [row] = [row for row in world.woken() if row["number"] == "INV-4001"]
    assert (row["person"], row["mailbox"]) == (None, None)


def test_a_mailbox_that_only_a_stranger_asserts_is_nobodys(world: World) -> None:
    world.publish("DELETE FROM contact_point WHERE entity_id IN ('person_ada', 'person_cat')")
    assert {row["mailbox"] for row in world.woken() if row["organisation"] == "Acme Widgets Ltd"} == {None}


def test_who_handles_invoices_at_the_customer_is_written_to_first(world: World) -> None:
    world.publish("UPDATE person SET job_title = 'Accounts Payable Clerk' WHERE entity_id = 'person_cat'")
    assert {row["person"] for row in world.woken() if row["organisation"] == "Acme Widgets Ltd"} == {"person_cat"}


def test_a_batch_that_was_not_offered_is_reason_enough_to_look_again(world: World) -> None:
    def due() -> list[str]:
        with world.store.read() as connection:
            return [one.why for one in wakes(connection, world.exchange, ["finance"], BUSINESS_DATE, NOW)]

    assert due() == [f"the snapshot {SNAPSHOT} on {BUSINESS_DATE}"]
    [wake] = world.wake()
    assert wake.batch is not None
    assert due() == []
    world.exchange.clear("finance", wake.batch.batch_id)
    assert due() == ["1 batches that were not offered"]
    stop(world)
    assert due() == []


def test_a_batch_shows_no_more_rows_than_can_be_answered_and_the_next_shows_the_rest(
    world: World, tmp_path: Path
) -> None:
    many = f"SELECT 'org_acme' AS entity_id, n FROM range({MOST_ROWS + 5}) AS r(n) ORDER BY n"
    only(world, write_agent(tmp_path / "agents", trigger=many))
    [wake] = world.wake()
    assert wake.batch is not None
    assert (len(wake.batch.rows), wake.postponed) == (MOST_ROWS, 5)
    assert [row.values["n"] for row in wake.batch.rows] == list(range(MOST_ROWS))
    world.publish()
    assert [row["n"] for row in world.woken()] == list(range(MOST_ROWS, MOST_ROWS + 5))
