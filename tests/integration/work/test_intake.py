from __future__ import annotations

import errno
import json
import os
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Delete, Update, delete, select, update

from orchestration.contracts import Handoff, HandoffState, Proposal, ProposalSet
from orchestration.errors import StoreError
from orchestration.ledger.verify import verify
from orchestration.store import tables
from orchestration.store.engine import Store
from orchestration.work.intake import TakenIn, take_in
from tests.waking import NOW, World, reminders


def offered(world: World) -> str:
    """The id of a batch that waits for the finance agent."""
    [wake] = world.wake()
    assert wake.batch is not None
    return wake.batch.batch_id


def taken(world: World) -> list[TakenIn]:
    return world.take_in()


def answers(world: World) -> list[str | None]:
    return [row["answer"] for row in world.rows(tables.trigger_row)]


def told(world: World) -> tuple[dict[str, object], dict[str, object]]:
    """Body and payload of the last ledger entry of an answer."""
    with world.store.read() as connection:
        entry = tables.ledger_entry
        row = connection.execute(
            select(entry.c.body, tables.ledger_payload.c.payload)
            .join(tables.ledger_payload, tables.ledger_payload.c.seq == entry.c.seq)
            .where(entry.c.kind == "answer")
            .order_by(entry.c.seq.desc())
            .limit(1)
        ).one()
    return json.loads(row.body), json.loads(row.payload)


def place(world: World, content: bytes, agent: str = "finance", batch_id: str = "") -> Path:
    """Put an answer into the exchange without asking."""
    folder = world.exchange.root / agent / batch_id
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "proposals.json").write_bytes(content)
    return folder


def test_proposals_reach_the_store_under_ids_that_they_keep(world: World) -> None:
    batch_id = offered(world)
    answer = reminders(world.exchange.read_batch("finance", batch_id))
    world.exchange.answer(answer)
    [done] = taken(world)
    kept = world.rows(tables.proposal)
    assert {row["action"] for row in kept} == {one.action for one in done.content.accepted}
    assert {row["row_id"]: row["arguments"] for row in kept} == {one.row_id: one.arguments for one in answer.proposals}
    assert all(row["action"].startswith("act_") and len(row["action"]) == 24 for row in kept)
    assert all((row["agent"], row["batch_id"], row["proposed_at"]) == ("finance", batch_id, NOW) for row in kept)
    assert {row["entity_id"] for row in kept} == {row["entity_id"] for row in world.rows(tables.trigger_row)}
    assert set(answers(world)) == {"proposed"}
    assert [row["state"] for row in world.rows(tables.batch)] == ["answered"]
    assert world.exchange.answered("finance") == []


def test_an_answer_is_taken_once(world: World) -> None:
    batch_id = offered(world)
    batch = world.exchange.read_batch("finance", batch_id)
    world.exchange.answer(reminders(batch))
    taken(world)
    entries = len(world.rows(tables.ledger_entry))
    world.exchange.offer(batch, "")
    second = reminders(batch).model_copy(
        update={"proposals": (), "declined": {batch.rows[0].row_id: "changed my mind"}}
    )
    world.exchange.answer(second)
    assert taken(world) == []
    assert (len(world.rows(tables.proposal)), len(world.rows(tables.ledger_entry))) == (6, entries)
    assert set(answers(world)) == {"proposed"}
    assert world.exchange.answered("finance") == []


def test_what_was_declined_or_failed_is_kept_with_its_reason(world: World) -> None:
    batch_id = offered(world)
    first, second, *others = (row.row_id for row in world.exchange.read_batch("finance", batch_id).rows)
    answer = ProposalSet(
        batch_id=batch_id,
        agent="finance",
        proposals=(),
        declined={first: "no contact"} | dict.fromkeys(others, "not today"),
        failed={second: "the model was silent"},
    )
    world.exchange.answer(answer)
    taken(world)
    kept = {row["row_id"]: (row["answer"], row["reason"]) for row in world.rows(tables.trigger_row)}
    assert kept[first] == ("declined", "no contact")
    assert kept[second] == ("failed", "the model was silent")
    assert world.rows(tables.proposal) == []


