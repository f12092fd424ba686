"""What becomes of effects: tainted by what became of their entity, seen again in their system, or nobody's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from orchestration.contracts import OutcomeState
from orchestration.ledger import entries
from orchestration.ledger.retention import expire_evidence
from orchestration.ledger.verify import verify
from orchestration.store import tables
from orchestration.work import told_of
from orchestration.work.watch import Watched, due, watch
from tests.integration.gate.callers import Silent
from tests.integration.gate.test_undo import take_back
from tests.integration.gate.world import World
from tests.unit.gate.case import rules


@pytest.fixture
def world(reminding: World) -> World:
    """Three debtors who were sent a reminder each."""
    return reminding


@pytest.fixture
def done(reminded: tuple[Path, list[str]]) -> list[str]:
    """The actions of those reminders."""
    return reminded[1]


def look(world: World, *, hours: float = 1) -> Watched:
    """Publish the world as it is so many hours later, with its sources read then, and look what became of effects."""
    world.now, world.read_ago = datetime.now(UTC) + timedelta(hours=hours), timedelta()
    world.publish()
    return again(world)


def again(world: World) -> Watched:
    watched = watch(world.store, world.settings, rules().action_types, world.now)
    assert watched is not None
    return watched


def tainted(world: World) -> list[tuple[str, str, str, str]]:
    with world.store.read() as connection:
        found = told_of.tainted(connection)
    return [(row["action"], row["entity_id"], row["how"], row["detail"]) for row in found]


def told(world: World, kind: str) -> list[dict[str, Any]]:
    return [row["body"] for row in world.rows("notification", kind=kind)]


def test_a_graph_that_says_the_same_taints_nothing(world: World, done: list[str]) -> None:
    world.debtors[0].probability = 0.97
    first, second = look(world), again(world)
    assert (first.effects, first.tainted, first.newly_tainted) == (3, 0, 0) == (3, second.tainted, second.newly_tainted)
    assert (tainted(world), told(world, "tainted_effects")) == ([], [])
    assert len(world.rows("effect_record")) == 3 * len(done)


@pytest.mark.parametrize(
    ("change", "how", "detail"),
    [
        ({"crm:company:1": "org_new"}, "split", "org_1 org_new"),
        ({"crm:company:1": "org_9", "erp:customer:1": "org_9"}, "merged", "org_9"),
        ({"crm:company:1": "", "erp:customer:1": ""}, "retired", ""),
    ],
)
def test_an_effect_on_what_is_another_entity_now_is_tainted_until_it_is_taken_back(
    world: World, done: list[str], change: dict[str, str], how: str, detail: str
) -> None:
    world.split = change
    assert look(world).newly_tainted == 1
    assert tainted(world) == [(done[0], "org_1", how, detail)]
    (said,) = told(world, "tainted_effects")
    assert said["shown"] == [{"action": done[0], "how": [how], "undo": f"precede undo {done[0]} --reason …"}]
    assert (look(world, hours=2).newly_tainted, len(told(world, "tainted_effects"))) == (0, 1)
    assert verify(world.store, None).problems == ()
    assert take_back(world, done[0]).state is OutcomeState.DONE
    assert (look(world, hours=3).cleared, tainted(world)) == (1, [])
    assert verify(world.store, None).problems == ()


def test_a_record_that_is_gone_alone_taints_nothing(world: World, done: list[str]) -> None:
    world.split = {"crm:company:1": ""}
    assert look(world).tainted == 0
    del done


def test_what_was_merged_into_the_entity_since_taints_it_and_what_was_before_does_not(
    world: World, done: list[str]
) -> None:
    event = {"entity_type": "organisation", "event": "merged", "other_entity_id": "org_2", "snapshot_id": "snap"}
    world.events = [event | {"entity_id": "org_old", "happened_at": world.now - timedelta(days=2)}]
    assert look(world).tainted == 0
    world.events += [event | {"entity_id": "org_late", "happened_at": world.now}]
    assert look(world, hours=2).tainted == 1
    assert tainted(world) == [(done[1], "org_2", "merged", "org_late")]


def test_a_split_that_is_healed_taints_no_more_and_one_that_comes_again_does(world: World, done: list[str]) -> None:
    world.split = {"crm:company:1": "org_new"}
    look(world)
    world.split = {}
    assert (look(world, hours=2).cleared, tainted(world)) == (1, [])
    world.split = {"crm:company:1": "org_newer"}
    assert look(world, hours=3).newly_tainted == 1
    assert tainted(world) == [(done[0], "org_1", "split", "org_1 org_newer")]
    assert verify(world.store, None).problems == ()


def test_it_is_seen_after_the_evidence_is_gone(world: World, done: list[str]) -> None:
    with world.store.begin() as connection:
        connection.execute(update(tables.batch).values(state="closed"))
    assert expire_evidence(world.store, 1, world.now + timedelta(days=2)) == 3
    world.split = {"crm:contact:3": "per_new", "crm:company:3": "org_new"}
    assert look(world, hours=3).tainted == 1
    assert {(action, how) for action, _, how, _ in tainted(world)} == {(done[2], "split"), (done[2], "merged")}


def judge(world: World, number: int, pair: tuple[str, str], verdict: str, at: datetime) -> None:
    one, other = pair
    row = {"number": number, "judgement_id": f"judge_{number}", "entity_type": "organisation", "record_a": one}
    row |= {"record_b": other, "verdict": verdict, "reviewer": "rita", "at": at, "shown": {}}
    with world.store.begin() as connection:
        connection.execute(insert(tables.judgement).values(row))
        entries.judged(connection, f"judge_{number}", at=at)


def test_an_effect_that_a_person_judges_otherwise_since_is_tainted(world: World, done: list[str]) -> None:
    before, after = world.now - timedelta(hours=1), world.now + timedelta(hours=1)
    judge(world, 1, ("crm:company:1", "erp:customer:1"), "different", before)
    judge(world, 2, ("crm:company:2", "erp:customer:2"), "same", after)  # as it was believed
    judge(world, 3, ("crm:company:2", "support:organization:2"), "same", after)
    judge(world, 4, ("crm:company:3", "erp:customer:3"), "different", after)
    judge(world, 5, ("crm:company:3", "erp:customer:3"), "skip", after)  # taken back
    assert look(world).tainted == 1
    assert tainted(world) == [(done[1], "org_2", "judged", "judge_3")]
    judge(world, 6, ("crm:company:3", "erp:customer:3"), "different", after)
    look(world, hours=2)
    assert {(action, by) for action, _, _, by in tainted(world)} == {(done[1], "judge_3"), (done[2], "judge_6")}


@pytest.mark.parametrize(("value", "by"), [("Debtor 1", ""), ("Debtor One", "judge_1"), (None, "")])
def test_a_value_that_was_read_and_is_settled_otherwise_since_taints(
    world: World, done: list[str], value: str | None, by: str
) -> None:
    row = {"number": 1, "judgement_id": "judge_1", "entity_type": "organisation", "record_id": "erp:customer:1"}
    row |= {"field": "name", "value": value, "reviewer": "rita", "at": world.now + timedelta(hours=1), "shown": {}}
    with world.store.begin() as connection:
        connection.execute(insert(tables.settlement).values(row))
    look(world)
    assert tainted(world) == ([(done[0], "org_1", "judged", by)] if by else [])


def row(world: World, key: str | None, number: int, who: str = "precede") -> dict[str, Any]:
    """A row of the ERP's reminders."""
    del world
    return {
        "_record": f"erp:customrecord_dunning:{number}",
        "custrecord_effect_key": key,
        "custrecord_created_by": who,
    }


