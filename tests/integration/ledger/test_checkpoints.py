"""Ledgers that were edited, cut off, set back and written anew, and folders of checkpoints that were tampered with."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, delete, select, update

from orchestration.contracts import Permit
from orchestration.errors import ConfigurationError, PrecedeError
from orchestration.gate.keys import signing_key
from orchestration.gate.permits import sign as sign_permit
from orchestration.ledger import checkpoint, checkpoint_files, kinds
from orchestration.ledger.chain import append
from orchestration.ledger.links import entries as every
from orchestration.ledger.merkle import root_of
from orchestration.ledger.outside import forged_permits
from orchestration.ledger.signing import Signed, make, restore
from orchestration.ledger.verify import verify
from orchestration.settings import Settings
from orchestration.store import tables
from orchestration.store.engine import Store, open_store
from tests.integration.ledger import story
from tests.integration.ledger.forging import rehash
from tests.integration.ledger.story import DENIED, DONE, NOW

FIRST = "The last one that holds is checkpoint 1 of 2026-11-02 10:00:00 UTC, up to entry 4."


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.delenv("PRECEDE_CHECKPOINTS", raising=False)
    return Settings(home=tmp_path / "home")


@pytest.fixture
def signed(either: Store, settings: Settings) -> Store:
    """A story that was signed in the middle, at its end, and once more after two further entries."""
    story.snapshot(either)
    story.batch(either)
    story.decide(either, DONE, "allow")
    story.decide(either, DENIED, "deny")
    assert checkpointed(either, settings, hours=1).head.last == 4
    story.intend(either, DONE)
    story.settle(either, DONE, "done")
    assert checkpointed(either, settings, hours=2).head.last == 6
    note(either, 2)
    assert checkpointed(either, settings, hours=3).head.last == 8
    assert problems(either, settings) == []
    return either


def checkpointed(store: Store, settings: Settings, hours: int) -> Signed:
    made = make(store, settings, NOW.replace(microsecond=0) + timedelta(hours=hours))
    assert made is not None
    return made


def note(store: Store, count: int = 1, agent: str = "finance") -> None:
    with store.begin() as connection:
        for _ in range(count):
            append(connection, "agent_stopped", {"agent": agent}, at=NOW)


def problems(store: Store, settings: Settings) -> list[str]:
    return list(verify(store, None, settings).problems)


def test_a_checkpoint_says_what_the_ledger_was(either: Store, settings: Settings) -> None:
    story.tell(either)
    made = checkpointed(either, settings, hours=1)
    with either.read() as connection:
        rows = [entry.hash for entry in every(connection)]
    assert (made.head.number, made.head.first, made.head.last, made.head.previous) == (1, 1, 6, None)
    assert (made.head.root, made.head.head) == (root_of(rows), rows[-1])
    assert made.path == settings.checkpoints / "checkpoint-00000001.json"
    assert made.path.read_text() == made.content
    found = verify(either, None, settings)
    assert (found.ok, found.checkpoints, found.covered, found.signed_at) == (True, 1, 6, made.head.at)


def test_where_nothing_is_new_nothing_is_written(signed: Store, settings: Settings) -> None:
    assert make(signed, settings, datetime.now(UTC)) is None
    assert len(checkpoint_files.files(settings.checkpoints)) == 3


def test_of_an_empty_ledger_nothing_is_signed(either: Store, settings: Settings) -> None:
    assert make(either, settings, NOW) is None
    assert not settings.checkpoints.exists()


def test_each_names_the_one_before_it_and_goes_on_from_its_tree(signed: Store, settings: Settings) -> None:
    first, second, third = (file.content or "" for file in checkpoint_files.files(settings.checkpoints))
    assert checkpoint.read(second).previous == checkpoint.content_digest(first)
    assert checkpoint.read(third).previous == checkpoint.content_digest(second)
    with signed.read() as connection:
        rows = [entry.hash for entry in every(connection)]
    assert checkpoint.read(third).root == root_of(rows)


# --- the ledger ---


def rewrite_everything(connection: Connection) -> None:
    """Change why something was proposed, in the row and in every entry, and hash everything anew: a perfect forgery."""
    table = tables.proposal
    connection.execute(update(table).where(table.c.action == DENIED).values(rationale="forged"))

    def edit(body: dict[str, Any], payload: dict[str, Any] | None) -> bool:
        if body["action"] == DENIED and payload and "proposal" in payload:
            payload["proposal"]["rationale"] = "forged"
        return True

    rehash(connection, edit)


def rewrite_the_outcome(connection: Connection) -> None:
    """Change what the tool said, in entry 6, after the first checkpoint."""
    connection.execute(update(tables.outbox).values(reference="erp:dunning:999"))

    def edit(body: dict[str, Any], payload: dict[str, Any] | None) -> bool:
        if body["kind"] == kinds.OUTCOME and payload:
            payload["outcome"]["reference"] = "erp:dunning:999"
        return True

    rehash(connection, edit)


def remove_the_effect(connection: Connection) -> None:
    """Remove an effect with everything that tells of it, and close the gap."""
    connection.execute(delete(tables.outbox))
    connection.execute(update(tables.permit).values(consumed_at=None))
    rehash(connection, lambda body, _: body["kind"] not in {kinds.INTENT, kinds.OUTCOME})


def swap_two(connection: Connection) -> None:
    """Swap entries 7 and 8, which say the same but for their numbers, after marking one."""

    def edit(body: dict[str, Any], _: dict[str, Any] | None) -> bool:
        if body["seq"] == 7:
            body["agent"] = "sales"
        return True

    rehash(connection, edit)


def cut_off(connection: Connection) -> None:
    """Cut the last two entries off; no row tells of them."""
    connection.execute(delete(tables.ledger_entry).where(tables.ledger_entry.c.seq > 6))


REWRITTEN = [
    (rewrite_everything, "its first 4 entries are not those that checkpoint 1 of", "No checkpoint holds."),
    (rewrite_the_outcome, "its first 6 entries are not those that checkpoint 2 of", FIRST),
    (remove_the_effect, "its first 6 entries are not those that checkpoint 2 of", FIRST),
    (swap_two, "its first 8 entries are not those that checkpoint 3 of", "up to entry 6."),
    (cut_off, "it ends with entry 6, and checkpoint 3 of 2026-11-02 12:00:00 UTC signed 8 entries", "up to entry 6."),
]


@pytest.mark.parametrize(("forge", "says", "since"), REWRITTEN, ids=[forge.__name__ for forge, *_ in REWRITTEN])
def test_a_ledger_that_was_written_anew_with_its_rows_is_told_with_since_when(
    signed: Store, settings: Settings, forge: Callable[[Connection], None], says: str, since: str
) -> None:
    with signed.begin() as connection:
        forge(connection)
    assert list(verify(signed, None).problems) == [], "chain and rows alone do not show it"
    found = problems(signed, settings)
    assert says in found[0]
    assert found[0].endswith(since)


def test_cutting_off_more_than_was_ever_signed_is_told(signed: Store, settings: Settings) -> None:
    with signed.begin() as connection:
        for table in (tables.ledger_payload, tables.ledger_entry, tables.outbox, tables.permit, tables.evidence):
            connection.execute(delete(table))
        for table in (tables.decision, tables.proposal, tables.trigger_row, tables.batch, tables.pointer):
            connection.execute(delete(table))
        connection.execute(delete(tables.snapshot))
    assert list(verify(signed, None).problems) == []
    [told] = problems(signed, settings)
    assert "it ends with entry 0, and checkpoint 3 of" in told
    assert told.endswith("What is missing: entries 1 to 8. No checkpoint holds.")


def test_a_store_set_back_to_a_backup_is_told_and_nothing_of_it_is_signed(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    story.tell(store)
    checkpointed(store, settings, hours=1)
    with closing(sqlite3.connect(settings.home / "store.db")) as books:
        books.execute("VACUUM INTO ?", [str(tmp_path / "backup.db")])
    note(store, 3)
    checkpointed(store, settings, hours=2)
    store.close()
    for name in ("store.db", "store.db-wal", "store.db-shm"):
        (settings.home / name).unlink(missing_ok=True)
    (tmp_path / "backup.db").rename(settings.home / "store.db")
    with closing(open_store(settings)) as back:
        [told] = problems(back, settings)
        assert "or the store was set back to an older state: it ends with entry 6" in told
        assert "What is missing: entries 7 to 9." in told
        with pytest.raises(PrecedeError, match="the ledger ends with entry 6; needed one that does, so nothing was si"):
            make(back, settings, NOW)
        note(back, 4, agent="sales")  # it goes on and grows beyond what was signed
        with pytest.raises(PrecedeError, match="entry 9 is another one"):
            make(back, settings, NOW)
        [told] = problems(back, settings)
        assert "its first 9 entries are not those that checkpoint 2 of" in told
        assert told.endswith("The last one that holds is checkpoint 1 of 2026-11-02 10:00:00 UTC, up to entry 6.")


def test_what_was_rewritten_is_never_signed(signed: Store, settings: Settings) -> None:
    with signed.begin() as connection:
        rewrite_the_outcome(connection)
    note(signed)
    with pytest.raises(PrecedeError, match="The ledger does not go on as it was since checkpoint 3 of"):
        make(signed, settings, NOW)
    assert len(checkpoint_files.files(settings.checkpoints)) == 3


def test_an_entry_that_was_edited_before_it_is_signed_is_not_signed(signed: Store, settings: Settings) -> None:
    note(signed)
    with signed.begin() as connection:
        connection.execute(update(tables.ledger_entry).where(tables.ledger_entry.c.seq == 9).values(kind="judgement"))
    with pytest.raises(PrecedeError, match="its column kind says 'judgement'"):
        make(signed, settings, NOW)


def test_subtrees_that_were_edited_are_hashed_anew(signed: Store, settings: Settings) -> None:
    note(signed)
    for subtrees in (["ab" * 32], ["no hash"], [], {"a": 1}):
        with signed.begin() as connection:
            connection.execute(update(tables.checkpoint).values(subtrees=subtrees))
        with signed.begin() as connection:
            connection.execute(delete(tables.checkpoint).where(tables.checkpoint.c.number > 3))
        made = make(signed, settings, NOW)
        assert made is not None
        with signed.read() as connection:
            assert made.head.root == root_of([entry.hash for entry in every(connection)])
        made.path.unlink()


# --- the folder ---


def test_a_checkpoint_that_was_edited_is_told(signed: Store, settings: Settings) -> None:
    path = settings.checkpoints / "checkpoint-00000003.json"
    path.write_text(path.read_text().replace('\\"last\\":8', '\\"last\\":7'))
    found = problems(signed, settings)
    assert f"Checkpoint 3 ({path}) does not hold: no key of this coordinator signed it as it stands." in found[-1]
    assert "The store's copy of checkpoint 3 is not what the file" in found[0]
    note(signed)
    with pytest.raises(
        PrecedeError, match=r"The last checkpoint .* does not hold: no key of this coordinator signed it"
    ):
        make(signed, settings, NOW)


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"body": 1}', '{"body": "{}", "signature": "é"}', "\x00", "[" * 9999]
)
def test_a_file_that_is_no_checkpoint_is_told(signed: Store, settings: Settings, content: str) -> None:
    (settings.checkpoints / "checkpoint-00000002.json").write_text(content)
    assert any("Checkpoint 2 (" in problem and "does not hold" in problem for problem in problems(signed, settings))


def test_a_file_that_is_no_text_or_far_too_long_is_told(signed: Store, settings: Settings) -> None:
    for content in (b"\xff\xfe", b" " * 100_000):
        (settings.checkpoints / "checkpoint-00000002.json").write_bytes(content)
        assert any("cannot be read" in problem for problem in problems(signed, settings))


def test_an_old_checkpoint_that_was_replaced_by_another_signed_one_is_told(signed: Store, settings: Settings) -> None:
    key = checkpoint.checkpoint_key(settings.keys)
    path = settings.checkpoints / "checkpoint-00000002.json"
    head = checkpoint.read(path.read_text())
    path.write_text(checkpoint.sign(head.model_copy(update={"at": NOW}), key))
    assert any(
        f"({path}) is not the one that checkpoint 3 names: it was replaced" in p for p in problems(signed, settings)
    )


def test_a_checkpoint_under_another_name_is_told(signed: Store, settings: Settings) -> None:
    third = settings.checkpoints / "checkpoint-00000003.json"
    third.rename(settings.checkpoints / "checkpoint-00000004.json")
    found = problems(signed, settings)
    assert any("is checkpoint 3 under another name" in problem for problem in found)
    assert any("Missing from" in problem and "checkpoint 3." in problem for problem in found)


@pytest.mark.parametrize(
    ("gone", "told"),
    [([3], "checkpoint 3"), ([2], "checkpoint 2"), ([1], "checkpoint 1"), ([1, 2, 3], "checkpoints 1 to 3")],
)
def test_checkpoints_that_were_removed_are_told(signed: Store, settings: Settings, gone: list[int], told: str) -> None:
    for number in gone:
        checkpoint_files.path_of(settings.checkpoints, number).unlink()
    [problem] = problems(signed, settings)
    assert problem.startswith(
        f"Missing from {settings.checkpoints}: {told}. Who took them away hides what they signed."
    )
    assert f"The store has a copy of checkpoint {gone[-1]} of 2026-11-02" in problem


def test_one_in_the_middle_is_missed_though_the_stores_copies_were_removed_too(
    signed: Store, settings: Settings
) -> None:
    checkpoint_files.path_of(settings.checkpoints, 2).unlink()
    with signed.begin() as connection:
        connection.execute(delete(tables.checkpoint))
    [problem] = problems(signed, settings)
    assert problem == f"Missing from {settings.checkpoints}: checkpoint 2. Who took them away hides what they signed."


def test_removing_the_folder_does_not_hide_what_was_cut_off(signed: Store, settings: Settings) -> None:
    for file in checkpoint_files.files(settings.checkpoints):
        file.path.unlink()
    with signed.begin() as connection:
        cut_off(connection)
    found = problems(signed, settings)
    assert any("it ends with entry 6, and checkpoint 3 of" in problem for problem in found)


def test_a_copy_in_the_store_that_was_edited_is_told(signed: Store, settings: Settings) -> None:
    with signed.begin() as connection:
        connection.execute(update(tables.checkpoint).where(tables.checkpoint.c.number == 1).values(content="x"))
    assert problems(signed, settings) == [
        f"The store's copy of checkpoint 1 is not what the file in {settings.checkpoints} says."
    ]


def test_checkpoints_that_another_key_signed_are_told(signed: Store, settings: Settings) -> None:
    """A forger without the key writes the ledger anew, and signs every head with a key of his own."""
    other = Ed25519PrivateKey.generate()
    with signed.begin() as connection:
        rewrite_everything(connection)
        rows = [entry.hash for entry in every(connection)]
        before = None
        for number, last in ((1, 4), (2, 6), (3, 8)):
            path = checkpoint_files.path_of(settings.checkpoints, number)
            head = checkpoint.read(path.read_text())
            forged = {"root": root_of(rows[:last]), "head": rows[last - 1], "previous": before}
            content = checkpoint.sign(head.model_copy(update=forged), other)
            path.write_text(content)
            connection.execute(
                update(tables.checkpoint).where(tables.checkpoint.c.number == number).values(content=content)
            )
            before = checkpoint.content_digest(content)
    found = problems(signed, settings)
    assert len(found) == 3
    assert all("no key of this coordinator signed it as it stands. It was edited, or another key" in p for p in found)
    assert verify(signed, None, settings).covered == 0


def test_without_its_public_key_no_checkpoint_is_believed(signed: Store, settings: Settings) -> None:
    (settings.keys / "checkpoint.pub").unlink()
    assert len(problems(signed, settings)) == 3
    assert verify(signed, None, settings).checkpoints == 0


def test_a_key_that_is_gone_is_not_made_anew_by_itself(signed: Store, settings: Settings) -> None:
    (settings.keys / "checkpoint.key").unlink()
    note(signed)
    with pytest.raises(ConfigurationError, match="no key beside its public half"):
        make(signed, settings, NOW)
    public = settings.keys / "checkpoint.pub"
    public.rename(settings.keys / "checkpoint-1.pub")
    assert checkpointed(signed, settings, hours=4).head.number == 4
    assert problems(signed, settings) == [], "those of the key before still hold"
    assert public.read_bytes() != (settings.keys / "checkpoint-1.pub").read_bytes()


def test_a_folder_that_is_not_mounted_is_not_begun_anew(
    signed: Store, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRECEDE_CHECKPOINTS", str(tmp_path / "elsewhere"))
    note(signed)
    with pytest.raises(PrecedeError, match="does not hold checkpoint 3, which the store recorded"):
        make(signed, settings, NOW)
    assert not (tmp_path / "elsewhere").exists()
    restored = restore(signed, settings)
    assert [path.name for path in restored] == [f"checkpoint-0000000{number}.json" for number in (1, 2, 3)]
    assert problems(signed, settings) == []
    assert checkpointed(signed, settings, hours=4).head.number == 4


def test_a_copy_that_was_edited_is_not_put_back(signed: Store, settings: Settings) -> None:
    checkpoint_files.path_of(settings.checkpoints, 3).unlink()
    with signed.begin() as connection:
        connection.execute(update(tables.checkpoint).values(content="{}"))
    with pytest.raises(PrecedeError, match="The store's copy of checkpoint 3 does not hold"):
        restore(signed, settings)


def test_two_stores_do_not_share_a_folder(
    store: Store, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.tell(store)
    checkpointed(store, settings, hours=1)
    monkeypatch.setenv("PRECEDE_CHECKPOINTS", str(settings.checkpoints))
    other = Settings(home=tmp_path / "other")
    with closing(open_store(other)) as elsewhere:
        note(elsewhere, 9)
        with pytest.raises(PrecedeError, match="no key of this coordinator signed it"):
            make(elsewhere, other, NOW)


def test_many_at_once_write_one(signed: Store, settings: Settings) -> None:
    note(signed)
    with ThreadPoolExecutor(8) as pool:
        made = [one for one in pool.map(lambda _: make(signed, settings, NOW), range(16)) if one]
    assert [one.head.number for one in made] == [4]
    assert problems(signed, settings) == []


@pytest.mark.parametrize("refused", [OSError(95, "no links here"), PermissionError(1, "not permitted")])
def test_a_folder_without_links_is_written_to_directly_and_never_over_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: OSError
) -> None:
    def link(*_: object) -> None:
        raise refused

    monkeypatch.setattr(os, "link", link)
    assert checkpoint_files.write(tmp_path, 1, "first") is True
    assert checkpoint_files.write(tmp_path, 1, "second") is False
    assert [file.content for file in checkpoint_files.files(tmp_path)] == ["first"]


def test_a_folder_that_cannot_be_written_to_is_told(signed: Store, settings: Settings) -> None:
    blocked = settings.checkpoints / "file"
    blocked.write_text("")
    with pytest.raises(PrecedeError, match=r"cannot be written .*needed a folder for checkpoints"):
        checkpoint_files.write(blocked / "folder", 1, "content")
    with pytest.raises(PrecedeError, match="cannot be read"):
        checkpoint_files.files(blocked)
    assert signed is not None


def test_what_else_lies_in_the_folder_does_not_count(signed: Store, settings: Settings) -> None:
    for name in ("README", ".checkpoint-00000004.json.tmp", "checkpoint-x.json", "checkpoint-4.json"):
        (settings.checkpoints / name).write_text("x")
    assert problems(signed, settings) == []


# --- permits ---


def permitted(connection: Connection, key: Ed25519PrivateKey) -> None:
    """Sign the permit of the story for the effect that used it."""
    row = connection.execute(select(tables.permit)).mappings().one()
    permit = Permit(
        **{name: row[name] for name in ("permit_id", "action", "agent", "read_set_digest", "issued_at", "expires_at")},
        action_type="send_payment_reminder",
        tool_server="erp",
        tool="write_payment_reminder",
        tool_arguments={"invoice": "42", "recipient": "ada@example.com", "stage": 1},
        effect_key="reminder:erp:transaction:42:1",
        entities=(),
        facts=(),
        contact_points=(),
        snapshot_id="snap_1",  # type: ignore[arg-type]
    )
    signed = sign_permit(permit, key)
    connection.execute(update(tables.permit).values(payload=signed.payload, signature=signed.signature))


@pytest.mark.parametrize("forged", [False, True])
def test_a_checkpoint_says_up_to_where_permits_hold_and_those_are_not_asked_again(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch, *, forged: bool
) -> None:
    key = Ed25519PrivateKey.generate() if forged else signing_key(settings.keys)
    minted = story.permit_of
    with monkeypatch.context() as patch:

        def permit_of(connection: Connection, action: str) -> str:
            name = minted(connection, action)
            permitted(connection, key)
            return name

        patch.setattr(story, "permit_of", permit_of)
        story.tell(store)
    signing_key(settings.keys)
    made = checkpointed(store, settings, hours=1)
    assert made.head.permits == (0 if forged else 6)
    found = problems(store, settings)
    assert any("The permit's signature does not verify" in problem for problem in found) is forged
    with store.read() as connection:
        public = signing_key(settings.keys).public_key()
        assert bool(list(forged_permits(connection, public))) is forged
        assert list(forged_permits(connection, Ed25519PrivateKey.generate().public_key(), after=6)) == []
    note(store)
    assert checkpointed(store, settings, hours=2).head.permits == (0 if forged else 7)
    with store.begin() as connection:  # a permit edited afterwards is no more the one that was looked at
        connection.execute(update(tables.permit).values(signature="Zm9yZ2Vk"))
    assert any("The store's row was edited: permit" in problem for problem in problems(store, settings))


def test_a_checkpoint_holds_no_personal_data(signed: Store, settings: Settings) -> None:
    assert signed is not None
    for file in checkpoint_files.files(settings.checkpoints):
        said = json.loads(json.loads(file.content or "")["body"])
        assert set(said) == {"kind", "number", "first", "last", "root", "head", "at", "permits", "previous"}
