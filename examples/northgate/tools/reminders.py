"""Writing one payment reminder into the ERP, and withdrawing it: once for each effect key.

A reminder is written only while the invoice is open; it is withdrawn whatever has become of the invoice since, where a
permit says whose effect it takes back.

The permit is checked before anything is read. What was written stays written: a second call with the same permit finds
it, also when the permit has expired since, so that whoever lost the answer can ask again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text

from orchestration.contracts import OutcomeState, Permit, SignedPermit, ToolResult
from orchestration.errors import PermitRefused
from orchestration.gate.permits import covers, in_time, read

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVER: Final = "erp"
TOOL: Final = "write_payment_reminder"
WITHDRAW: Final = "withdraw_payment_reminder"
WITHDRAWN: Final = 0
"""The stage of a row that says that another was sent in error."""
WRITER: Final = "precede"
"""Who wrote a row, in the row: insight knows by it what we said ourselves."""
LOCAL: Final = ZoneInfo("Europe/London")
"""The ERP writes times without a zone, as its clock on the wall says."""

_WRITTEN: Final = "SELECT id FROM customrecord_dunning WHERE custrecord_effect_key = :effect_key"
_SAME_STAGE: Final = """
    SELECT id FROM customrecord_dunning
    WHERE custrecord_invoice = :invoice AND custrecord_stage = :stage AND custrecord_created_by = :writer
"""
_SENT: Final = """
    SELECT id FROM customrecord_dunning
    WHERE custrecord_effect_key = :reminder_key AND custrecord_created_by = :writer
      AND custrecord_invoice = :invoice AND custrecord_customer = :customer AND custrecord_recipient = :recipient
"""
_OPEN: Final = """
    SELECT l.foreignamountunpaid AS unpaid
    FROM "transaction" AS t JOIN transaction_line AS l ON l."transaction" = t.id AND l.mainline = 'T'
    WHERE t.id = :invoice AND t.type = 'CustInvc' AND t.entity = :customer
      AND t._fivetran_deleted IS NOT TRUE AND CAST(l.foreignamountunpaid AS NUMERIC) > 0
"""
_INSERT: Final = """
    INSERT INTO customrecord_dunning (
        id, custrecord_invoice, custrecord_customer, custrecord_stage, custrecord_recipient, custrecord_subject,
        custrecord_sent_at, custrecord_effect_key, custrecord_created_by, _fivetran_synced
    )
    SELECT
        coalesce(max(id), 0) + 1, :invoice, :customer, :stage, :recipient, :subject,
        :sent_at, :effect_key, :writer, :synced
    FROM customrecord_dunning
