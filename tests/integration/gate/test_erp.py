from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from examples.northgate.tools.reminders import Erp
from orchestration.contracts import ActionId, EntityId, OutcomeState, Permit, SnapshotId, ToolResult
from orchestration.gate.permits import sign
from tests.integration.gate.world import ERP

KEY = Ed25519PrivateKey.generate()
NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
ARGUMENTS: dict[str, str | int | bool] = {
    "invoice": "100",
    "customer": "7",
    "stage": 1,
    "recipient": "ada@acme.example",
    "subject": "Reminder 1: invoice INV-100",
}


class Books:
    """The ERP's database, and its tool server's code over it."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        deleted = "INTEGER" if url.startswith("sqlite") else "BOOLEAN"
        synced = "TEXT" if url.startswith("sqlite") else "TIMESTAMPTZ"
        schema = ERP.replace("_fivetran_deleted INTEGER", f"_fivetran_deleted {deleted}")
        schema = schema.replace("_fivetran_synced TEXT", f"_fivetran_synced {synced}")
        self.do(*filter(str.strip, schema.split(";")))
        falsehood = "0" if url.startswith("sqlite") else "FALSE"
        self.do(
            f"INSERT INTO \"transaction\" VALUES (100, 'CustInvc', 7, {falsehood}), (101, 'SalesOrd', 7, {falsehood})",
            "INSERT INTO transaction_line VALUES (100, 'T', '120.00'), (100, 'F', '0'), (101, 'T', '50.00')",
            "INSERT INTO customrecord_dunning (id, custrecord_invoice, custrecord_stage, custrecord_sent_at) "
            "VALUES (41, 100, 0, '2026-10-05 09:00:00')",
        )
        self.erp = Erp(url, KEY.public_key())

    def do(self, *statements: str) -> None:
        with self._engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def written(self) -> list[tuple[Any, ...]]:
        """Reminders of Precede's own."""
        query = "SELECT * FROM customrecord_dunning WHERE custrecord_effect_key IS NOT NULL ORDER BY id"
        with self._engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Somebody else writes, until `let_go`."""
        with self._engine.connect() as self._other:
            self._other.execute(text("UPDATE transaction_line SET foreignamountunpaid = '60.00'"))
            yield

    def let_go(self) -> None:
        self._other.commit()

    def close(self) -> None:
        self._engine.dispose()
        self.erp.close()


@pytest.fixture(params=["sqlite", "postgres"])
def books(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Books]:
    if request.param == "sqlite":
        opened = Books(f"sqlite:///{tmp_path / 'erp.db'}")
    else:
        opened = Books(request.getfixturevalue("postgres_database"))
    yield opened
    opened.close()


def a_permit(**changes: Any) -> Permit:
    permit = Permit(
        permit_id="permit_1",
        action=ActionId("act_1"),
        agent="finance",
        action_type="send_payment_reminder",
        tool_server="erp",
        tool="write_payment_reminder",
        tool_arguments=ARGUMENTS,
        effect_key="reminder:erp:transaction:100:1",
        entities=(EntityId("org_acme"),),
        facts=(),
        contact_points=(),
        read_set_digest="d",
        snapshot_id=SnapshotId("snap_1"),
        issued_at=NOW,
        expires_at=NOW + timedelta(minutes=15),
    )
    return permit.model_copy(update=changes)


def write(books: Books, permit: Permit | None = None, **changes: Any) -> ToolResult:
    call = {"arguments": ARGUMENTS, "effect_key": a_permit().effect_key, "now": NOW, "key": KEY, **changes}
    signed, now = sign(permit or a_permit(), call.pop("key")), call.pop("now")
    return books.erp.write_payment_reminder(permit=signed, clock=lambda: now, **call)


def test_a_reminder_is_written_as_the_permit_says_and_says_who_wrote_it(books: Books) -> None:
    result = write(books)
    assert (result.state, result.repeated, result.reference) == (OutcomeState.DONE, False, "customrecord_dunning:42")
    (row,) = books.written()
    assert row[:9] == (
        42,
        100,
        7,
        1,
        "ada@acme.example",
        "Reminder 1: invoice INV-100",
        "2026-11-02 09:00:00",
        "reminder:erp:transaction:100:1",
        "precede",
    )


def test_a_reminder_bears_the_time_of_the_erps_own_clock(books: Books) -> None:
    summer = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)
    write(books, a_permit(issued_at=summer, expires_at=summer + timedelta(minutes=15)), now=summer)
    assert books.written()[0][6] == "2026-07-01 10:00:00"


def test_the_same_effect_is_written_once_also_after_its_permit_expired(books: Books) -> None:
    write(books)
    again = write(books, now=NOW + timedelta(days=1))
    assert (again.state, again.repeated, again.reference) == (OutcomeState.DONE, True, "customrecord_dunning:42")
    paid = "UPDATE transaction_line SET foreignamountunpaid = '0'"
    books.do(paid)
    assert write(books).repeated
    assert len(books.written()) == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"key": Ed25519PrivateKey.generate()}, "does not verify"),
        ({"now": NOW + timedelta(minutes=15)}, "expired"),
        ({"now": NOW - timedelta(minutes=1)}, "not valid before"),
        ({"arguments": {**ARGUMENTS, "recipient": "eve@stranger.example"}}, "other arguments"),
        ({"effect_key": "reminder:erp:transaction:100:2"}, "another effect key"),
        ({"permit": a_permit(tool="delete_invoice")}, "is for erp/delete_invoice"),
        ({"permit": a_permit(tool_server="crm")}, "is for crm/"),
    ],
)
def test_a_call_that_no_permit_covers_writes_nothing(books: Books, changes: dict[str, Any], said: str) -> None:
    result = write(books, **changes)
    assert result.state is OutcomeState.FAILED
    assert said in result.detail
    assert books.written() == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE transaction_line SET foreignamountunpaid = '0.00'",
        "UPDATE transaction_line SET foreignamountunpaid = NULL",
        "UPDATE \"transaction\" SET type = 'CustCred'",
        'UPDATE "transaction" SET entity = 8',
        'DELETE FROM "transaction"',
    ],
)
def test_an_invoice_that_is_no_longer_open_is_not_reminded_of(books: Books, change: str) -> None:
    books.do(change)
    assert write(books).state is OutcomeState.FAILED
    assert books.written() == []


@pytest.mark.parametrize("invoice", ["101", "999", "one", "0100", "+100", " 100", "1_00", "100; DROP TABLE customer"])
def test_what_is_no_invoice_is_not_reminded_of(books: Books, invoice: str) -> None:
    arguments = {**ARGUMENTS, "invoice": invoice}
    assert write(books, a_permit(tool_arguments=arguments), arguments=arguments).state is OutcomeState.FAILED
    assert books.written() == []


def test_calls_at_once_write_once_each(books: Books) -> None:
    def one(stage: int) -> ToolResult:
        key, arguments = f"reminder:erp:transaction:100:{stage}", {**ARGUMENTS, "stage": stage}
        return write(books, a_permit(effect_key=key, tool_arguments=arguments), effect_key=key, arguments=arguments)

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(one, [n % 4 for n in range(16)]))
    assert [result.state for result in results] == [OutcomeState.DONE] * 16
    assert sum(not result.repeated for result in results) == 4
    assert len(books.written()) == 4


def test_a_stage_is_not_reminded_of_again_under_another_key(books: Books) -> None:
    write(books)
    other = "reminder:erp:bill:100:1"
    again = write(books, a_permit(effect_key=other), effect_key=other)
    assert (again.state, "under another effect key" in again.detail) == (OutcomeState.FAILED, True)
    assert len(books.written()) == 1


def test_a_permit_that_expires_while_the_erp_is_busy_writes_nothing(books: Books) -> None:
    times, waiting = [NOW], Event()

    def clock() -> datetime:
        waiting.set()
        return times[-1]

    signed = sign(a_permit(), KEY)
    with ThreadPoolExecutor(1) as pool, books.busy():
        call = pool.submit(books.erp.write_payment_reminder, ARGUMENTS, a_permit().effect_key, signed, clock)
        waiting.wait(0.5)  # whoever reads the clock now reads it too early
        times.append(NOW + timedelta(minutes=15))
        books.let_go()
        result = call.result(timeout=30)
    assert (result.state, "expired" in result.detail) == (OutcomeState.FAILED, True)
    assert books.written() == []


def test_an_erp_that_does_not_answer_is_not_taken_for_one_that_refused(books: Books) -> None:
    books.do("DROP TABLE transaction_line")
    with pytest.raises(SQLAlchemyError):
        write(books)
