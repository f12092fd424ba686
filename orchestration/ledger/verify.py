"""Proof that nobody edited the record: the chain, the store's rows, and Dagster's event log, each against the others.

What it cannot prove stands in docs/architecture-ledger.md: someone who owns the store can write all of it anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection

from orchestration.contracts import Contract
from orchestration.gate.keys import PUBLIC, public_key
from orchestration.ledger import agreement
from orchestration.ledger.links import Walk, entries, faults, stray_payloads
from orchestration.ledger.outside import changed_graphs, forged_permits
from orchestration.settings import Settings
from orchestration.store.engine import Store

if TYPE_CHECKING:
    from orchestration.ledger.lineage import Instance


class Verification(Contract):
    """What verification found."""

    ok: bool
    entries: int
    """How many entries the ledger has."""
    head: str
    """The hash of the last entry. Kept where nobody who may write to the store can, it shows later that the chain up to
    here is the one that was seen."""
    problems: tuple[str, ...]
    """A sentence each: what is wrong, and with which entry of what time."""
    lineage: bool
    """Whether Dagster's event log was there to compare with."""
    signatures: bool = False
    """Whether the public key was there to verify permits with."""


def verify(store: Store, instance: Instance | None, settings: Settings | None = None) -> Verification:
    """Check the whole record; a run that goes on meanwhile does not disturb it.

    Args:
        store: The coordinator's store.
        instance: Dagster's instance, whose event log is compared both ways; none where there is no Dagster home yet.
        settings: Where the public key and the graphs' files are; where they are not given, neither is looked at.

    Raises:
        ConfigurationError: The public key is there and cannot be used.
        StoreError: The store cannot be read.
    """
    if instance is None:
        with store.read() as connection:
            return record_of(connection, settings)
    from orchestration.ledger import lineage  # noqa: PLC0415  Dagster takes a second to import

    events = list(lineage.effects(instance))  # read first: whatever they name is in the store by then
    with store.read() as connection:
        record = record_of(connection, settings)
        problems = (*record.problems, *lineage.problems(connection, instance, events))
    return record.model_copy(update={"ok": not problems, "problems": problems, "lineage": True})


def record_of(connection: Connection, settings: Settings | None = None) -> Verification:
    """Check the chain and the store's rows that it tells of, without Dagster's event log."""
    problems: list[str] = []
    telling, walk, count = agreement.Telling(), Walk(), 0
    for entry in entries(connection):
        edits = list(faults(entry))
        problems += [*walk.step(entry), *edits]
        if not edits:
            problems += telling.hear(entry)
        count += 1
    problems += stray_payloads(connection)
    problems += agreement.differences(telling.told, dict(agreement.told_by_store(connection)))
    signatures = settings is not None and (settings.keys / PUBLIC).is_file()
    if settings is not None:
        problems += changed_graphs(connection, settings.home)
        if signatures:
            problems += forged_permits(connection, public_key(settings.keys / PUBLIC))
    return Verification(
        ok=not problems,
        entries=count,
        head=str(walk.hash),
        problems=tuple(problems),
        lineage=False,
        signatures=signatures,
    )
