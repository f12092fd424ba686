"""Whether limits count each permit as what became of it: the counts are kept, and here they are made again."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, and_, case, exists, or_, select

from orchestration.contracts import Verdict
from orchestration.store import tables


def miscounted(connection: Connection) -> Iterator[str]:
    """A problem for each permit that limits count otherwise than what became of it."""
    permit, use, outbox, decision = tables.permit, tables.permit_use, tables.outbox, tables.decision
    refused = exists().where(
        decision.c.action == permit.c.action,
        decision.c.decided_at >= permit.c.issued_at,
        decision.c.verdict != Verdict.ALLOW.value,
    )
    became = case(
        (outbox.c.state == "failed", "void"), (outbox.c.state.is_not(None), "used"), (refused, "void"), else_="open"
    )
    at = case((outbox.c.state.is_not(None), permit.c.consumed_at), else_=permit.c.issued_at)
    query = (
        select(permit.c.permit_id, permit.c.action, use.c.state, became.label("became"))
        .join(use, use.c.permit_id == permit.c.permit_id)
        .outerjoin(outbox, outbox.c.permit_id == permit.c.permit_id)
        .where(or_(use.c.state != became, and_(became == "used", use.c.at != at)))
        .order_by(permit.c.permit_id)
    )
    for row in connection.execute(query):
        yield (
            f"Limits count permit {row.permit_id} of action {row.action} as {row.state}, and it is {row.became}: the "
            "store's row was edited."
        )
