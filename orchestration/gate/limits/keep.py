"""Writing down what is counted, in the transaction of what happens to a permit: minted, used, refused, in vain."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, insert, update

from orchestration.contracts import Permit
from orchestration.gate.limits.touch import Touch
from orchestration.ledger.committed import of_use
from orchestration.store.tables import permit_subject, permit_use

_USES: Final = insert(permit_use)
_SUBJECTS: Final = insert(permit_subject)


def minted(connection: Connection, permits: Sequence[tuple[Permit, Touch]]) -> dict[str | None, dict[str, Any]]:
    """Count permits from now on; their own rows are written already.

    Returns:
        Permit to what an entry commits to of that.
    """
    uses = [
        {
            "permit_id": permit.permit_id,
            "action": permit.action,
            "agent": touch.agent,
            "action_type": touch.action_type,
            "batch_id": touch.batch_id,
            "business_date": touch.business_date,
            "at": permit.issued_at,
            "expires_at": permit.expires_at,
            "amount": touch.money and touch.money.hundredths,
            "currency": touch.money and touch.money.currency,
            "state": "open",
        }
        for permit, touch in permits
    ]
    subjects = [
        {"subject": subject, "business_date": touch.business_date, "permit_id": permit.permit_id}
        for permit, touch in permits
        for subject in sorted(touch.subjects)
    ]
    if uses:
        connection.execute(_USES, uses)
        connection.execute(_SUBJECTS, subjects)
    each = zip(uses, permits, strict=True)
    return {permit.permit_id: of_use(use, touch.subjects) for use, (permit, touch) in each}


def used(connection: Connection, permit_ids: Collection[str], now: datetime) -> None:
    """Count permits as effects from now on, however these end."""
    these = permit_use.c.permit_id.in_(sorted(permit_ids))
    connection.execute(update(permit_use).where(these).values(state="used", at=now))


def refused(connection: Connection, actions: Collection[str]) -> None:
    """Count no unused permit of those actions any more: a later decision took its place."""
    if actions:
        held = (permit_use.c.action.in_(sorted(actions)), permit_use.c.state == "open")
        connection.execute(update(permit_use).where(*held).values(state="void"))


def in_vain(connection: Connection, action: str) -> None:
    """Count an action's effect no more: it is known not to have happened."""
    had = (permit_use.c.action == action, permit_use.c.state == "used")
    connection.execute(update(permit_use).where(*had).values(state="void"))