def sent(world: World) -> list[dict[str, Any]]:
    """The reminders as the ERP has them."""
    return [row(world, key, number, who) for number, (key, _, who) in enumerate(world.reminders(), 1)]


def confirmed(world: World) -> list[str | None]:
    return [one["confirmed_record"] for one in sorted(world.rows("outbox"), key=lambda one: str(one["effect_key"]))]


def test_an_effect_is_seen_again_in_the_row_that_holds_its_key(world: World, done: list[str]) -> None:
    world.shows = sent(world)[:2]
    assert look(world).confirmed == 2
    assert confirmed(world) == ["erp:customrecord_dunning:1", "erp:customrecord_dunning:2", None]
    assert again(world).confirmed == 0
    take_back(world, done[0])
    world.shows = [one | {"_record": one["_record"] + "0"} for one in sent(world)]
    assert look(world, hours=2).confirmed == 2  # the third, and the taking back
    assert confirmed(world)[0] == "erp:customrecord_dunning:1"  # where it was seen first
    assert world.rows("undo")[0]["confirmed_record"] is not None
    assert verify(world.store, None).problems == ()


def test_a_row_that_was_read_before_the_effect_is_not_the_effect(world: World, done: list[str]) -> None:
    world.shows = sent(world)
    world.publish()  # its sources were read an hour ago
    assert again(world).confirmed == 0
    assert confirmed(world) == [None] * len(done)


def test_an_effect_that_never_appears_is_reported_once_when_its_table_was_read_long_after_it(
    world: World, done: list[str]
) -> None:
    world.shows = sent(world)[:1]
    assert (look(world, hours=23).missing, told(world, "effects_missing")) == (0, [])
    assert (look(world, hours=25).missing, look(world, hours=26).missing) == (2, 0)
    (said,) = told(world, "effects_missing")
    assert sorted(said["shown"]) == sorted(done[1:])
    with world.store.read() as connection:
        assert {one["action"] for one in told_of.effects(connection, "missing")} == set(done[1:])
    world.shows = sent(world)
    look(world, hours=27)
    with world.store.read() as connection:
        assert told_of.effects(connection, "missing") == []


