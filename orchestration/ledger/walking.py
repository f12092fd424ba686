"""The walk along the whole ledger: quickly where nothing is wrong, and otherwise once more to tell what it is."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from orchestration.ledger import agreement
from orchestration.ledger.erasures import Erased
from orchestration.ledger.heads import Believed, Standing
from orchestration.ledger.kinds import ERASED
from orchestration.ledger.links import Walk, entries, faults
from orchestration.ledger.quick import Quick
from orchestration.ledger.subjects import EVIDENCE, Said, Subject
from orchestration.ledger.telling import Telling


@dataclass(frozen=True, slots=True)
class Walked:
    """What was found on the way.

    Attributes:
        end: Where the ledger ends.
        standing: Which checkpoints hold.
        problems: What is wrong with the entries.
    """

    end: Walk
    standing: Standing
    problems: tuple[str, ...] = ()


def quickly(connection: Connection, signed: Believed, erased: Erased) -> tuple[Walked, Quick]:
    """Walk along the ledger, with what it says; that counts where the store says the same, and not otherwise."""
    walk, standing, quick = Walk(), Standing(signed.heads), Quick()
    proven = {entry.seq for entry in erased.entries}
    for entry in entries(connection):
        if not walk.follows(entry):
            quick.doubtful = True
        if quick.doubtful:  # all is walked again
            break
        quick.hear(entry, erased.gone, proven=entry.seq in proven)
        standing.step(entry)
    return Walked(walk, standing), quick


def exactly(connection: Connection, signed: Believed, erased: Erased) -> tuple[Walked, Telling]:
    """Walk along the ledger, entry by entry, with what it says and what is wrong with it."""
    walk, standing, telling = Walk(), Standing(signed.heads), Telling()
    proven = {entry.seq for entry in erased.entries}
    problems: list[str] = []
    for entry in entries(connection):
        edits = list(faults(entry, erased.gone))
        problems += [*walk.step(entry), *edits]
        if not edits and (entry.kind != ERASED or entry.seq in proven):
            problems += telling.hear(entry)
        standing.step(entry)
    return Walked(walk, standing, tuple(problems)), telling


def agrees(connection: Connection, quick: Quick, store: Said) -> bool:
    """Whether nothing is wrong with the ledger, and the store says the very same."""
    return quick.agrees(_as_told(connection, quick.said[EVIDENCE], store))


def differences(connection: Connection, telling: Telling, store: Said) -> list[str]:
    """What the ledger and the store do not say alike."""
    told = {subject.key: told.digest for subject, told in telling.told.items() if subject.part == EVIDENCE}
    store = _as_told(connection, told, store)
    said = {Subject(part, key): each for part, found in store.items() for key, each in found.items()}
    return list(agreement.differences(telling.told, said))


def _as_told(connection: Connection, told: dict[str, str], store: Said) -> Said:
    return {**store, EVIDENCE: agreement.as_told(connection, told, store.get(EVIDENCE, {}))}
