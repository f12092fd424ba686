"""A small story in the store: a snapshot, a batch, one reminder performed and one denied, each recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from orchestration.canonical import canonical, plain
from orchestration.contracts import Pin
from orchestration.ledger import committed, entries, entries_effects, pins
from orchestration.ledger.entries_calls import begun
from orchestration.store import tables
from orchestration.store.engine import Store
from tests.integration.ledger import recording

NOW = datetime(2026, 11, 2, 9, 0, 0, 123456, tzinfo=UTC)
BATCH = "batch_1"
DONE, DENIED = "act_1111aaaa", "act_1111bbbb"
GRAPH_PIN = Pin(asset_key="entity_graph", storage_id=7, run_id="run-1", data_version="snap_1")
READ_SET = {"invoice": {"amount_open": "1250.50", "due_on": "2026-10-01"}, "mailbox": "ada@example.com"}
SOURCE_ROW = {
    "record_id": "erp:transaction:42",
    "system": "erp",
    "source_table": "transaction",
    "source_key": "42",
    "row_hash": "ab" * 32,
    "row": {"id": "42", "entity": "7"},
    "supports": [],
}
LINE = {
    "record_id": "erp:transaction_line:420",
    "system": "erp",
    "source_table": "transaction_line",
    "source_key": "420",
    "row_hash": "cd" * 32,
    "row": {"uniquekey": "420", "transaction": "42", "foreignamountunpaid": "1250.50"},
    "supports": ["erp:transaction:42"],
}


def tell(store: Store, pin: Pin | None = GRAPH_PIN) -> None:
    """Write the whole story, one transaction an event, as the product does."""
    snapshot(store, pin)
    batch(store, pin)
    decide(store, DONE, "allow", pin)
    decide(store, DENIED, "deny", pin)
    intend(store, DONE)
    settle(store, DONE, "done")


def snapshot(store: Store, pin: Pin | None = GRAPH_PIN) -> None:
    with store.begin() as connection:
        row = {
            "snapshot_id": "snap_1",
            "path": "graph/snap_1.duckdb",
            "file_digest": "9" * 64,
            "run_id": "run-1",
            "built_at": NOW,
            "published_at": NOW,
            "checks": {"duplicate_keys": "passed"},
            "pin": pin and pin.model_dump(),
        }
        connection.execute(insert(tables.snapshot).values(row))
        connection.execute(insert(tables.pointer).values(id=1, snapshot_id="snap_1", moved_at=NOW))
        entries.snapshot_published(connection, "snap_1", at=NOW)


def batch(store: Store, pin: Pin | None = GRAPH_PIN, batch_id: str = BATCH) -> None:
    with store.begin() as connection:
        row = {
            "batch_id": batch_id,
            "agent": "finance",
            "snapshot_id": "snap_1",
            "business_date": date(2026, 11, 2),
            "created_at": NOW,
            "state": "waiting",
            "pin": pin and pin.model_dump(),
            "row_count": 2,
        }
        connection.execute(insert(tables.batch).values(row))
        for name in ("1", "2"):
            values = {"invoice": f"erp:transaction:{name}", "days_overdue": 32, "amount": 1250.5}
            shown = {"row_id": f"{batch_id}_{name}", "batch_id": batch_id, "entity_id": f"org_{name}", "values": values}
            connection.execute(insert(tables.trigger_row).values({**shown, "digest": name * 64}))
        entries.batch_opened(connection, batch_id, at=NOW)


def decide(store: Store, action: str, verdict: str, pin: Pin | None = GRAPH_PIN) -> None:
    with store.begin() as connection:
        propose(connection, action)
        given = connection.execute(
            insert(tables.decision).values(
                action=action,
                verdict=verdict,
                reasons=[{"code": "invoice_paid", "subject": "erp:transaction:42", "detail": "Paid."}],
                policies=["finance.external"],
                policy_digest="c" * 64,
                read_set_digest="d" * 64,
                snapshot_id="snap_1",
                decided_at=NOW,
                transient=False,
            )
        )
        pinned = [] if pin is None else [pin]
        evidence = {
            "action": action,
            "read_set": READ_SET,
            "entities": {"entity": [{"entity_id": "org_1", "name": "Ada's Äpfel GmbH"}], "crosswalk": []},
            "source_rows": [SOURCE_ROW, LINE],
            # a denial as earlier versions kept its pins
            "materialisations": pins.keep(connection, pinned) if verdict == "allow" else plain(pinned),
            "kept_at": NOW,
        }
        connection.execute(insert(tables.evidence).values(evidence))
        permit = permit_of(connection, action) if verdict == "allow" else None
        decision_id = given.inserted_primary_key
        assert decision_id is not None
        recording.decided(connection, decision_id[0], at=NOW, permit_id=permit)


def propose(connection: Connection, action: str) -> None:
    row = {
        "action": action,
        "batch_id": BATCH,
        "row_id": f"{BATCH}_1",
        "agent": "finance",
        "action_type": "send_payment_reminder",
        "entity_id": "org_1",
        "arguments": {"invoice": "erp:transaction:42", "mailbox": "ada@example.com", "stage": 1},
        "rationale": "32 days overdue",
        "proposed_at": NOW,
        "digest": "e" * 64,
    }
    connection.execute(insert(tables.proposal).values(row))


def answer(connection: Connection, action: str) -> None:
    """Take in the answer that proposed an action for the batch's first row."""
    table = tables.proposal
    row = connection.execute(select(table).where(table.c.action == action)).mappings().one()
    connection.execute(
        update(tables.trigger_row).where(tables.trigger_row.c.row_id == row["row_id"]).values(answer="proposed")
    )
    unread = tables.batch.c.state == "waiting"
    connection.execute(update(tables.batch).where(unread).values(state="answered"))
    payload = {"proposals": {action: committed.of_proposal(dict(row))}, "declined": {}}
    entries.answered(connection, {"batch": BATCH, "agent": "finance"}, payload, at=NOW)


