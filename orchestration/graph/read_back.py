"""Which effects a published graph shows, so that each can be followed from the permit to the row it became.

A message that Precede caused carries the effect's key, which the tool wrote beside it. Nothing is decided on this.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, select, update

from orchestration.contracts import OutcomeState
from orchestration.graph.reader import EntityGraph
from orchestration.store.tables import outbox

_SHOWN = """
    SELECT effect_key, min(record_id) AS record_id FROM message
    WHERE effect_key IN (SELECT unnest(?)) GROUP BY effect_key
"""


def confirm(connection: Connection, path: Path) -> int:
    """Note the source row of each effect that a graph shows and none before it showed.

    Args:
        connection: Inside the transaction that makes the graph the current one.
        path: The graph's file; it is opened only where an effect waits to be seen.

    Returns:
        How many effects were seen for the first time.
    """
    unseen = select(outbox.c.effect_key, outbox.c.action).where(
        outbox.c.confirmed_record.is_(None), outbox.c.state != OutcomeState.FAILED.value
    )
    actions = {row.effect_key: row.action for row in connection.execute(unseen)}
    if not actions:
        return 0
    with EntityGraph(path) as graph:
        shown = graph.rows(_SHOWN, [sorted(actions)])
    for row in shown:
        this = outbox.c.action == actions[row["effect_key"]]
        connection.execute(update(outbox).where(this).values(confirmed_record=row["record_id"]))
    return len(shown)
