from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, reject
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, text
from sqlalchemy.exc import IntegrityError

from orchestration.canonical import canonical
from orchestration.ledger import entries, entries_effects
from orchestration.ledger.chain import GENESIS, append, entry_hash, said
from orchestration.ledger.verify import Verification, record_of, verify
from orchestration.store import tables
from orchestration.store.engine import Store
from tests.integration.ledger import recording, story
from tests.integration.ledger.story import BATCH, DENIED, DONE, NOW, undone

COLUMNS = [("ledger_entry", column.name) for column in tables.ledger_entry.columns] + [
    ("ledger_payload", column.name) for column in tables.ledger_payload.columns
]
ENTRIES = 6


def problems(connection: Connection) -> list[str]:
    return list(record_of(connection).problems)


def write(connection: Connection, table: str, column: str, seq: object, value: object) -> None:
    """Write a value as somebody with a shell on the database would."""
    connection.execute(text(f"UPDATE {table} SET {column} = :value WHERE seq = :seq"), {"value": value, "seq": seq})


def read(connection: Connection, table: str, column: str, seq: object) -> Any:
    return connection.execute(text(f"SELECT {column} FROM {table} WHERE seq = :seq"), {"seq": seq}).scalar_one()


def test_a_story_told_as_it_happened_verifies(told: Store) -> None:
    with told.read() as connection:
        head = read(connection, "ledger_entry", "hash", ENTRIES)
    assert verify(told, None) == Verification(ok=True, entries=ENTRIES, head=head, problems=(), lineage=False)


def test_an_empty_store_verifies(either: Store) -> None:
    assert verify(either, None) == Verification(ok=True, entries=0, head=GENESIS, problems=(), lineage=False)


def test_an_edited_body_is_told_with_its_entry_and_time(settled: Store) -> None:
    with undone(settled) as connection:
        body = read(connection, "ledger_entry", "body", 3)
        write(connection, "ledger_entry", "body", 3, body.replace('"allow"', '"deny"'))
        first = problems(connection)[0]
    assert first.startswith("Entry 3 (decision of 2026-11-02 09:00:00.123456")
    assert first.endswith("was edited: its body does not give its hash.")


def test_an_edited_body_with_a_fitting_hash_breaks_the_chain_behind_it(settled: Store) -> None:
    with undone(settled) as connection:
        body = read(connection, "ledger_entry", "body", 3).replace('"allow"', '"deny"')
        write(connection, "ledger_entry", "body", 3, body)
        write(connection, "ledger_entry", "hash", 3, entry_hash(body.encode()))
        found = problems(connection)
    assert [problem.split(" (")[0] for problem in found] == ["Entry 4"]
    assert "does not follow entry 3" in found[0]


def test_an_edited_payload_is_told(settled: Store) -> None:
    with undone(settled) as connection:
        payload = read(connection, "ledger_payload", "payload", 3)
        write(connection, "ledger_payload", "payload", 3, payload.replace("ada@", "eve@"))
        assert problems(connection)[0].startswith("The payload of entry 3 (decision of ")


def test_a_payload_that_is_gone_or_put_in_later_is_told(told: Store) -> None:
    with told.begin() as connection:
        append(connection, "note", {}, at=NOW)
    with undone(told) as connection:
        connection.execute(text("DELETE FROM ledger_payload WHERE seq = 3"))
        assert "The payload of entry 3" in problems(connection)[0]
        assert "is missing" in problems(connection)[0]
    with undone(told) as connection:
        connection.execute(insert(tables.ledger_payload).values(seq=7, salt="0" * 64, payload="{}"))
        assert "has a payload that it does not commit to" in problems(connection)[0]


def test_a_deleted_entry_is_told_by_its_number(settled: Store) -> None:
    with undone(settled) as connection:
        for table in ("ledger_payload", "ledger_entry"):
            connection.execute(text(f"DELETE FROM {table} WHERE seq IN (2, 3)"))
        first = problems(connection)[0]
    assert first.startswith("Entry 4 (")
    assert first.endswith("stands where entry 2 belongs, so entries 2 to 3 are missing.")


