"""Proof that nobody edited the record: chain, checkpoints, the store's rows, Dagster's event log, against each other.

What it cannot prove stands in docs/architecture-ledger.md: who owns store, checkpoints and key can write it all anew.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from orchestration.collecting import uncollected
from orchestration.contracts import Contract
from orchestration.gate.keys import PUBLIC, public_key
from orchestration.ledger import aside, heads, walking
from orchestration.ledger.checkpoint import checkpoint_keys
from orchestration.ledger.checkpoint_files import files
from orchestration.ledger.erasures import proofs
from orchestration.ledger.links import stray_payloads
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
    checkpoints: int = 0
    """How many checkpoints hold of this ledger."""
    covered: int = 0
    """Up to this entry the ledger is the one of which a checkpoint was signed."""
    signed_at: datetime | None = None
    """When that checkpoint was signed."""


def verify(store: Store, instance: Instance | None, settings: Settings | None = None) -> Verification:
    """Check the whole record; a run that goes on meanwhile does not disturb it.

    Args:
        store: The coordinator's store.
        instance: Dagster's instance, whose event log is compared both ways; none where there is no Dagster home yet.
        settings: Where keys, checkpoints and the graphs' files are; where they are not given, none is looked at.

    Raises:
        ConfigurationError: A public key is there and cannot be used.
        PrecedeError: The folder of checkpoints cannot be read.
        StoreError: The store cannot be read.
    """
    if instance is None:
        with store.read() as connection, aside.beside(store, connection) as reading:
            return record_of(connection, settings, reading)
    from orchestration.ledger import lineage  # noqa: PLC0415  Dagster takes a second to import

    events = list(lineage.effects(instance))  # read first: whatever they name is in the store by then
    with store.read() as connection, aside.beside(store, connection) as reading:
        seen = lineage.seen(connection, instance)
        record = record_of(connection, settings, reading)
        problems = (*record.problems, *lineage.problems(connection, instance, events, reading.pins, seen))
    return record.model_copy(update={"ok": not problems, "problems": problems, "lineage": True})


def record_of(
    connection: Connection, settings: Settings | None = None, reading: aside.Aside | None = None
) -> Verification:
    """Check the chain and the store's rows that it tells of, without Dagster's event log.

    Args:
        connection: On the store.
        settings: As `verify` takes them.
        reading: What the store's rows say, where others read it meanwhile.
    """
    with uncollected():
        return _record_of(connection, settings, reading or aside.Aside(connection))


def _record_of(connection: Connection, settings: Settings | None, reading: aside.Aside) -> Verification:
    signed = _signed(connection, settings)
    erased = proofs(connection, None if settings is None else settings.keys)
    walked, quick = walking.quickly(connection, signed, erased)
    strays = list(stray_payloads(connection))
    graphs = [] if settings is None else list(changed_graphs(connection, settings.home))  # while others still read
    store, miscounted, _ = reading.read()
    different: list[str] = []
    if not walking.agrees(connection, quick, store):
        walked, telling = walking.exactly(connection, signed, erased)
        different = walking.differences(connection, telling, store)
    standing = walked.standing
    problems = [*signed.problems, *erased.problems, *standing.problems(), *walked.problems]
    problems += [*strays, *different, *miscounted, *graphs]
    signatures = settings is not None and (settings.keys / PUBLIC).is_file()
    if settings is not None and signatures:
        held = standing.last.permits if standing.last else 0
        problems += forged_permits(connection, public_key(settings.keys / PUBLIC), after=held)
    return Verification(
        ok=not problems,
        entries=standing.entries,
        head=str(walked.end.hash),
        problems=tuple(problems),
        lineage=False,
        signatures=signatures,
        checkpoints=standing.holding,
        covered=standing.last.last if standing.last else 0,
        signed_at=standing.last.at if standing.last else None,
    )


def _signed(connection: Connection, settings: Settings | None) -> heads.Believed:
    """The checkpoints that there are; none are looked for where no settings say where."""
    if settings is None:
        return heads.Believed((), ())
    kept, recorded = files(settings.checkpoints), heads.copies(connection)
    return heads.believed(kept, recorded, checkpoint_keys(settings.keys), settings.checkpoints)
