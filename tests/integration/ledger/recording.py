"""Recording decisions and intents of rows that stand in the store: the product records them from what it wrote."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, select

from orchestration.ledger import committed, entries_decisions, entries_effects, kept
from orchestration.ledger.entries_decisions import Rows
from orchestration.store import tables


def decided(connection: Connection, decision_id: int, *, at: datetime, permit_id: str | None = None) -> int:
    """Record a decision, once it, its evidence and its permit are written; its number in the chain."""
    permits = {decision_id: permit_id}
    return entries_decisions.all_decided(connection, permits, stored(connection, permits), at=at)[0]


def intended(connection: Connection, action: str, *, at: datetime) -> int:
    """Record an effect about to be tried, once its outbox row stands and its permit is used up; its number."""
    return entries_effects.all_intended(connection, {action: None}, at=at)[0]


def stored(connection: Connection, permits: Mapping[int, str | None]) -> Rows:
    """What decisions and the permits that they minted commit to, as the store holds it."""
    decisions = _by(connection, tables.decision.c.decision_id, permits)
    evidence = dict(kept.stored(connection, {each["action"] for each in decisions.values()}))
    minted = _by(connection, tables.permit.c.permit_id, {each for each in permits.values() if each is not None})
    return Rows(decisions, evidence, minted, _uses(connection, minted.keys()))


def _by(connection: Connection, column: Column[Any], wanted: Iterable[Any]) -> dict[Any, dict[str, Any]]:
    rows = connection.execute(select(column.table).where(column.in_(sorted(set(wanted))))).mappings()
    return {row[column.name]: dict(row) for row in rows}


def _uses(connection: Connection, permit_ids: Collection[str]) -> dict[str | None, dict[str, Any]]:
    """What limits count each of those permits by, where they do."""
    use, subject = tables.permit_use, tables.permit_subject
    these = sorted(permit_ids)
    subjects = defaultdict(list)
    for row in connection.execute(select(subject).where(subject.c.permit_id.in_(these))):
        subjects[row.permit_id].append(row.subject)
    rows = connection.execute(select(use).where(use.c.permit_id.in_(these))).mappings()
    return {row["permit_id"]: committed.of_use(dict(row), subjects[row["permit_id"]]) for row in rows}