def test_the_ledger_says_how_many_and_commits_to_what_was_said(world: World) -> None:
    batch_id = offered(world)
    batch = world.exchange.read_batch("finance", batch_id)
    handoff = Handoff(
        row_id=batch.rows[0].row_id, step="say", attempts=2, state=HandoffState.PASSED, output_digest="d" * 64
    )
    one = reminders(batch).proposals[0]
    world.exchange.answer(ProposalSet(batch_id=batch_id, agent="finance", proposals=(one,), handoffs=(handoff,)))
    [done] = taken(world)
    body, payload = told(world)
    action = done.content.accepted[0].action
    assert (body["batch"], body["agent"], body["proposed"], body["failed"]) == (batch_id, "finance", [action], 5)
    [(told_of, row)] = payload["proposals"].items()
    assert (told_of, {name: row[name] for name in Proposal.model_fields}) == (action, one.model_dump(mode="json"))
    assert payload["handoffs"] == [handoff.model_dump(mode="json")]
    assert body["commitment"]
    assert (body["handoffs"], body["unusable_handoffs"]) == (1, 0)


def log_of(world: World) -> list[Handoff]:
    """Three steps of two rows, taken in with the answer that they led to."""
    batch_id = offered(world)
    batch = world.exchange.read_batch("finance", batch_id)
    first, second = (row.row_id for row in batch.rows[:2])
    passed = {"state": HandoffState.PASSED, "output_digest": "d" * 64}
    log = [
        Handoff(row_id=first, step="look", attempts=1, **passed),
        Handoff(row_id=first, step="say", attempts=3, **passed),
        Handoff(row_id=second, step="look", attempts=4, state=HandoffState.FAILED),
    ]
    answer = reminders(batch).model_copy(update={"handoffs": tuple(log)})
    world.exchange.answer(answer)
    taken(world)
    return log


def told_of_handoffs(world: World) -> list[str]:
    return [problem for problem in verify(world.store, None).problems if "the handoffs of batch" in problem]


def test_handoffs_are_kept_in_the_order_of_the_log_without_what_was_handed_on(world: World) -> None:
    log = log_of(world)
    kept = world.rows(tables.handoff)
    assert [(row["number"], row["step"], row["attempts"], row["state"], row["taken_at"]) for row in kept] == [
        (number, one.step, one.attempts, one.state, NOW) for number, one in enumerate(log, 1)
    ]
    assert told_of_handoffs(world) == []


@pytest.mark.parametrize(
    "edit",
    [
        update(tables.handoff).where(tables.handoff.c.number == 2).values(attempts=1),
        update(tables.handoff).where(tables.handoff.c.number == 3).values(state="passed"),
        update(tables.handoff).where(tables.handoff.c.number == 1).values(output_digest="e" * 64),
        update(tables.handoff).values(taken_at=NOW + timedelta(days=1)),
        delete(tables.handoff).where(tables.handoff.c.number == 3),
        delete(tables.handoff),
    ],
    ids=["attempts", "state", "digest", "time", "one removed", "all removed"],
)
def test_an_edited_handoff_is_found(world: World, edit: Update | Delete) -> None:
    log_of(world)
    with world.store.begin() as connection:
        connection.execute(edit)
    assert len(told_of_handoffs(world)) == 1


@pytest.mark.parametrize("content", [b"not json", b"{}", b'{"batch_id":"x","agent":"finance","proposals":[]}', b"\0"])
def test_an_answer_that_cannot_be_read_is_recorded_and_executed_nowhere(world: World, content: bytes) -> None:
    batch_id = offered(world)
    place(world, content, batch_id=batch_id)
    [done] = taken(world)
    assert done.refusal
    assert world.rows(tables.proposal) == []
    assert set(answers(world)) == {"refused"}
    assert [row["state"] for row in world.rows(tables.batch)] == ["answered"]
    body, payload = told(world)
    assert (body["read"], body["refused"], payload["refusal"]) == (False, 6, done.refusal)
    assert world.exchange.answered("finance") == []


