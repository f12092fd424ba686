"""What is found quickly is what is found by reading every entry, whatever somebody did to ledger and store."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, text

from orchestration.canonical import canonical
from orchestration.ledger import committed, entries_calls, entries_effects, links, quick, telling, walking
from orchestration.ledger.chain import append
from orchestration.ledger.cutting import cut_answer
from orchestration.ledger.erasures import proofs
from orchestration.ledger.heads import Believed
from orchestration.ledger.quick import Quick
from orchestration.ledger.verify import record_of
from orchestration.settings import Settings
from orchestration.store import tables
from orchestration.store.engine import Store, open_store
from tests.integration.ledger import recording, story
from tests.integration.ledger.forging import rehash
from tests.integration.ledger.story import BATCH, DONE, NOW, undone

NAMES = ["decision", "evidence", "permit", "proposal", "use", "held", "intent", "outcome", "by"]
VALUES: st.SearchStrategy[object] = st.sampled_from(
    [
        None,
        {},
        "stored:" + "0" * 64,
        {"state": "unknown"},
        {"decision_id": 1, "request_digest": "a" * 64, "snapshot_id": None, "transient": False, "verdict": "allow"},
        {"x": '},"evidence":null,"permit":null,"proposal":{"'},
        {"y": {"evidence": None, "permit": None, "proposal": {}}},
    ]
)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A SQLite file with the story of an action that policy was asked about, and that limits count."""
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("PRECEDE_STORE_URL", raising=False)
        store = open_store(Settings(home=tmp_path_factory.mktemp("asked")))
    story.snapshot(store)
    story.batch(store)
    policies: dict[str, Any] = {"schema": "{}", "policies": {"finance.external": {}}}
    digest = committed.of_policies(policies)
    with store.begin() as connection:
        connection.execute(
            insert(tables.policy_set).values(digest=digest, agent="finance", first_used_at=NOW, **policies)
        )
        story.propose(connection, DONE)
        said = {"reasons": [{"code": "paid", "request_digest": "a" * 64}], "policies": [], "policy_digest": digest}
        facts = {"transient": False, "read_set_digest": "d" * 64, "snapshot_id": "snap_1", "request_digest": "e" * 64}
        connection.execute(
            insert(tables.decision).values(action=DONE, verdict="allow", decided_at=NOW, **said, **facts)
        )
        kept = {"read_set": {}, "entities": {}, "source_rows": [], "materialisations": [], "policy_request": {"a": "Ä"}}
        connection.execute(insert(tables.evidence).values(action=DONE, kept_at=NOW, **kept))
        permit = story.permit_of(connection, DONE)
        of = {
            "agent": "finance",
            "action_type": "send_payment_reminder",
            "batch_id": BATCH,
            "business_date": NOW.date(),
        }
        use = {"permit_id": permit, "action": DONE, "at": NOW, "expires_at": NOW, "state": "used", **of}
        connection.execute(insert(tables.permit_use).values(use))
        on = {"permit_id": permit, "business_date": NOW.date()}
        connection.execute(insert(tables.permit_subject), [{"subject": each, **on} for each in ("one", "two")])
        recording.decided(connection, 1, at=NOW, permit_id=permit)
    story.intend(store, DONE)
    story.begin(store, DONE)
    with store.begin() as connection:
        connection.execute(text("UPDATE permit_use SET at = (SELECT consumed_at FROM permit)"))
    story.settle(store, DONE, "done")
    return store


