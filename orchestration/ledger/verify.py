"""Proof that nobody edited the record: the chain, the store's rows, and Dagster's event log, each against the others.

What it cannot prove stands in docs/architecture-ledger.md: someone who owns the store can write all of it anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection

from orchestration.contracts import Contract
from orchestration.ledger import agreement
from orchestration.ledger.links import Walk, entries, faults, stray_payloads
from orchestration.store.engine import Store

if TYPE_CHECKING:
    from orchestration.ledger.lineage import Instance


class Verification(Contract):
    """What verification found."""

    ok: bool
    entries: int
    """How many entries the ledger has."""
    problems: tuple[str, ...]
    """A sentence each: what is wrong, and with which entry of what time."""
    lineage: bool
    """Whether Dagster's event log was there to compare with."""


def verify(store: Store, instance: Instance | None) -> Verification:
    """Check the whole record in one read transaction.

    Args:
        store: The coordinator's store.
        instance: Dagster's instance, whose event log is compared both ways; none where there is no Dagster home yet.

    Raises:
        StoreError: The store cannot be read.
    """
    with store.read() as connection:
        count, problems = record_of(connection)
        if instance is not None:
            from orchestration.ledger import lineage  # noqa: PLC0415  Dagster takes a second to import

            problems += lineage.problems(connection, instance)
    return Verification(ok=not problems, entries=count, problems=tuple(problems), lineage=instance is not None)


def record_of(connection: Connection) -> tuple[int, list[str]]:
    """How many entries there are, and what is wrong with the chain and with what it says of the store's rows."""
    problems: list[str] = []
    told: dict[agreement.Subject, agreement.Told] = {}
    walk, count = Walk(), 0
    for entry in entries(connection):
        edits = list(faults(entry))
        problems += [*walk.step(entry), *edits]
        if not edits:
            told.update(agreement.told_by(entry))
        count += 1
    problems += stray_payloads(connection)
    problems += agreement.differences(told, dict(agreement.told_by_store(connection)))
    return count, problems
