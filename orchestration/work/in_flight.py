"""Calls that somebody may be in the middle of: nobody settles them, and nobody takes back what may still be sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, select

from orchestration.errors import EffectRefused
from orchestration.store.engine import Store
from orchestration.store.presence import absent, calling, only, taking_back
from orchestration.store.tables import outbox, proposal, undo


@contextmanager
def alone(store: Store, action: str) -> Iterator[None]:
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
    times = connection.execute(select(outbox.c.attempts).where(outbox.c.action == action)).scalar_one_or_none()
    if (times is None or times > 1) and not absent(store, calling(action_type), wait=1.0):
        raise EffectRefused(
            f"The effect of {action} was sent by more than one run, and a tool is being called for {action_type}: it "
            "may be the call for it; needed nobody in the middle of one; wait a minute and say it again, or end the "
            "calls first with `precede stop`."
        )


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
    of_type = select(proposal.c.action_type).where(proposal.c.action == name)
    action_type = connection.execute(of_type).scalar_one_or_none()
    if action_type is not None and not absent(store, calling(action_type), wait=1.0):
        raise EffectRefused(
            f"A tool is being called for {action_type}, and that may be the call for {name}; needed nobody in the "
            "middle of one; wait a minute and say it again."
        )
    back = select(undo.c.action).where((undo.c.undo_id == name) | (undo.c.action == name)).limit(1)
    undone = connection.execute(back).scalar_one_or_none()
    if undone is not None and not absent(store, taking_back(undone), wait=1.0):
        raise EffectRefused(
            f"A process is taking the effect of {undone} back, and may still be answered; needed nobody in the middle "
            "of that; wait a minute and say it again."
        )