def test_a_deleted_entry_is_told_even_where_the_rest_is_numbered_anew(settled_file: Store) -> None:
    with undone(settled_file) as connection:
        for table in ("ledger_payload", "ledger_entry"):
            connection.execute(text(f"DELETE FROM {table} WHERE seq = 2"))
            for seq in range(3, ENTRIES + 1):
                write(connection, table, "seq", seq, seq - 1)
        assert "does not follow entry 1" in problems(connection)[0]


def test_a_beginning_cut_off_is_told(settled: Store) -> None:
    with undone(settled) as connection:
        for table in ("ledger_payload", "ledger_entry"):
            connection.execute(text(f"DELETE FROM {table} WHERE seq <= 2"))
        assert "entries 1 to 2 are missing" in problems(connection)[0]


def test_an_end_cut_off_is_told_by_the_rows_it_recorded(settled: Store) -> None:
    with undone(settled) as connection:
        for table in ("ledger_payload", "ledger_entry"):
            connection.execute(text(f"DELETE FROM {table} WHERE seq = {ENTRIES}"))
        assert problems(connection) == [
            f"The store holds the outcome of action {DONE}, which no unedited ledger entry recorded."
        ]


def test_swapped_entries_are_told(settled_file: Store) -> None:
    with undone(settled_file) as connection:
        for table in ("ledger_entry", "ledger_payload"):
            for old, new in ((3, 99), (4, 3), (99, 4)):
                write(connection, table, "seq", old, new)
        found = problems(connection)
    assert {problem.split(" (")[0] for problem in found} >= {"Entry 3", "Entry 4", "Entry 5"}


def test_an_entry_put_in_between_is_told(settled_file: Store) -> None:
    with undone(settled_file) as connection:
        for table in ("ledger_payload", "ledger_entry"):
            for seq in range(ENTRIES, 3, -1):
                write(connection, table, "seq", seq, seq + 1)
        before = read(connection, "ledger_entry", "hash", 3)
        body = canonical(
            {"seq": 4, "kind": "note", "at": NOW, "action": None, "previous": before, "commitment": None}
        ).decode()
        forged = {"seq": 4, "kind": "note", "at": NOW, "body": body, "previous": before}
        connection.execute(insert(tables.ledger_entry).values(**forged, hash=entry_hash(body.encode())))
        assert "Entry 5 (decision" in problems(connection)[0]


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(place=st.sampled_from(COLUMNS), seq=st.integers(1, ENTRIES), data=st.data())
def test_any_one_value_changed_anywhere_in_the_ledger_is_detected(
    settled_file: Store, place: tuple[str, str], seq: int, data: st.DataObject
) -> None:
    table, column = place
    with undone(settled_file) as connection:
        before = read(connection, table, column, seq)
        value = data.draw(mutations(before))
        try:
            write(connection, table, column, seq, value)
        except IntegrityError:
            reject()  # the database itself refused it
        after = read(connection, table, column, value if column == "seq" else seq)
        assume(not same(column, before, after))
        found = problems(connection)
    assert found, (table, column, seq, before, after)


def mutations(before: object) -> st.SearchStrategy[object]:
    """Anything at all, and the value with one character changed."""
    spelled = str(before)
    at = st.integers(0, max(len(spelled) - 1, 0))
    letters = st.characters(exclude_categories=["Cs"])
    near = st.builds(lambda i, letter: spelled[:i] + letter + spelled[i + 1 :], at, letters)
    cased = st.sampled_from([spelled.upper(), spelled.lower(), f"{spelled} ", f" {spelled}", spelled[:-1]])
    wild = st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(letters) | st.binary()
    return near | cased | wild


def same(column: str, before: object, after: object) -> bool:
    """Whether nothing was changed: the same value, or the same moment written otherwise."""
    if column == "at":
        try:
            return datetime.fromisoformat(str(before)) == datetime.fromisoformat(str(after))
        except (ValueError, TypeError):
            return False
    return type(before) is type(after) and before == after


