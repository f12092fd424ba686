"""Which trigger rows need not be shown again: those answered for good, and those still being answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from sqlalchemy import Connection, RowMapping, func, select

from orchestration.store.tables import batch, decision, outbox, proposal, trigger_row

OF_THE_DAY: Final = frozenset({"budget_limit", "contact_point_limit", "entity_limit", "long_rate_limit"})
"""Objections that pass with the business date and not before."""
_CHUNK: Final = 5_000  # digests asked for at once: databases limit a statement's parameters


def settled(connection: Connection, digests: Sequence[str], business_date: date) -> set[str]:
    """The digests, of these, whose rows need not be shown again on a business date."""
    return {row["digest"] for row in _history(connection, digests) if _is_settled(row, business_date)}


def _history(connection: Connection, digests: Sequence[str]) -> Iterator[RowMapping]:
    """Every row of these digests that was shown before, with what became of it."""
    each = decision.alias()
    of_action = select(func.max(each.c.decision_id)).where(each.c.action == proposal.c.action)
    last = of_action.correlate(proposal).scalar_subquery()
    became = (
        select(
            trigger_row.c.digest,
            trigger_row.c.answer,
            batch.c.business_date,
            decision.c.verdict,
            decision.c.transient,
            decision.c.reasons,
            outbox.c.state,
        )
        .join(batch, batch.c.batch_id == trigger_row.c.batch_id)
        .outerjoin(proposal, proposal.c.row_id == trigger_row.c.row_id)
        .outerjoin(decision, decision.c.decision_id == last)
        .outerjoin(outbox, outbox.c.action == proposal.c.action)
    )
    for start in range(0, len(digests), _CHUNK):
        chunk = digests[start : start + _CHUNK]
        yield from connection.execute(became.where(trigger_row.c.digest.in_(chunk))).mappings().all()


def _is_settled(row: RowMapping, business_date: date) -> bool:
    """Whether a row that was shown before need not be shown again.

    One that failed, was refused, or broke a limit of the day comes again on the next business date; one that was
    denied for other reasons that may pass, or whose effect is known not to have happened, on the next snapshot.
    """
    today = bool(row["business_date"] >= business_date)
    if row["answer"] in {"failed", "refused"}:
        return today
    if row["answer"] != "proposed" or row["verdict"] is None:
        return True
    if row["transient"]:
        return today and any(reason["code"] in OF_THE_DAY for reason in row["reasons"])
    return bool(row["state"] != "failed")
