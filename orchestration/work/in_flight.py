"""Calls that somebody may be in the middle of: nobody settles them, and nobody takes back what may still be sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, select

from orchestration.errors import EffectRefused
from orchestration.ledger.entries_calls import calls
from orchestration.store.engine import Store
from orchestration.store.presence import absent, calling, only, taking_back
from orchestration.store.tables import outbox, proposal, undo

WAIT: Final = 1.0
"""Seconds to wait for a call to end, before the transaction: within it nobody could write down what came of theirs."""


@contextmanager
def alone_taking_back(store: Store, action: str) -> Iterator[None]:
    """Be the only one who takes the effect of an action back while the block runs.

    Raises:
        EffectRefused: Another process is at it.
        StoreError: The store cannot be reached.
    """
    with only(store, taking_back(action)) as mine:
        if not mine:
            raise EffectRefused(
                f"Another process is taking the effect of {action} back; needed nobody in the middle of that; wait a "
                f"minute, and see with `precede trace {action}` what it came to."
            )
        yield


def wait_for_sending(store: Store, action: str) -> None:
    """Wait a moment for what `refuse_sending` would refuse; outside of every transaction.

    Args:
        store: Where that it is called is known.
        action: The action's id.

    Raises:
        StoreError: The store cannot be read.
    """
    with store.read() as connection:
        action_type = _type_of(connection, action) if _sent_again(connection, action) else None
    if action_type is not None:
        absent(store, calling(action_type), WAIT)


def refuse_sending(store: Store, connection: Connection, action: str, action_type: str) -> None:
    """Refuse to take back what another run may be in the middle of sending once more: that could come after it.

    A call was made by one run alone where it was begun once; then who made it has said what came of it.

    Args:
        store: Where that it is called is known.
        connection: Inside `Store.begin()`, in the transaction that means to take it back.
        action: The action's id.
        action_type: The type of it.

    Raises:
        EffectRefused: It was begun more than once, and a tool is being called.
    """
    if _sent_again(connection, action) and not absent(store, calling(action_type)):
        raise EffectRefused(
            f"The effect of {action} was sent by more than one run, and a tool is being called for {action_type}: it "
            "may be the call for it; needed nobody in the middle of one; wait a minute and say it again, or end the "
            "calls first with `precede stop`."
        )


def wait_for_calls(store: Store, name: str) -> None:
    """Wait a moment for what `refuse_in_flight` would refuse; outside of every transaction.

    Args:
        store: Where that it is called is known.
        name: The action's id, or that of the taking back.

    Raises:
        StoreError: The store cannot be read.
    """
    with store.read() as connection:
        action_type, undone = _type_of(connection, name), _undone(connection, name)
    if action_type is not None:
        absent(store, calling(action_type), WAIT)
    if undone is not None:
        absent(store, taking_back(undone), WAIT)


def refuse_in_flight(store: Store, connection: Connection, name: str) -> None:
    """Refuse to settle an effect while a tool is called for its type of action: that may be the call in doubt.

    Another run gives a call up that was begun and not answered; the process that made it may still get its answer.
    Nobody calls for what is unknown already, so that one moment without a call is enough.

    Args:
        store: Where that it is called is known.
        connection: Inside `Store.begin()`, in the transaction that settles.
        name: The action's id, or that of the taking back.

    Raises:
        EffectRefused: A tool is being called, or the effect is being taken back.
    """
    action_type = _type_of(connection, name)
    if action_type is not None and not absent(store, calling(action_type)):
        raise EffectRefused(
            f"A tool is being called for {action_type}, and that may be the call for {name}; needed nobody in the "
            "middle of one; wait a minute and say it again."
        )
    undone = _undone(connection, name)
    if undone is not None and not absent(store, taking_back(undone)):
        raise EffectRefused(
            f"A process is taking the effect of {undone} back, and may still be answered; needed nobody in the middle "
            "of that; wait a minute and say it again."
        )


def _sent_again(connection: Connection, action: str) -> bool:
    """Whether an effect may have been begun by more than one run."""
    query = select(outbox.c.permit_id, outbox.c.attempts).where(outbox.c.action == action)
    row = connection.execute(query).one_or_none()
    return row is None or max(row.attempts, calls(connection, action, row.permit_id).times) > 1


def _type_of(connection: Connection, action: str) -> str | None:
    """The type of an action; none of what is no action's id."""
    return connection.execute(select(proposal.c.action_type).where(proposal.c.action == action)).scalar_one_or_none()


def _undone(connection: Connection, name: str) -> str | None:
    """The action whose effect is taken back, of its own id or that of the taking back."""
    back = select(undo.c.action).where((undo.c.undo_id == name) | (undo.c.action == name)).limit(1)
    return connection.execute(back).scalar_one_or_none()