def test_bodies_that_are_no_object_are_told_and_do_not_break_the_walk(settled: Store) -> None:
    for body in ("", "null", "[]", "{", "[" * 10_000, '{"seq": NaN}', '{"batches": 7}'):
        with undone(settled) as connection:
            write(connection, "ledger_entry", "body", 2, body)
            assert "Entry 2" in problems(connection)[0]


EDITS: list[tuple[str, str, object]] = [
    ("snapshot", "path", "graph/other.duckdb"),
    ("snapshot", "run_id", "run-9"),
    ("snapshot", "checks", '{"duplicate_keys": "failed"}'),
    ("snapshot", "built_at", "2026-11-02 09:00:01.000000"),
    ("snapshot", "published_at", None),
    ("batch", "agent", "sales"),
    ("batch", "snapshot_id", "snap_2"),
    ("batch", "business_date", "2026-11-03"),
    ("batch", "row_count", 3),
    ("batch", "pin", None),
    ("trigger_row", "values", '{"invoice": "erp:transaction:9"}'),
    ("trigger_row", "entity_id", "org_9"),
    ("trigger_row", "note", "Pay him at once"),  # an agent is told it
    ("proposal", "arguments", '{"stage": 3}'),
    ("proposal", "entity_id", "org_9"),
    ("proposal", "rationale", "because"),
    ("proposal", "agent", "sales"),
    ("decision", "verdict", "review"),
    ("decision", "reasons", "[]"),
    ("decision", "policies", "[]"),
    ("decision", "read_set_digest", "f" * 64),
    ("decision", "snapshot_id", None),
    ("decision", "decided_at", "2026-11-02 10:00:00.000000"),
    ("evidence", "read_set", "{}"),
    ("evidence", "source_rows", "[]"),
    ("evidence", "entities", "{}"),
    ("evidence", "materialisations", "[]"),
    ("evidence", "materialisations", f'"{"f" * 64}"'),
    ("pin_set", "pins", "[]"),
    ("pin_set", "digest", "f" * 64),
    ("permit", "payload", "{}"),
    ("permit", "signature", "Zm9yZ2Vk"),
    ("permit", "expires_at", "2027-11-02 09:00:00.000000"),
    ("permit", "consumed_at", None),
    ("outbox", "effect_key", "reminder:erp:transaction:42:2"),
    ("outbox", "tool_arguments", '{"recipient": "eve@example.com"}'),
    ("outbox", "tool", "write_credit_note"),
    ("outbox", "state", "failed"),
    ("outbox", "state", "pending"),
    ("outbox", "reference", "erp:dunning:10"),
    ("outbox", "settled_at", "2026-11-03 09:00:00.000000"),
]


@pytest.mark.parametrize(("table", "column", "value"), EDITS, ids=[f"{t}.{c}={v}"[:40] for t, c, v in EDITS])
def test_an_edited_row_of_the_store_is_told(settled: Store, table: str, column: str, value: object) -> None:
    with undone(settled) as connection:
        typed = f"CAST(:value AS {tables.metadata.tables[table].c[column].type.compile(connection.dialect)})"
        spelled = typed if connection.dialect.name == "postgresql" else ":value"
        changed = connection.execute(text(f'UPDATE {table} SET "{column}" = {spelled}'), {"value": value})
        assert changed.rowcount
        found = problems(connection)
    assert any("The store" in problem for problem in found), found


@pytest.mark.parametrize("table", ["outbox", "evidence", "pin_set", "decision", "trigger_row", "pointer"])
def test_a_removed_row_of_the_store_is_told(settled: Store, table: str) -> None:
    with undone(settled) as connection:
        connection.execute(delete(tables.metadata.tables[table]))
        found = problems(connection)
    assert found
    assert all(problem.startswith("The store") for problem in found)


