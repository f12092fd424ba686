"""A rejected proposal, back to its agent: the same row once more with the note, as often as its card lets it revise."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from orchestration.canonical import digest
from orchestration.ledger.entries import batch_opened
from orchestration.registry import AgentCard
from orchestration.store.tables import batch, trigger_row


def follow_up(
    connection: Connection, row: Mapping[str, Any], card: AgentCard | None, note: str, now: datetime
) -> str | None:
    """Open a batch in which an agent is shown the row of a rejected proposal again, with why it was rejected.

    It is of the snapshot and business date that woke the agent then; the next look of the coordinator offers it, with a
    credential.

    Args:
        connection: Inside `Store.begin()`.
        row: The rejected proposal, as `waiting.one` has it.
        card: The agent's; none where it is not known any more.
        note: Why it was rejected.
        now: When.

    Returns:
        The batch's id; none where the agent may not revise it any more.
    """
    revision = (row["revision"] or 0) + 1
    if card is None or revision > card.revisions:
        return None
    [woken] = connection.execute(select(trigger_row).where(trigger_row.c.row_id == row["row_id"])).mappings()
    [first] = connection.execute(select(batch).where(batch.c.batch_id == row["batch_id"])).mappings()
    batch_id = f"{first['business_date']:%Y%m%d}-{digest(['revise', row['action']])[:16]}"
    opened = {name: first[name] for name in ("agent", "snapshot_id", "business_date", "pin")}
    connection.execute(
        insert(batch).values(
            **opened, batch_id=batch_id, created_at=now, state="waiting", row_count=1, revises=row["action"]
        )
    )
    shown = {name: woken[name] for name in ("entity_id", "digest", "values")}
    connection.execute(
        insert(trigger_row).values(
            **shown, row_id=f"{batch_id}-000001", batch_id=batch_id, note=note, revision=revision
        )
    )
    batch_opened(connection, batch_id, at=now)
    return batch_id
