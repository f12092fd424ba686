"""Residency, windows and credentials, as the graph and the store say them, at the decision and at the effect."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestration.contracts import Decision, Verdict
from orchestration.gate.perform import Effect
from orchestration.identity import credentials
from orchestration.ledger.verify import verify
from orchestration.registry import AgentCard
from tests.integration.gate.world import World

EVERYWHERE = {"company": "GB", "customer": "GB", "contact": "GB"}


def carded(world: World, **changes: Any) -> None:
    """Finance's card says something else from now on."""
    agent = world.rules.agents["finance"]
    card = AgentCard.model_validate({**agent.card.model_dump(by_alias=True), **changes})
    world.rules = replace(world.rules, agents={**world.rules.agents, "finance": replace(agent, card=card)})


def decided(world: World) -> list[str]:
    """What a reminder of the first debtor comes to."""
    world.publish()
    batch_id = world.wake()
    action = world.propose(batch_id, world.debtors[0])
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
    return world.said(action)


@pytest.mark.parametrize(
    ("countries", "weak", "said"),
    [
        (EVERYWHERE, (), ["allow", "permitted"]),
        ({**EVERYWHERE, "customer": "IE"}, (), ["allow", "permitted"]),
        ({**EVERYWHERE, "customer": "FR"}, (), ["deny", "not_resident"]),  # its records disagree: both must do
        ({"company": "GB", "customer": "GB"}, (), ["deny", "not_resident"]),  # of the person nobody says where
        ({**EVERYWHERE, "contact": "US"}, (), ["deny", "not_resident"]),
        ({}, (), ["deny", "not_resident"]),
        (EVERYWHERE, ("contact",), ["deny", "not_resident"]),  # a stranger says so of himself
        ({**EVERYWHERE, "customer": "FR"}, ("customer",), ["allow", "permitted"]),  # and takes nobody's away
    ],
)
def test_an_agent_acts_on_entities_of_the_countries_on_its_card_as_somebody_accountable_states_them(
    world: World, countries: dict[str, str], weak: tuple[str, ...], said: list[str]
) -> None:
    carded(world, residency=["GB", "IE"])
    world.debtors[0].countries, world.debtors[0].weak = countries, weak
    assert decided(world) == said


def test_an_entity_that_moved_away_since_the_decision_has_no_effect(world: World) -> None:
    carded(world, residency=["GB"])
    for debtor in world.debtors:
        debtor.countries = EVERYWHERE
    world.publish()
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        world.debtors[0].countries = {**EVERYWHERE, "company": "FR"}
        world.publish()
        moved, *stayed = gate.perform_batch(batch_id, world.now)
    assert isinstance(moved, Decision)
    assert [str(reason) for reason in moved.reasons] == ["not_resident:core-residency"]
    assert [type(each) for each in stayed] == [Effect, Effect]
    assert world.rows("decision", action=actions[0])[-1]["policies"] == ["core-residency"]
    assert verify(world.store, None).problems == ()


def test_a_window_that_closed_since_the_decision_voids_the_permit_until_it_opens(world: World) -> None:
    noon = (world.now + timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)
    world.now = noon
    world.publish()
    carded(world, windows=[{"from": "11:00", "until": "12:05", "zone": "UTC"}])
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        assert [answer.verdict for answer in gate.decide(batch_id, noon)] == [Verdict.ALLOW] * 3
        late = gate.perform(actions[0], noon + timedelta(minutes=5))
        assert isinstance(gate.perform(actions[1], noon + timedelta(minutes=4)), Effect)
    assert isinstance(late, Decision)
    assert [str(reason) for reason in late.reasons] == ["outside_window:core-window"]
    assert world.rows("decision", action=actions[0])[-1]["transient"]


def test_a_credential_revoked_since_the_answer_was_taken_in_voids_what_came_with_it(world: World) -> None:
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        with world.store.begin() as connection:
            credentials.revoke(connection, "finance", world.now)
        answer = gate.perform(actions[0], world.now)
    assert isinstance(answer, Decision)
    assert [str(reason) for reason in answer.reasons] == ["bad_credential:core-credential"]
    assert world.rows("outbox") == []


def test_an_answer_without_a_credential_and_a_proposal_beyond_its_scope_are_denied(world: World) -> None:
    batch_id, actions = world.propose_all()
    world.edit("agent_credential", {"batch_id": batch_id}, scopes=["propose:note_call"])
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
    assert world.said(actions[0]) == ["deny", "out_of_scope"]
    other_id, others = world.propose_all("collections")
    world.edit("agent_credential", {"batch_id": other_id}, ended="expired")
    with world.gate() as gate:
        gate.decide(other_id, world.now)
    assert world.said(others[0]) == ["deny", "bad_credential", "out_of_scope"]
    assert world.rows("permit") == []
