"""Clocks that were set back, and clocks that were ahead."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestration.gate.perform import Effect
from orchestration.identity.clock import latest, set_right
from orchestration.ledger.chain import append
from orchestration.ledger.verify import verify
from tests.integration.gate.world import World

MONTH = timedelta(days=30)


@pytest.fixture
def ahead(either_world: World) -> World:
    """A ledger with one entry that a clock made which was a month ahead."""
    with either_world.store.begin() as connection:
        append(connection, "note", {"said": "of the future"}, at=either_world.now + MONTH)
    return either_world


def test_an_entry_of_the_future_ends_permits_until_an_operator_says_that_the_clock_was_ahead(ahead: World) -> None:
    batch_id, actions = ahead.propose_all()
    with ahead.gate() as gate:
        gate.decide(batch_id, ahead.now)
        gate.perform(actions[0], ahead.now)
    assert ahead.said(actions[0]) == ["deny", "permit_expired"]
    ahead.now += timedelta(seconds=1)
    with ahead.store.begin() as connection:
        found = set_right(connection, operator="olive", reason="It was reset.", now=ahead.now)
        assert found is not None
        assert found.at == ahead.now - timedelta(seconds=1) + MONTH
        assert latest(connection, ahead.now) == ahead.now
    with ahead.gate() as gate:
        gate.decide(batch_id, ahead.now)
        assert all(isinstance(each, Effect) for each in gate.perform_batch(batch_id, ahead.now))
    assert verify(ahead.store, None).problems == ()


def test_after_that_a_clock_set_back_is_noticed_again(ahead: World) -> None:
    with ahead.store.begin() as connection:
        set_right(connection, operator="olive", reason="It was reset.", now=ahead.now)
        append(connection, "note", {"said": "an hour later"}, at=ahead.now + timedelta(hours=1))
        append(connection, "note", {"said": "set back"}, at=ahead.now)
        assert latest(connection, ahead.now) == ahead.now + timedelta(hours=1)


def test_where_no_entry_is_ahead_nothing_is_recorded(world: World) -> None:
    before = len(world.rows("ledger_entry"))
    with world.store.begin() as connection:
        assert set_right(connection, operator="olive", reason="I think so.", now=world.now + MONTH) is None
    assert len(world.rows("ledger_entry")) == before
