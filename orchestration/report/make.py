"""Making a report: verify, read the store into audit tables, count the period."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import duckdb

from orchestration.errors import NoGraph
from orchestration.graph.current import open_current
from orchestration.report.count import count, only
from orchestration.report.gather import gather
from orchestration.report.grounds import basis, cards
from orchestration.report.model import Listed, Report
from orchestration.report.period import Period
from orchestration.report.words import plainly
from orchestration.settings import Settings
from orchestration.store.engine import Store

if TYPE_CHECKING:
    from orchestration.ledger.verify import Verification

LONGEST_NAME = 120


def make(  # noqa: PLR0913  what is asked for
    store: Store,
    settings: Settings,
    period: Period,
    found: Verification | None,
    now: datetime,
    *,
    agent: str | None = None,
    most: int,
    names: bool = False,
) -> Report:
    """What the agents did in a period, as the store is now.

    Args:
        store: The coordinator's store.
        settings: Where agents' cards and the graph are.
        period: The period.
        found: What verification found; none where it was not asked.
        now: The time.
        agent: The one agent that it is about; all where none is given.
        most: Actions of each agent that are listed.
        names: Whether to say what the current graph calls the entities of those: that may name people.

    Raises:
        StoreError: The store cannot be read.
    """
    with duckdb.connect() as tables, store.read() as connection:
        gather(connection, tables, now)
        if agent is not None:
            only(tables, agent)
        made = count(tables, period, basis(connection, period, found, now), cards(settings), most=most)
    if not names:
        return made
    called = _names(store, settings, made.actions)
    named = tuple(one.model_copy(update={"name": called.get(one.entity_id)}) for one in made.actions)
    return made.model_copy(update={"actions": named})


def _names(store: Store, settings: Settings, actions: tuple[Listed, ...]) -> Mapping[str, str]:
    """What the current graph calls entities; nothing where there is no graph."""
    try:
        with open_current(store, settings) as graph:
            found = graph.entities({one.entity_id for one in actions}).values()
            return {str(one.entity_id): plainly(one.name or "")[:LONGEST_NAME] for one in found}
    except NoGraph:
        return {}
