"""Writing down what is counted, in the transaction of what happens to a permit: minted, used, refused, in vain."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, update

from orchestration.contracts import Permit
from orchestration.gate.limits.touch import Touch
from orchestration.store.tables import permit_subject, permit_use


def minted(connection: Connection, permit: Permit, touch: Touch) -> None:
    """Count a permit from now on; its own row is written already."""
    connection.execute(
        insert(permit_use).values(
            permit_id=permit.permit_id,
            action=permit.action,
            agent=touch.agent,
            action_type=touch.action_type,
            batch_id=touch.batch_id,
            business_date=touch.business_date,
            at=permit.issued_at,
            expires_at=permit.expires_at,
            amount=touch.money and touch.money.hundredths,
            currency=touch.money and touch.money.currency,
            state="open",
        )
    )
    each = {"business_date": touch.business_date, "permit_id": permit.permit_id}
    connection.execute(insert(permit_subject), [{"subject": subject, **each} for subject in sorted(touch.subjects)])


def used(connection: Connection, permit_id: str, now: datetime) -> None:
    """Count a permit as an effect from now on, however it ends."""
    connection.execute(update(permit_use).where(permit_use.c.permit_id == permit_id).values(state="used", at=now))


def refused(connection: Connection, action: str) -> None:
    """Count no unused permit of an action any more: a later decision took its place."""
    held = (permit_use.c.action == action, permit_use.c.state == "open")
    connection.execute(update(permit_use).where(*held).values(state="void"))


def in_vain(connection: Connection, action: str) -> None:
    """Count an action's effect no more: it is known not to have happened."""
    had = (permit_use.c.action == action, permit_use.c.state == "used")
    connection.execute(update(permit_use).where(*had).values(state="void"))