def test_an_answer_to_a_batch_that_nobody_was_given_is_recorded_and_cleared_away(world: World) -> None:
    place(world, b'{"batch_id":"made-up","agent":"finance","proposals":[]}', batch_id="made-up")
    [done] = taken(world)
    assert done.refusal == "finance was given no batch made-up"
    assert world.rows(tables.batch) == []
    assert world.exchange.answered("finance") == []
    assert taken(world) == []


def test_an_agent_cannot_answer_another_agents_batch_from_its_own_folder(world: World) -> None:
    batch_id = offered(world)
    batch = world.exchange.read_batch("finance", batch_id)
    forged = reminders(batch).model_copy(update={"agent": "sales"})
    place(world, forged.model_dump_json().encode(), agent="sales", batch_id=batch_id)
    [done] = taken(world)
    assert done.refusal == f"sales was given no batch {batch_id}"
    assert world.rows(tables.proposal) == []
    assert set(answers(world)) == {None}
    assert world.exchange.waiting("finance") == [batch_id]


def test_one_bad_proposal_does_not_lose_the_others(world: World) -> None:
    batch_id = offered(world)
    batch = world.exchange.read_batch("finance", batch_id)
    good = reminders(batch).proposals
    bad = good[0].model_copy(update={"arguments": good[0].arguments | {"Not A Name": 1}})
    stray = Proposal(row_id="20200101-0-000001", action_type="send_payment_reminder", arguments={})
    world.exchange.answer(ProposalSet(batch_id=batch_id, agent="finance", proposals=(bad, *good[1:], stray)))
    [done] = taken(world)
    assert (len(done.content.accepted), list(done.content.refused), done.content.strange) == (5, [bad.row_id], 1)
    assert len(world.rows(tables.proposal)) == 5


def test_a_crash_before_the_exchange_is_cleared_changes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    batch_id = offered(world)
    world.exchange.answer(reminders(world.exchange.read_batch("finance", batch_id)))

    def dies(agent: str, batch_id: str) -> None:
        raise KeyboardInterrupt(agent, batch_id)

    with monkeypatch.context() as patched:
        patched.setattr(world.exchange, "clear", dies)
        with pytest.raises(KeyboardInterrupt):
            taken(world)
    assert world.exchange.answered("finance") == [batch_id]
    assert taken(world) == []
    assert world.exchange.answered("finance") == []
    assert len(world.rows(tables.proposal)) == 6


def test_while_the_store_cannot_be_written_answers_stay_where_they_are(world: World) -> None:
    batch_id = offered(world)
    world.exchange.answer(reminders(world.exchange.read_batch("finance", batch_id)))
    impatient = Store(world.store.url, lock_wait=0.1)
    with world.store.begin(), pytest.raises(StoreError):
        take_in(impatient, world.exchange, world.key.public_key(), now=NOW)
    impatient.close()
    assert world.exchange.answered("finance") == [batch_id]
    assert len(taken(world)) == 1


@pytest.mark.parametrize("what", ["folder", "pipe", "no rights"])
def test_whatever_stands_in_an_answers_place_keeps_no_other_from_being_taken(
    world: World, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    batch_id = offered(world)
    world.exchange.answer(reminders(world.exchange.read_batch("finance", batch_id)))
    folder = world.exchange.root / "aaa" / "x"
    folder.mkdir(parents=True)
    if what == "folder":
        (folder / "proposals.json").mkdir()
    elif what == "pipe":
        os.mkfifo(folder / "proposals.json")
    else:
        (folder / "proposals.json").write_bytes(b"{}")
        read, clear = world.exchange.read_answer, world.exchange.clear

        def denied(agent: str, _: str) -> None:
            if agent == "aaa":
                raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr(world.exchange, "read_answer", lambda *of: denied(*of) or read(*of))
        monkeypatch.setattr(world.exchange, "clear", lambda *of: denied(*of) or clear(*of))
    first, second = taken(world)
    assert (first.agent, first.refusal) == ("aaa", "aaa was given no batch x")
    assert (second.agent, second.refusal) == ("finance", "")
    assert set(answers(world)) == {"proposed"}
    assert world.exchange.answered("finance") == []
