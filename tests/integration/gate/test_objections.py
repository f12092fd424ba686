"""Who objects is not contacted, whatever the graph makes of them later."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, update

from orchestration.erasure.objections import object_, objections, standing_subjects, subjects_of, withdraw
from orchestration.errors import ConfigurationError, NotFound
from orchestration.gate.limits.touch import contact_subject
from orchestration.graph.current import open_current
from orchestration.ledger.verify import verify
from orchestration.store import tables
from tests.integration.gate.world import World

ALLOWED = ["allow", "permitted"]


def objects(world: World, said: str) -> str:
    with open_current(world.store, world.settings) as graph:
        kind, subjects = subjects_of(graph, said)
    with world.store.begin() as connection:
        return object_(connection, kind, said, subjects, operator="ada", reason="She wrote.", now=world.now)


def decided(world: World) -> list[list[str]]:
    """What is said of each debtor, in a batch of its own."""
    world.publish()
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
    return [world.said(action) for action in actions]


@pytest.mark.parametrize("said", ["per_2", "crm:contact:2", "org_2", "2@debtor.example", "2+tag@DEBTOR.example"])
def test_who_objects_is_refused_and_nobody_else(world: World, said: str) -> None:
    objects(world, said)
    one, two, three = decided(world)
    assert one == three == ALLOWED
    assert two[0] == "deny"
    assert set(two[1:]) == {"opted_out"}
    assert verify(world.store, None).problems == ()


def test_an_objection_holds_under_a_new_id_of_the_entity_through_its_records(world: World) -> None:
    objects(world, "org_2")
    world.debtors[1].entity_id = "org_9"  # joined to another, or made anew: its records are the same
    assert decided(world)[1] == ["deny", "opted_out"]


def test_an_objection_holds_of_whoever_has_the_mailbox_later(world: World) -> None:
    with world.store.begin() as connection:  # nobody had it by then
        subjects = {contact_subject("1@debtor.example")}
        object_(connection, "mailbox", "1@debtor.example", subjects, operator="ada", reason="no", now=world.now)
    one, two, three = decided(world)
    assert one == ["deny", "opted_out"]
    assert two == three == ALLOWED


def test_it_takes_a_permit_back_that_was_minted_before(world: World) -> None:
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        assert world.said(actions[1]) == ALLOWED
        objects(world, "per_2")
        gate.perform_batch(batch_id, world.now)
    assert world.said(actions[1])[0] == "deny"
    assert {row["action"] for row in world.rows("outbox")} == {actions[0], actions[2]}


def test_one_that_was_withdrawn_refuses_nobody_and_cannot_be_withdrawn_twice(world: World) -> None:
    made = objects(world, "per_2")
    with world.store.begin() as connection:
        withdraw(connection, made, operator="ben", reason="She asked for it.", now=world.now)
    assert decided(world) == [ALLOWED] * 3
    assert verify(world.store, None).problems == ()
    with world.store.begin() as connection, pytest.raises(ConfigurationError, match="withdrawn at"):
        withdraw(connection, made, operator="ben", reason="again", now=world.now)
    with world.store.begin() as connection, pytest.raises(NotFound, match="no objection"):
        withdraw(connection, "objection_x", operator="ben", reason="again", now=world.now)


def test_one_that_was_rolled_back_leaves_nothing_behind(world: World) -> None:
    def fails() -> None:
        with world.store.begin() as connection:
            object_(connection, "mailbox", "a", ["s" * 32], operator="ada", reason="no", now=world.now)
            assert standing_subjects(connection)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    objects(world, "per_2")
    assert decided(world)[1][0] == "deny"


def test_a_new_one_counts_though_its_number_were_edited(world: World) -> None:
    batch_id, actions = world.propose_all()
    objects(world, "9@debtor.example")
    with world.gate() as gate:
        with world.store.read() as connection:
            before = standing_subjects(connection)
        world.edit("objection", {"objection_id": objects(world, "per_2")}, number=0)
        with world.store.read() as connection:
            assert standing_subjects(connection) > before
        gate.decide(batch_id, world.now)
    assert set(world.said(actions[1])) == {"deny", "opted_out"}


def test_nobody_objects_for_whom_nobody_knows(world: World) -> None:
    with pytest.raises(NotFound, match="needed an entity, one of its records, or a mailbox"):
        objects(world, "per_77")


def test_an_objection_that_is_removed_or_edited_behind_everybodys_back_is_told(world: World) -> None:
    made = objects(world, "per_2")
    world.edit("objection", {"objection_id": made}, said="per_3")
    assert any(f"the objection {made}" in problem for problem in verify(world.store, None).problems)
    world.edit("objection", {"objection_id": made}, said="per_2", withdrawn_at=world.now)
    assert any("the withdrawal of objection" in problem for problem in verify(world.store, None).problems)
    with world.store.begin() as connection:
        connection.execute(update(tables.objection).values(withdrawn_at=None))
        connection.execute(delete(tables.objection_subject))
    assert any(f"the objection {made}" in problem for problem in verify(world.store, None).problems)
    with world.store.read() as connection:
        assert [row["said"] for row in objections(connection)] == ["per_2"]