def test_an_effect_that_was_taken_back_or_may_not_have_happened_need_not_appear(world: World, done: list[str]) -> None:
    world.shows = sent(world)
    take_back(world, done[0])
    world.edit("outbox", {"action": done[1]}, state="unknown")
    world.shows = sent(world)[1:2]
    world.edit("outbox", {"action": done[2]}, state="failed")
    found = look(world, hours=25)
    assert found.missing == 1  # the taking back itself
    assert told(world, "effects_missing")[0]["shown"] == [world.rows("undo")[0]["undo_id"]]


def test_a_write_in_the_name_of_our_account_that_no_entry_accounts_for_is_an_incident(
    world: World, done: list[str]
) -> None:
    world.shows = sent(world)
    assert look(world).incidents == 0
    stranger, nobody, other = (
        row(world, "reminder:erp:transaction:77:1", 8),
        row(world, None, 9, " Precede"),
        row(world, None, 10, "ann"),
    )
    world.shows = [*sent(world), stranger, nobody, other]
    assert (look(world, hours=2).incidents, look(world, hours=3).incidents) == (2, 0)
    with world.store.read() as connection:
        found = told_of.incidents(connection)
    assert [(one["record_id"], one["how"], one["effect_key"]) for one in found] == [
        ("erp:customrecord_dunning:8", "no_entry", "reminder:erp:transaction:77:1"),
        ("erp:customrecord_dunning:9", "no_entry", ""),
    ]
    (said,) = told(world, "incident")
    assert said["rows"] == 2
    assert verify(world.store, None).problems == ()
    world.edit("incident", {"record_id": "erp:customrecord_dunning:9"}, how="doubled")
    assert len(verify(world.store, None).problems) == 2
    del done


def test_what_the_ledger_denies_or_did_once_is_an_incident_where_it_is_there_or_there_twice(
    world: World, done: list[str]
) -> None:
    world.shows = [*sent(world), row(world, world.reminders()[0][0], 7)]
    world.edit("outbox", {"action": done[1]}, state="failed")
    world.edit("outbox", {"action": done[2]}, state="pending", attempts=0)
    look(world)
    assert {(one["record_id"], one["how"]) for one in world.rows("incident")} == {
        ("erp:customrecord_dunning:1", "doubled"),
        ("erp:customrecord_dunning:7", "doubled"),
        ("erp:customrecord_dunning:2", "said_failed"),
        ("erp:customrecord_dunning:3", "never_sent"),
    }


def test_an_effect_that_stands_in_the_store_alone_accounts_for_nothing(world: World, done: list[str]) -> None:
    world.shows = sent(world)
    with world.store.begin() as connection:
        entry, payload = tables.ledger_entry, tables.ledger_payload
        meant = (entry.c.kind == "intent", entry.c.action == done[0])
        connection.execute(delete(payload).where(payload.c.seq.in_(select(entry.c.seq).where(*meant))))
        connection.execute(delete(entry).where(*meant))
    assert look(world).incidents == 1


def test_a_graph_without_the_table_is_told_of_and_shows_nothing(world: World, done: list[str]) -> None:
    found = look(world)
    assert (found.confirmed, found.unread) == (0, ("erp:customrecord_dunning",))
    del done


def test_a_graph_is_looked_at_once_and_again_when_an_effect_may_be_overdue(world: World) -> None:
    def waits(hours: float = 0) -> str | None:
        with world.store.read() as connection:
            return due(connection, world.settings, world.now + timedelta(hours=hours))

    assert waits() == "snap_1"
    look(world)
    assert (waits(), waits(23), waits(24)) == (None, None, "snap_2")
    assert again(world).effects == 3
    assert len(world.rows("effect_watch")) == 1


def test_the_list_of_effects_says_what_became_of_each(world: World, done: list[str]) -> None:
    world.shows = sent(world)[:1]
    world.split = {"crm:company:2": "org_new"}
    look(world)
    take_back(world, done[0])
    with world.store.read() as connection:
        found = {one["action"]: one for one in told_of.effects(connection)}
        only = {
            name: [one["action"] for one in told_of.effects(connection, name)]
            for name in ("undone", "tainted", "unknown", "unseen")
        }
    assert [found[action]["undo_state"] for action in done] == ["done", None, None]
    assert [found[action]["tainted"] for action in done] == [False, True, False]
    assert (only["undone"], only["tainted"], only["unknown"]) == ([done[0]], [done[1]], [])
    assert sorted(only["unseen"]) == sorted(done[1:])


def test_the_same_with_the_store_in_postgres(either_world: World) -> None:
    world = either_world
    actions = world.remind()
    assert take_back(world, actions[0], Silent()).state is OutcomeState.UNKNOWN
    assert take_back(world, actions[0]).state is OutcomeState.DONE
    judge(world, 1, ("crm:company:3", "erp:customer:3"), "different", world.now + timedelta(hours=1))
    world.shows = [*sent(world), row(world, None, 9)]
    world.split = {"crm:company:2": "org_new"}
    found = look(world)
    assert (found.tainted, found.confirmed, found.incidents) == (2, 4, 1)
    world.split = {}
    assert look(world, hours=2).cleared == 1
    assert verify(world.store, None, world.settings).problems == ()
