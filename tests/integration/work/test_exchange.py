from __future__ import annotations

import os
import threading
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest

from orchestration.contracts import Batch, EntityId, Proposal, ProposalSet, SnapshotId, TriggerRow
from orchestration.errors import NotFound
from orchestration.work.exchange import Exchange, ExchangeError


def a_batch(batch_id: str = "b-1", agent: str = "finance", rows: int = 1) -> Batch:
    return Batch(
        batch_id=batch_id,
        agent=agent,
        snapshot_id=SnapshotId("s1"),
        business_date=date(2026, 11, 2),
        rows=tuple(
            TriggerRow(
                row_id=f"r{number}", entity_id=EntityId("org_1"), values={"amount": "10.00", "stage": 1, "x": None}
            )
            for number in range(rows)
        ),
    )


def an_answer(batch_id: str = "b-1", agent: str = "finance") -> ProposalSet:
    proposal = Proposal(row_id="r0", action_type="say", arguments={"text": "hello", "stage": 1, "loud": False})
    return ProposalSet(batch_id=batch_id, agent=agent, proposals=(proposal,), declined={"r1": "no contact"})


@pytest.fixture
def exchange(tmp_path: Path) -> Exchange:
    return Exchange(tmp_path / "exchange")


def test_a_batch_goes_out_and_its_answer_comes_back(exchange: Exchange) -> None:
    exchange.offer(a_batch(), "a.b.c")
    assert exchange.agents() == ["finance"]
    assert (exchange.waiting("finance"), exchange.answered("finance")) == (["b-1"], [])
    assert exchange.read_batch("finance", "b-1") == a_batch()
    exchange.answer(an_answer())
    assert (exchange.waiting("finance"), exchange.answered("finance")) == ([], ["b-1"])
    assert exchange.read_answer("finance", "b-1") == an_answer()
    exchange.clear("finance", "b-1")
    assert (exchange.waiting("finance"), exchange.answered("finance")) == ([], [])
    exchange.clear("finance", "b-1")


def test_nothing_has_been_offered_yet(exchange: Exchange) -> None:
    assert (exchange.agents(), exchange.waiting("finance"), exchange.answered("finance")) == ([], [], [])
    with pytest.raises(NotFound):
        exchange.read_batch("finance", "b-1")


def test_offering_again_changes_nothing(exchange: Exchange) -> None:
    exchange.offer(a_batch(), "a.b.c")
    exchange.answer(an_answer())
    exchange.offer(a_batch(rows=2), "a.b.c")
    assert exchange.read_batch("finance", "b-1") == a_batch()
    assert exchange.answered("finance") == ["b-1"]


def test_an_answer_to_a_batch_that_does_not_wait_is_not_left(exchange: Exchange) -> None:
    with pytest.raises(NotFound, match=r"b-1.*finance"):
        exchange.answer(an_answer())


@pytest.mark.parametrize("name", ["", "..", "a/b", "../x", "A", "a.b", "x" * 65, "a\n", "a\0"])
def test_a_name_that_could_lead_elsewhere_is_refused(exchange: Exchange, name: str) -> None:
    for act in (
        lambda: exchange.offer(a_batch(batch_id=name), "a.b.c"),
        lambda: exchange.offer(a_batch(agent=name), "a.b.c"),
        lambda: exchange.answer(an_answer(batch_id=name)),
        lambda: exchange.read_answer("finance", name),
        lambda: exchange.read_batch(name, "b-1"),
        lambda: exchange.waiting(name),
        lambda: exchange.clear("finance", name),
        lambda: exchange.clear(name, "b-1"),
    ):
        with pytest.raises(ExchangeError):
            act()


