"""Whether limits count each permit as what became of it, and since when: the counts are kept, and here made again.

A permit is used up in the transaction that means its effect. One that says that it was used and has no effect would be
refused, with all that is performed beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, and_, case, exists, or_, select

from orchestration.contracts import Verdict
from orchestration.store import tables


def miscounted(connection: Connection) -> Iterator[str]:
    """A problem for each permit that limits count otherwise than what became of it, or that is used for nothing."""
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
    without = and_(permit.c.consumed_at.is_not(None), outbox.c.state.is_(None))
    query = (
        select(permit.c.permit_id, permit.c.action, use.c.state, became.label("became"), without.label("without"))
        .join(use, use.c.permit_id == permit.c.permit_id)
        .outerjoin(outbox, outbox.c.permit_id == permit.c.permit_id)
        .where(or_(use.c.state != became, and_(became != "void", use.c.at != at), without))
        .order_by(permit.c.permit_id)
    )
    for row in connection.execute(query):
        yield f"{_said(row)}: the store's row was edited."


def _said(row: Row[Any]) -> str:
    whose = f"permit {row.permit_id} of action {row.action}"
    if row.without:
        return f"The store says that {whose} was used, and it has no effect"
    if row.state != row.became:
        return f"Limits count {whose} as {row.state}, and it is {row.became}"
    return f"Limits count {whose} at another time than it was {'minted' if row.became == 'open' else 'used'}"