def exactly(connection: Connection) -> Any:
    """What is found by reading every entry."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walking, "agrees", lambda *_: False)
        return record_of(connection)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    seq=st.integers(2, 6),
    where=st.sampled_from(["payload", "body"]),
    name=st.sampled_from([*NAMES, "permit", "approval", "state"]),
    inside=st.none() | st.sampled_from(["request_digest", "reasons", "detail", "state", "action", "evidence"]),
    value=VALUES,
)
def test_a_ledger_written_anew_is_found_to_be_what_it_is(  # noqa: PLR0913, PLR0917  a part each
    asked: Store, seq: int, where: str, name: str, inside: str | None, value: object
) -> None:
    def edit(body: dict[str, Any], payload: dict[str, Any] | None) -> bool:
        said = payload if where == "payload" else body
        if body["seq"] == seq and said is not None:
            if inside is None:
                said[name] = value
            elif isinstance(said.get(name), dict):
                said[name][inside] = value
        return True

    with undone(asked) as connection:
        rehash(connection, edit)
        assert record_of(connection) == exactly(connection)


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE ledger_payload SET payload = replace(payload, '\"permit\"', '\"Permit\"')",
        "UPDATE ledger_payload SET payload = substr(payload, 1, length(payload) - 1) || ']'",
        "UPDATE ledger_payload SET payload = payload || ' '",
        "UPDATE ledger_payload SET payload = CAST(payload AS BLOB)",
        "UPDATE ledger_entry SET body = CAST(body AS BLOB)",
        "UPDATE ledger_entry SET action = NULL",
        "UPDATE decision SET request_digest = 'asked'",
        "UPDATE permit SET consumed_at = NULL",
        "DELETE FROM evidence",
        "UPDATE permit_use SET amount = 1",
        "DELETE FROM permit_subject WHERE subject = 'two'",
        "UPDATE outbox SET reference = 'another'",
        "UPDATE outbox SET state = 'sending'",
        "DELETE FROM policy_set",
    ],
)
def test_an_edit_is_told_in_the_same_words(asked: Store, edit: str) -> None:
    with undone(asked) as connection:
        connection.execute(text(edit))
        found = record_of(connection)
        assert not found.ok
        assert found == exactly(connection)


def test_whatever_else_a_begun_call_says_is_heard_too(asked: Store) -> None:
    with undone(asked) as connection:
        permit = connection.execute(text("SELECT permit_id FROM permit")).scalar_one()
        entries_calls.begun(
            connection, {"permit_id": permit, "state": "unknown", "attempts": 2, "action": DONE}, at=NOW
        )
        body = {"permit": permit, "state": "sending", "attempt": 3}
        append(connection, "begun", body, at=NOW, action=DONE, payload={"judgement": {"judgement_id": "put in"}})
        entries_calls.unsent(connection, DONE, permit, at=NOW)
        found = record_of(connection)
        assert not found.ok
        assert found == exactly(connection)


def test_decisions_intents_and_outcomes_are_cut(asked: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def rest(entry: links.Entry) -> Any:
        assert entry.kind not in {"decision", "intent", "begun", "outcome"}
        return telling.told_by(entry)

    monkeypatch.setattr(quick, "told_by", rest)
    monkeypatch.setattr(walking, "exactly", None)
    with asked.read() as connection:
        assert record_of(connection).ok


def test_what_is_told_quickly_is_what_is_told_at_length(told: Store) -> None:
    with told.begin() as connection:
        story.answer(connection, DONE)
    story.decline(told, f"{BATCH}_2", "Nothing to do.")
    with told.begin() as connection:
        connection.execute(text("UPDATE outbox SET detail = 'Said so.'"))
    with told.read() as connection:
        erased, signed = proofs(connection), Believed((), ())
        _, quickly = walking.quickly(connection, signed, erased)
        _, exact = walking.exactly(connection, signed, erased)
    assert not quickly.doubtful
    said = {(part, key): each for part, found in quickly.said.items() for key, each in found.items()}
    assert said == {tuple(subject): each.digest for subject, each in exact.told.items()}


PROPOSALS = st.dictionaries(
    st.sampled_from(["a", "b", 'q"', "ä", "\\", "proposals"]),
    st.fixed_dictionaries(
        {"action": st.sampled_from(["a", "b"]), "row_id": st.sampled_from(["r", "s", 't"', "\\"])},
        optional={
            "arguments": st.sampled_from([{}, {"row_id": "r"}, {"x": {"row_id": "r"}}, '},"b":{"', ',"row_id":"r"}}']),
            "row_id2": st.just("x"),
        },
    ),
    max_size=4,
)
ANSWERS = st.dictionaries(
    st.sampled_from(["declined", "failed", "proposals", "refused", "x", 'y"']),
    PROPOSALS | st.fixed_dictionaries({"proposals": PROPOSALS}) | st.just({"r": 'a "reason","row_id":"r"}}'}),
)


@hypothesis_settings(max_examples=300)
@given(
    ANSWERS, st.sampled_from([("", ""), (",", ", "), ("}", "} "), ("{}", '{"proposals":{}}'), ('"x":', '"proposals":')])
)
@example({"proposals": {"a": {"action": "a", "row_id": "r"}}, "x": {}}, ('"x":', '"proposals":'))  # it comes twice
def test_an_answer_is_cut_into_what_it_says_or_not_at_all(payload: dict[str, Any], change: tuple[str, str]) -> None:
    said = canonical(payload).decode().replace(*change)
    cut = cut_answer(said.encode())
    if cut is None or links.members(cut[1]).get("proposals", (None, ""))[0] != {}:
        return
    found, whole, rest = cut[0], links.members(said), links.members(cut[1])
    for _, row_id, piece in found:
        try:
            row = json.loads(piece)
        except ValueError:
            return  # no row of the store has the digest of this
        if type(row) is not dict or canonical(row) != piece or max(row) != "row_id":
            return
        assert row_id == row["row_id"]
    proposals = links.members(whole.pop("proposals")[1])
    assert {action: piece.decode() for action, _, piece in found} == {
        name: held for name, (_, held) in proposals.items()
    }
    assert rest.pop("proposals")[0] == {}
    assert rest == whole


def test_an_answer_to_many_rows_is_cut() -> None:
    row = {"action": "a", "arguments": {"row_id": "x"}, "row_id": "r"}
    payload = {"declined": {"s": "no"}, "proposals": {"a": row, "b": row | {"action": "b"}}, "refused": {}}
    cut = cut_answer(canonical(payload))
    assert cut is not None
    assert [each[:2] for each in cut[0]] == [("a", "r"), ("b", "r")]
    assert json.loads(cut[0][0][2]) == row
    assert json.loads(cut[1]) == payload | {"proposals": {}}


def test_an_outcome_that_was_unknown_is_followed_by_another_one(either: Store) -> None:
    story.tell(either)
    with either.begin() as connection:
        connection.execute(text("UPDATE outbox SET state = 'failed'"))
        entries_effects.settled(connection, DONE, at=NOW)
    with either.read() as connection:
        found = record_of(connection)
        assert not found.ok  # it was done, and says otherwise now
        assert found == exactly(connection)


def test_an_entry_is_sound_where_nothing_is_wrong_with_it(told: Store) -> None:
    with told.read() as connection:
        every = list(links.entries(connection))
    assert every
    for entry in every:
        body, payload = quick.sound(entry)
        assert body == json.loads(entry.body)
        assert payload == (entry.payload or "").encode()
        assert not list(links.faults(entry))


def test_what_is_told_twice_and_otherwise_is_doubtful(told: Store) -> None:
    with told.read() as connection:
        every = list(links.entries(connection))
    hearing = Quick()
    for entry in (*every, *every[2:4]):
        hearing.hear(entry, {})
    assert hearing.doubtful
