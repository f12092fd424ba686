"""What a person says became of an effect that no tool will say it of.

A tool that cannot tell that it wrote already is called once. Where its answer was lost somebody has to look in the
system; what they say is final, stands in the ledger with their name, and an effect that did not happen gives back what
limits counted of it, and its key.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from orchestration.contracts import OutcomeState
from orchestration.errors import EffectRefused, NotFound
from orchestration.gate.limits import keep
from orchestration.ledger import entries_effects
from orchestration.store.tables import outbox, undo
from orchestration.work.told_of import for_a_person


@dataclass(frozen=True, slots=True)
class Said:
    """What a person said, and of what.

    Attributes:
        effect: The action whose effect it is, or the id of the taking back.
        action: The action.
        state: Done, or failed.
    """

    effect: str
    action: str
    state: OutcomeState


def settle(  # noqa: PLR0913  what is said, of what, by whom and why
    connection: Connection, name: str, state: OutcomeState, *, by: str, reason: str, now: datetime
) -> Said:
    """Settle an effect, or the taking back of one, whose outcome is unknown and whose tool cannot be asked.

    Args:
        connection: Inside `Store.begin()`.
        name: The action's id, or that of the taking back.
        state: Done, or failed: that nothing was written.
        by: The person who looked.
        reason: What they saw.
        now: The time, with its zone.

    Raises:
        NotFound: There is no such effect.
        EffectRefused: It is settled, or its tool will be asked again.
        ValueError: Unknown is not what a person settles it to.
    """
    if state is OutcomeState.UNKNOWN:
        raise ValueError("a person says done or failed")
    mine = (outbox.c.action == name, for_a_person(outbox))
    if connection.execute(select(outbox.c.action).where(*mine)).first() is not None:
        connection.execute(update(outbox).where(*mine).values(state=state.value, settled_at=now))
        if state is OutcomeState.FAILED:
            keep.in_vain(connection, name)
        entries_effects.settled_by(connection, name, by, reason, at=now)
        return Said(name, name, state)
    if (row := unsettled_undo(connection, name)) is not None:
        this = update(undo).where(undo.c.undo_id == row["undo_id"])
        connection.execute(this.values(state=state.value, settled_at=now))
        entries_effects.undo_settled(connection, row["undo_id"], at=now, by=by, reason=reason)
        return Said(row["undo_id"], row["action"], state)
    raise _refusal(connection, name)


def refuse_repeatable(connection: Connection, name: str, once: Collection[tuple[str, str]]) -> None:
    """Refuse to settle what a tool can be asked again for, whatever the store's row says of it.

    Args:
        connection: Inside `Store.begin()`, in the transaction that settles.
        name: The action's id, or that of the taking back.
        once: Server and name of each tool that is declared never to be called again for the same effect.

    Raises:
        EffectRefused: Its tool is none of them.
    """
    for table, named in ((outbox, outbox.c.action == name), (undo, (undo.c.undo_id == name) | (undo.c.action == name))):
        query = select(table.c.tool_server, table.c.tool).where(named, for_a_person(table))
        for row in connection.execute(query):
            if (row.tool_server, row.tool) not in once:
                raise _asked_again(name, OutcomeState.UNKNOWN)


def unsettled_undo(connection: Connection, name: str) -> dict[str, Any] | None:
    """The taking back of that id, or of that action's effect, which a person must settle; none where there is none."""
    query = select(undo).where((undo.c.undo_id == name) | (undo.c.action == name), for_a_person(undo))
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else dict(row)


def _refusal(connection: Connection, name: str) -> EffectRefused | NotFound:
    """Why there is nothing for a person to settle."""
    found = connection.execute(select(outbox.c.state).where(outbox.c.action == name)).scalar_one_or_none()
    found = found or connection.execute(select(undo.c.state).where(undo.c.undo_id == name)).scalar_one_or_none()
    if found is None:
        return NotFound(f"No effect has the id {name!r}; needed one that was performed; see `precede effects list`.")
    if found in {OutcomeState.DONE, OutcomeState.FAILED}:
        return EffectRefused(f"The effect of {name} is {found}; needed one that is unknown; what is settled stays so.")
    return _asked_again(name, found)


def _asked_again(name: str, state: str) -> EffectRefused:
    return EffectRefused(
        f"The effect of {name} is {state}, and its tool can be asked again without writing twice; needed one whose "
        "tool cannot (`repeatable: false`); run `precede run`, which asks it."
    )
