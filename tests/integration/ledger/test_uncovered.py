"""What no entry covers is what docs/security.md says: every column of a longer story is edited, one by one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Integer, Table, select, update
from sqlalchemy.exc import IntegrityError

from orchestration.erasure.objections import object_
from orchestration.ledger.verify import record_of
from orchestration.settings import PROJECT
from orchestration.store import tables
from orchestration.store.tables import UtcDateTime
from tests.integration.gate.approving import LARGE, approve, sound
from tests.integration.gate.conftest import published, world
from tests.integration.gate.test_undo import take_back
from tests.integration.gate.world import World
from tests.integration.ledger.story import undone

__all__ = ["published", "world"]

OF_THE_LEDGER = {"ledger_entry", "ledger_payload", "checkpoint"}
WITHOUT_ENTRIES = {"watermark", "notification"}
READ_BACK = {"confirmed_record", "confirmed_at", "missing_at"}
UNCOVERED = {
    "approval": {"permit_id", "void_code"},  # while it was not used, or is not void
    "held": {"checked_snapshot", "postponed"},
    "objection": {"number", "withdrawn_by", "withdrawn_reason"},
    "outbox": {"attempts", "by_person", "detail", "reference", "settled_at", "state", *READ_BACK},
    "pointer": {"id"},
    "policy_set": {"agent", "first_used_at"},
    "undo": {"attempts", "by_person", *READ_BACK},
}
"""Of the story below; what is said of an effect (`detail`, `reference`, `settled_at`) is covered once it is settled."""


def test_every_edit_of_a_row_is_noticed_but_for_those_that_the_page_names(world: World) -> None:
    told(world)
    assert sound(world)
    missed: dict[str, set[str]] = {}
    for table, column, row in one_of_each_state(world):
        with undone(world.store) as connection:
            this = (table.c[key.name] == row[key.name] for key in table.primary_key)
            try:
                connection.execute(update(table).where(*this).values({column.name: other(column, row[column.name])}))
            except IntegrityError:
                continue
            if record_of(connection, world.settings).ok:
                missed.setdefault(table.name, set()).add(column.name)
    assert missed == UNCOVERED


def test_the_page_names_each_of_them() -> None:
    page = (PROJECT / "docs" / "security.md").read_text(encoding="utf-8")
    told = page[page.index("These have no entry") : page.index("What an edit of them can do")]
    named = {name.rpartition(".")[2] for name in re.findall(r"`([^`]+)`", told)}
    assert {column for columns in UNCOVERED.values() for column in columns} <= named


def told(world: World) -> None:
    """Effects that were sent, taken back, and wait; permits that are unused; what is held, and what was approved."""
    take_back(world, world.remind()[0])
    with world.store.begin() as connection:
        object_(connection, "mailbox", "a", ["s" * 32], operator="ada", reason="no", now=world.now)
    [*large, small] = world.debtors
    for debtor in large:
        debtor.amount_open = LARGE
    world.publish()
    world.now += timedelta(minutes=1)
    batch = world.wake()
    actions = [world.propose(batch, debtor, stage=2) for debtor in (*large, small)]
    with world.gate() as gate:
        gate.decide(batch, world.now)
        world.now += timedelta(seconds=5)
        approve(world, actions[0])
        gate.decide(batch, world.now)
        gate.perform(actions[0], world.now)
    approve(world, actions[1])


def one_of_each_state(world: World) -> Iterator[tuple[Table, Column[Any], dict[str, Any]]]:
    """Every column of every table that entries tell of, with a row of each state that there is."""
    for table in tables.metadata.sorted_tables:
        if table.name in OF_THE_LEDGER | WITHOUT_ENTRIES:
            continue
        with world.store.read() as connection:
            rows = [dict(row) for row in connection.execute(select(table)).mappings()]
        for row in {row.get("state", row.get("verdict")): row for row in rows}.values():
            for column in table.columns:
                yield table, column, row


def other(column: Column[Any], value: Any) -> Any:
    """Another value than a column's."""
    match column.type:
        case JSON():
            return {"other": value}
        case UtcDateTime():
            return (value or datetime(2026, 1, 1, tzinfo=UTC)) + timedelta(seconds=7)
        case Boolean():
            return not value
        case Integer():
            return (value or 0) + 1
    return value + timedelta(days=1) if isinstance(value, date) else f"{value or ''}x"