"""


class Erp:
    """The ERP, open for writing reminders and nothing else.

    Args:
        url: SQLAlchemy URL with the ERP's write credential: SQLite or Postgres.
        public_key: What permits are verified with.
    """

    def __init__(self, url: str, public_key: Ed25519PublicKey) -> None:
        self._engine = _engine(url)
        self._public_key = public_key

    def write_payment_reminder(
        self,
        arguments: Mapping[str, str | int | bool],
        effect_key: str,
        permit: SignedPermit,
        clock: Callable[[], datetime],
    ) -> ToolResult:
        """Write a reminder that a permit covers.

        Args:
            arguments: invoice, customer, stage, recipient, subject.
            effect_key: What is never written twice.
            permit: The coordinator's leave for this very call.
            clock: The server's own. It is read when nothing is left to wait for: whoever holds the ERP's lock, a
                permit that expires meanwhile writes nothing.

        Returns:
            Done, with the row's id; or failed, where it is known that nothing was written.

        Raises:
            SQLAlchemyError: The ERP did not answer: what became of the write is not known.
        """

        def weigh(connection: Connection, granted: Permit, values: dict[str, Any]) -> str:
            locked = _OPEN if self._is_sqlite else f"{_OPEN} FOR UPDATE OF l"
            is_open = connection.execute(text(locked), values).first() is not None
            now = clock()
            values |= self._stamps(now)
            reminded = connection.execute(text(_SAME_STAGE), values).first() is not None
            return _against(granted, now, is_open=is_open, reminded=reminded)

        return self._once(TOOL, arguments, effect_key, permit, weigh)

    def withdraw_payment_reminder(
        self,
        arguments: Mapping[str, str | int | bool],
        effect_key: str,
        permit: SignedPermit,
        clock: Callable[[], datetime],
    ) -> ToolResult:
        """Write to the recipient of a reminder of ours that it was sent in error.

        Args:
            arguments: reminder (the row, where it is known), reminder_key, invoice, customer, recipient, subject.
            effect_key: What is never written twice.
            permit: The coordinator's leave for this very call, which names the action that it takes back.
            clock: The server's own.

        Returns:
            Done, with the row's id; or failed, where it is known that nothing was written.

        Raises:
            SQLAlchemyError: The ERP did not answer: what became of the write is not known.
        """

        def weigh(connection: Connection, granted: Permit, values: dict[str, Any]) -> str:
            now = clock()
            values |= {"stage": WITHDRAWN, **self._stamps(now)}
            sent = connection.execute(text(_SENT), values).scalar_one_or_none()
            return _against_withdrawing(granted, now, sent, str(arguments["reminder"]))

        return self._once(WITHDRAW, arguments, effect_key, permit, weigh)

    def _once(
        self,
        tool: str,
        arguments: Mapping[str, str | int | bool],
        effect_key: str,
        permit: SignedPermit,
        weigh: Callable[[Connection, Permit, dict[str, Any]], str],
    ) -> ToolResult:
        """Write one row that a permit covers, where nobody wrote it yet.

        `weigh` says why nothing is written, or nothing, and completes the row's values.
        """
        try:
            granted = read(permit, self._public_key)
            covers(granted, tool_server=SERVER, tool=tool, arguments=arguments, effect_key=effect_key)
            keys = {name: _key(arguments[name]) for name in ("invoice", "customer")}
        except PermitRefused as refused:
            return ToolResult(state=OutcomeState.FAILED, detail=str(refused))
        except ValueError:
            return ToolResult(state=OutcomeState.FAILED, detail="Invoice and customer are not ids of the ERP.")
        with self._alone() as connection:
            before = connection.execute(text(_WRITTEN), {"effect_key": effect_key}).scalar_one_or_none()
            if before is not None:
                return ToolResult(state=OutcomeState.DONE, reference=_reference(before), repeated=True)
            values = {**arguments, **keys, "effect_key": effect_key, "writer": WRITER}
            if detail := weigh(connection, granted, values):
                return ToolResult(state=OutcomeState.FAILED, detail=detail)
            connection.execute(text(_INSERT), values)
            written = connection.execute(text(_WRITTEN), {"effect_key": effect_key}).scalar_one()
        return ToolResult(state=OutcomeState.DONE, reference=_reference(written))

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @property
    def _is_sqlite(self) -> bool:
        return self._engine.dialect.name == "sqlite"

    @contextmanager
    def _alone(self) -> Iterator[Connection]:
        """A write transaction that no other reminder is written beside."""
        with self._engine.begin() as connection:
            if not self._is_sqlite:
                connection.execute(text("LOCK TABLE customrecord_dunning IN SHARE ROW EXCLUSIVE MODE"))
            yield connection

    def _stamps(self, now: datetime) -> dict[str, str | datetime]:
        """When it was sent, as the ERP writes times, and when the connector saw it last, as the connector does."""
        sent_at = now.astimezone(LOCAL).strftime("%Y-%m-%d %H:%M:%S")
        synced = now.astimezone(UTC)
        plain = synced.replace(tzinfo=None).isoformat(timespec="microseconds")
        return {"sent_at": sent_at, "synced": plain if self._is_sqlite else synced}


def _against(granted: Permit, now: datetime, *, is_open: bool, reminded: bool) -> str:
    """Why nothing is written; empty where nothing speaks against it."""
    try:
        in_time(granted, now)
    except PermitRefused as refused:
        return str(refused)
    if not is_open:
        return "The invoice is not open, or not that customer's: nothing was written."
    if reminded:
        return "That stage of the invoice was reminded of under another effect key: nothing was written."
    return ""


def _against_withdrawing(granted: Permit, now: datetime, sent: object, reminder: str) -> str:
    """Why nothing is withdrawn; empty where nothing speaks against it."""
    try:
        in_time(granted, now)
    except PermitRefused as refused:
        return str(refused)
    if not granted.undoes:
        return "The permit takes no effect back: nothing was written."
    if sent is None or (reminder and _reference(sent) != reminder):
        return "There is no such reminder of ours: nothing was written."
    return ""


def _key(value: object) -> int:
    """An id of the ERP, written as the ERP writes it: `007` would be the effect of 7 under another key."""
    number = int(str(value))
    if str(number) != value:
        raise ValueError(value)
    return number


def _reference(row_id: object) -> str:
    return f"customrecord_dunning:{row_id}"


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
    engine = create_engine(parsed.set(drivername="sqlite"), connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def _plain(connection: object, _record: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]  # the driver would begin transactions of its own

    @event.listens_for(engine, "begin")
    def _immediate(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN EXCLUSIVE")  # no reader either, so that the commit waits for nobody

    return engine