def test_a_decision_and_an_effect_that_nobody_recorded_are_told(settled: Store) -> None:
    with undone(settled) as connection:
        connection.execute(
            text(
                "INSERT INTO decision (action, verdict, reasons, policies, policy_digest, read_set_digest, decided_at, "
                "transient) SELECT action, 'allow', reasons, policies, policy_digest, read_set_digest, decided_at, "
                f"transient FROM decision WHERE action = '{DENIED}'"
            )
        )
        permit = story.permit_of(connection, DENIED)
        effect = {"action": DENIED, "permit_id": permit, "effect_key": "k", "tool_server": "erp", "tool": "t"}
        connection.execute(
            insert(tables.outbox).values(**effect, tool_arguments={}, state="pending", attempts=0, intended_at=NOW)
        )
        found = problems(connection)
    assert found == [
        "The store holds decision 3, which no unedited ledger entry recorded.",
        f"The store holds permit permit_{DENIED}, which no unedited ledger entry recorded.",
        f"The store holds the intent of action {DENIED}, which no unedited ledger entry recorded.",
    ]


def test_a_pointer_moved_back_to_an_older_snapshot_is_told(settled: Store) -> None:
    with undone(settled) as connection:
        row = connection.execute(tables.snapshot.select()).mappings().one()
        connection.execute(insert(tables.snapshot).values({**row, "snapshot_id": "snap_2"}))
        connection.execute(tables.pointer.update().values(snapshot_id="snap_2"))
        entries.snapshot_published(connection, "snap_2", at=NOW)
        assert problems(connection) == []
        connection.execute(tables.pointer.update().values(snapshot_id="snap_1"))
        assert "The store's row was edited: the pointer to the current snapshot" in problems(connection)[0]


def test_a_second_decision_replaces_the_evidence_of_the_first(told: Store) -> None:
    with told.begin() as connection:
        connection.execute(tables.evidence.update().values(read_set={"invoice": {"amount_open": "0"}}))
        again = connection.execute(text("SELECT max(decision_id) FROM decision")).scalar_one() + 1
        row = connection.execute(tables.decision.select().where(tables.decision.c.action == DENIED)).mappings().one()
        connection.execute(insert(tables.decision).values({**row, "decision_id": again, "verdict": "deny"}))
        recording.decided(connection, again, at=NOW)
        assert any(DONE in problem for problem in problems(connection)), "the other action's evidence was edited"
        assert not any(DENIED in problem for problem in problems(connection))


def test_an_outcome_that_becomes_known_later_replaces_unknown(either: Store) -> None:
    story.snapshot(either)
    story.batch(either)
    story.decide(either, DONE, "allow")
    story.intend(either, DONE)
    for state in ("unknown", "unknown", "done"):
        story.settle(either, DONE, state)
        assert verify(either, None).problems == ()


@pytest.mark.parametrize("state", ["failed", "unknown"])
def test_an_outcome_that_was_known_is_not_told_otherwise_later(told: Store, state: str) -> None:
    story.settle(told, DONE, state)
    with told.read() as connection:
        found = problems(connection)
    assert found[0].startswith("Entry 7 (outcome of ")
    assert f"tells the outcome of action {DONE} otherwise than entry 6 (outcome of " in found[0]


@pytest.mark.parametrize(
    ("table", "column", "value", "says"),
    [
        ("proposal", "rationale", "forged", f"the proposal of action {DONE}"),
        ("permit", "signature", "e30=", f"permit permit_{DONE}"),
        ("decision", "reasons", [], "decision 1"),
        ("evidence", "source_rows", [], f"the evidence of action {DONE}"),
        ("outbox", "tool_arguments", {"recipient": "eve@example.com"}, f"the intent of action {DONE}"),
    ],
)
def test_an_edited_row_is_told_though_entries_that_tell_it_anew_were_appended(
    settled: Store, table: str, column: str, value: object, says: str
) -> None:
    with undone(settled) as connection:
        edited = tables.metadata.tables[table]
        connection.execute(edited.update().where(edited.c.action == DONE).values({column: value}))
        decision = connection.execute(text(f"SELECT decision_id FROM decision WHERE action = '{DONE}'")).scalar_one()
        recording.decided(connection, decision, at=NOW, permit_id=f"permit_{DONE}")
        recording.intended(connection, DONE, at=NOW)
        entries_effects.settled(connection, DONE, at=NOW)
        found = problems(connection)
    assert any(f"tells {says} otherwise than entry " in problem for problem in found), found
    assert any(problem.startswith(f"The store's row was edited: {says} is not what entry ") for problem in found)