def decline(store: Store, row_id: str, reason: str) -> None:
    """Take in an answer that declines a row."""
    with store.begin() as connection:
        shown = tables.trigger_row.c.row_id == row_id
        connection.execute(update(tables.trigger_row).where(shown).values(answer="declined", reason=reason))
        connection.execute(update(tables.batch).values(state="answered"))
        body = {"batch": BATCH, "agent": "finance"}
        entries.answered(connection, body, {"proposals": {}, "declined": {row_id: reason}}, at=NOW)


def permit_of(connection: Connection, action: str) -> str:
    row = {
        "permit_id": f"permit_{action}",
        "action": action,
        "agent": "finance",
        "payload": canonical({"action": action}).decode(),
        "signature": "c2lnbmVk",
        "read_set_digest": "d" * 64,
        "issued_at": NOW,
        "expires_at": NOW + timedelta(minutes=15),
    }
    connection.execute(insert(tables.permit).values(row))
    return f"permit_{action}"


def intend(store: Store, action: str) -> None:
    with store.begin() as connection:
        connection.execute(
            update(tables.permit).where(tables.permit.c.action == action).values(consumed_at=NOW + timedelta(seconds=1))
        )
        row = {
            "action": action,
            "permit_id": f"permit_{action}",
            "effect_key": "reminder:erp:transaction:42:1",
            "tool_server": "erp",
            "tool": "write_payment_reminder",
            "tool_arguments": {"invoice": "42", "recipient": "ada@example.com", "stage": 1},
            "state": "pending",
            "attempts": 0,
            "intended_at": NOW,
        }
        connection.execute(insert(tables.outbox).values(row))
        recording.intended(connection, action, at=NOW)


def begin(store: Store, action: str) -> None:
    with store.begin() as connection:
        mine = update(tables.outbox).where(tables.outbox.c.action == action)
        connection.execute(mine.values(state="sending", attempts=1))
        row = connection.execute(select(tables.outbox).where(tables.outbox.c.action == action)).mappings().one()
        begun(connection, dict(row), at=NOW)


def settle(store: Store, action: str, state: str) -> None:
    with store.begin() as connection:
        row = {"state": state, "attempts": 1, "reference": "erp:dunning:9", "settled_at": NOW + timedelta(seconds=2)}
        connection.execute(update(tables.outbox).where(tables.outbox.c.action == action).values(row))
        entries_effects.settled(connection, action, at=NOW + timedelta(seconds=2))


@contextmanager
def undone(store: Store) -> Iterator[Connection]:
    """A transaction in which anything may be edited, and of which nothing stays."""
    with store.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        yield connection
        connection.rollback()
