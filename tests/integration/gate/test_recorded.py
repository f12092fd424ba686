"""What is recorded of decisions from what was just written is what is recorded of the rows that the store holds."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from sqlalchemy import select

from orchestration.canonical import canonical
from orchestration.contracts import Verdict
from orchestration.ledger.entries_decisions import told as told_of
from orchestration.ledger.kinds import DECISION
from orchestration.ledger.verify import verify
from orchestration.store import tables
from tests.integration.gate.world import World
from tests.integration.ledger.recording import stored

ODD = ("Ltd \x1f & \u202e", "\U0001f600 e\u0301 \u2028", '"\\" {"a": 1.0}', "x" * 20_000, ":1.5, [2e5]")


@pytest.mark.parametrize("name", ODD)
def test_an_entry_commits_to_what_the_store_holds(world: World, name: str) -> None:
    world.debtors[0].called = name
    world.debtors[1].disputed = True
    world.debtors[2].amount_open = Decimal(9000)
    world.publish()
    batch_id, actions = world.propose_all()
    actions.append(world.propose(batch_id, world.debtors[0], person="nobody"))
    with world.gate() as gate:
        decisions = gate.decide(batch_id, world.now)
    assert {each.action for each in decisions} == set(actions)
    assert {each.verdict for each in decisions} == set(Verdict)
    with world.store.read() as connection:
        made = connection.execute(select(tables.decision).order_by(tables.decision.c.decision_id)).all()
        minted = {row.action: row.permit_id for row in connection.execute(select(tables.permit))}
        permits = {row.decision_id: minted.get(row.action) for row in made}
        told = told_of(connection, permits, stored(connection, permits))
        entry, payload = tables.ledger_entry, tables.ledger_payload
        query = select(entry.c.body, payload.c.payload).join(payload, payload.c.seq == entry.c.seq)
        recorded = connection.execute(query.where(entry.c.kind == DECISION).order_by(entry.c.seq)).all()
    assert [canonical(each.payload).decode() for each in told] == [row.payload for row in recorded]
    for each, row in zip(told, recorded, strict=True):
        body = json.loads(row.body)
        assert json.loads(canonical(each.body)) == {key: body[key] for key in each.body}
    assert verify(world.store, None).problems == ()