def test_a_decision_that_follows_the_effect_is_told(settled: Store) -> None:
    with undone(settled) as connection:
        row = connection.execute(tables.decision.select().where(tables.decision.c.action == DONE)).mappings().one()
        connection.execute(insert(tables.decision).values({**row, "decision_id": 9, "verdict": "deny"}))
        connection.execute(tables.evidence.update().where(tables.evidence.c.action == DONE).values(source_rows=[]))
        recording.decided(connection, 9, at=NOW)
        assert f"decides action {DONE} after entry 5 (intent of " in problems(connection)[0]


UNTOLD: list[tuple[str, str, object, str]] = [
    ("trigger_row", "answer", "'refused'", "the answer to row batch_1_2"),
    ("trigger_row", "reason", "'another'", "the answer to row batch_1_2"),
    ("trigger_row", "answer", "NULL", "the answer to row batch_1_2"),
    ("batch", "state", "'waiting'", "the state of batch batch_1"),
    ("batch", "state", "'closed'", "the state of batch batch_1"),
    ("snapshot", "pin", "NULL", "the pin of snapshot snap_1"),
    ("snapshot", "expired_at", "'2026-11-03 09:00:00.000000'", "the expiry of snapshot snap_1"),
    ("snapshot", "file_digest", f"'{'8' * 64}'", "the file of snapshot snap_1"),
    ("pointer", "moved_at", "'2026-11-03 09:00:00.000000'", "the pointer to the current snapshot"),
]


@pytest.mark.parametrize(("table", "column", "value", "subject"), UNTOLD)
def test_an_edit_of_what_changes_as_work_goes_on_is_told(
    told: Store, table: str, column: str, value: str, subject: str
) -> None:
    story.decline(told, "batch_1_2", "paid meanwhile")
    assert verify(told, None).problems == ()
    where = " WHERE row_id = 'batch_1_2'" if table == "trigger_row" else ""
    with undone(told) as connection:
        assert connection.execute(text(f"UPDATE {table} SET {column} = {value}{where}")).rowcount == 1
        found = problems(connection)
    assert len(found) == 1
    assert subject in found[0]


def test_a_proposal_edited_before_it_is_decided_is_told(told: Store) -> None:
    with told.begin() as connection:
        story.propose(connection, "act_2222")
        story.answer(connection, "act_2222")
    assert verify(told, None).problems == ()
    with undone(told) as connection:
        connection.execute(text("UPDATE proposal SET rationale = 'forged' WHERE action = 'act_2222'"))
        assert "the proposal of action act_2222 is not what entry 7" in problems(connection)[0]


def test_a_snapshot_that_expires_and_comes_back_verifies(told: Store) -> None:
    with told.begin() as connection:
        connection.execute(tables.snapshot.update().values(expired_at=NOW))
        entries.snapshot_expired(connection, "snap_1", at=NOW)
    assert verify(told, None).problems == ()
    with told.begin() as connection:
        connection.execute(tables.snapshot.update().values(expired_at=None, file_digest="7" * 64))
        entries.snapshot_published(connection, "snap_1", at=NOW)
    assert verify(told, None).problems == ()


def test_the_range_of_a_batch_covers_every_entry_about_its_actions(told: Store) -> None:
    with told.read() as connection:
        covered = entries.range_of(connection, [BATCH])
        assert covered is not None
        assert (covered.first, covered.last) == (3, 6)
        assert entries.range_of(connection, ["batch_of_nobody"]) is None
        bodies = connection.execute(text("SELECT body FROM ledger_entry WHERE seq BETWEEN 3 AND 6")).scalars()
        assert {said(body)["action"] for body in bodies} == {DONE, DENIED}


def test_bodies_hold_nothing_of_a_person(told: Store) -> None:
    with told.read() as connection:
        bodies = "".join(connection.execute(text("SELECT body FROM ledger_entry")).scalars())
    for personal in ("ada@", "example.com", "pfel", "1250.5", "overdue"):
        assert personal not in bodies
