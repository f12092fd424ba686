"""What one effect is counted by: whose it is, what it is on, and what it comes to.

An entity is counted by its id and by every record that it has, so that a merge, a split or an alias changes nothing
about the count. A contact point is counted by what it reaches, however it is written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_UP, Decimal, InvalidOperation

from orchestration.action_types import fill
from orchestration.contracts import EntityId
from orchestration.gate.readset import values_of
from orchestration.gate.resolve import Case


@dataclass(frozen=True, slots=True)
class Sum:
    """Money as it is counted: hundredths of the currency's unit."""

    hundredths: int
    currency: str


@dataclass(frozen=True, slots=True)
class Touch:
    """What one effect would be counted by."""

    agent: str
    action_type: str
    batch_id: str
    business_date: date
    entities: Mapping[EntityId, frozenset[str]]
    """Each entity to the digests of it and of its records."""
    contacts: frozenset[str]
    """Digests of the contact points that it reaches."""
    money: Sum | None = None
    """What it comes to; none where the action type names no amount, or what it names is not known."""
    unknown_money: bool = False

    @property
    def subjects(self) -> frozenset[str]:
        """Everything that it is on."""
        return self.contacts.union(*self.entities.values())


def touch_of(case: Case) -> Touch:
    """What the effect of a proposal would be counted by."""
    money = _money(case)
    return Touch(
        agent=case.ask.agent,
        action_type=case.action_type.name,
        batch_id=case.ask.batch_id,
        business_date=case.ask.business_date,
        entities={
            entity.entity_id: entity_subjects(
                entity.entity_id, [record.record_id for record in case.graph.records.get(entity.entity_id, ())]
            )
            for entity in case.found.entities.values()
        },
        contacts=frozenset(contact_subject(stated[0].value) for stated in case.found.contacts.values()),
        money=money,
        unknown_money=case.action_type.amount is not None and money is None,
    )


def entity_subjects(entity_id: str, record_ids: list[str]) -> frozenset[str]:
    """An entity as it is counted: by its id and by its records."""
    return frozenset({_subject("entity", entity_id), *(_subject("record", each) for each in record_ids)})


def contact_subject(value: str) -> str:
    """A contact point as it is counted: a mailbox with and without a tag is one."""
    local, at, domain = value.strip().casefold().rpartition("@")
    return _subject("contact", f"{local.partition('+')[0] or local}{at}{domain}")


def _subject(kind: str, value: str) -> str:
    """A digest, so that what is counted names nobody and has one length."""
    return hashlib.blake2b(f"{kind}:{value}".encode(), digest_size=16).hexdigest()


def _money(case: Case) -> Sum | None:
    declared = case.action_type.amount
    if declared is None:
        return None
    values = values_of(case)
    try:
        # what is paid back is money too: a negative amount frees nothing of a budget
        amount = abs(Decimal(str(fill(declared.value, values)))) * 100
        currency = str(fill(declared.currency, values))
        hundredths = int(amount.to_integral_value(rounding=ROUND_UP))
    except (KeyError, InvalidOperation, ValueError, OverflowError):
        return None
    return Sum(hundredths, currency) if hundredths < 2**63 and len(currency) <= 3 else None  # noqa: PLR2004  what a row holds