def placed(exchange: Exchange, content: bytes) -> None:
    exchange.offer(a_batch(), "a.b.c")
    (exchange.root / "finance" / "b-1" / "proposals.json").write_bytes(content)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "json_invalid"),
        (b"not json", "json_invalid"),
        (b"\xff\xfe", "json_invalid"),
        (b"[" * 100_000, "json_invalid"),
        (b"{}", "batch_id: missing"),
        (b'{"batch_id":"b-1","agent":"finance","proposals":[],"permit":"mine"}', "permit: extra_forbidden"),
        (
            b'{"batch_id":"b-1","agent":"finance","proposals":[{"row_id":"r0","action_type":"x","arguments":{"a":[1]}}]}',
            "proposals.0.arguments.a",
        ),
        (b'{"batch_id":"b-2","agent":"finance","proposals":[]}', "names another"),
        (b'{"batch_id":"b-1","agent":"sales","proposals":[]}', "names another"),
    ],
    ids=["empty", "text", "bytes", "deep", "nothing", "too much", "nested", "other batch", "other agent"],
)
def test_a_malformed_answer_is_refused(exchange: Exchange, content: bytes, said: str) -> None:
    placed(exchange, content)
    with pytest.raises(ExchangeError, match=said.replace(".", r"\.")):
        exchange.read_answer("finance", "b-1")


def test_a_refusal_never_repeats_what_the_file_held(exchange: Exchange) -> None:
    for content in (b"hunter2-secret", b'{"batch_id":"hunter2-secret"}', b'{"batch_id":{"a":"hunter2-secret"}}'):
        placed(exchange, content)
        with pytest.raises(ExchangeError) as refused:
            exchange.read_answer("finance", "b-1")
        assert "hunter2" not in str(refused.value)


def test_an_answer_of_any_size_cannot_fill_the_memory(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path / "exchange", limit=2_000)
    placed(exchange, b" " * 2_001)
    with pytest.raises(ExchangeError, match="longer than 2,000 bytes"):
        exchange.read_answer("finance", "b-1")


def test_a_batch_that_no_file_can_hold_is_not_offered(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path / "exchange", limit=2_000)
    with pytest.raises(ExchangeError, match=r"needed at most 2,000.*trigger\.sql"):
        exchange.offer(a_batch(rows=100), "a.b.c")
    assert exchange.waiting("finance") == []


def test_a_link_is_not_followed_out_of_the_exchange(exchange: Exchange, tmp_path: Path) -> None:
    outside = tmp_path / "secret.json"
    outside.write_text(an_answer().model_dump_json())
    exchange.offer(a_batch(), "a.b.c")
    (exchange.root / "finance" / "b-1" / "proposals.json").symlink_to(outside)
    with pytest.raises(ExchangeError, match="could not be opened as a regular file"):
        exchange.read_answer("finance", "b-1")
    exchange.clear("finance", "b-1")
    assert outside.exists()


def test_a_pipe_does_not_hold_the_coordinator_up(exchange: Exchange) -> None:
    exchange.offer(a_batch(), "a.b.c")
    os.mkfifo(exchange.root / "finance" / "b-1" / "proposals.json")
    with pytest.raises(ExchangeError, match="no regular file"):
        exchange.read_answer("finance", "b-1")


def test_a_folder_that_is_a_link_holds_no_batch_and_is_never_emptied(exchange: Exchange, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    (precious / "b-1").mkdir(parents=True)
    (precious / "b-1" / "proposals.json").write_text(an_answer().model_dump_json())
    exchange.root.mkdir()
    (exchange.root / "finance").symlink_to(precious)
    assert exchange.agents() == []
    assert exchange.answered("finance") == []
    with pytest.raises(NotFound):
        exchange.read_answer("finance", "b-1")
    exchange.clear("finance", "b-1")
    assert (precious / "b-1" / "proposals.json").exists()
    with pytest.raises(OSError, match="finance"):
        exchange.offer(a_batch(), "a.b.c")
    assert not (precious / "b-1" / "batch.json").exists()


def test_a_reader_never_sees_half_a_batch(exchange: Exchange) -> None:
    big = a_batch(rows=2_000)
    enough = threading.Event()

    def offer_and_clear() -> None:
        while not enough.is_set():
            exchange.offer(big, "a.b.c")
            exchange.clear("finance", "b-1")

    writer = threading.Thread(target=offer_and_clear)
    writer.start()
    seen = 0
    try:
        while seen < 5:
            with suppress(NotFound):  # cleared since it was listed
                seen += sum(exchange.read_batch("finance", batch_id) == big for batch_id in exchange.waiting("finance"))
    finally:
        enough.set()
        writer.join()
    assert seen >= 5
