"""Counts against bounds: whether one more effect breaks one of them. Pure; `count.py` reads what was done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from orchestration.contracts import EntityId, Reason
from orchestration.gate.limits.touch import Touch
from orchestration.limits import Limits, Rate, Scope, TypeLimits

_DAY = timedelta(days=1)
_NEW = timedelta(0)


class Meter(NamedTuple):
    """What a rate counts together."""

    per: Scope
    within: timedelta
    only: str | None
    """The action type whose effects alone count; none where all do."""
    subject: str
    """The agent, the action type, the entity, or the digest of the contact point."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is declared of one agent and one action type."""

    card: Limits
    action_type: TypeLimits

    @property
    def rates(self) -> tuple[tuple[Rate, bool], ...]:
        """Every rate, and whether only effects of the action type count."""
        own = ((rate, True) for rate in self.action_type.rates)
        return (*((rate, False) for rate in self.card.rates), *own)

    def outlasted(self, age: timedelta) -> bool:
        """Whether what was counted so long ago is outside the period of a rate."""
        return any(age >= rate.within for rate, _ in self.rates)

    def meters(self, touch: Touch) -> Iterator[tuple[Meter, Rate]]:
        """What each rate counts an effect by."""
        subjects: dict[Scope, Sequence[str]] = {
            "agent": [touch.agent],
            "action_type": [touch.action_type],
            "entity": sorted(touch.entities),
            "contact_point": sorted(touch.contacts),
        }
        for rate, alone in self.rates:
            for subject in subjects[rate.per]:
                yield Meter(rate.per, rate.within, touch.action_type if alone else None, subject), rate


@dataclass(slots=True)
class Usage:
    """How many effects there were that bounds of a batch's proposals count."""

    entities: Counter[EntityId] = field(default_factory=Counter)
    """Every agent's effects of the business date, by entity."""
    contacts: Counter[str] = field(default_factory=Counter)
    """The same by digest of a contact point."""
    batch: int = 0
    day: int = 0
    """The agent's own effects of the business date."""
    money: Counter[str] = field(default_factory=Counter)
    """What these come to, in hundredths, by currency."""
    rates: Counter[Meter] = field(default_factory=Counter)

    def over(self, bounds: Bounds, touch: Touch, *, own: int = 0, age: timedelta = _NEW) -> list[Reason]:
        """Every bound that one more effect would break; or this effect, where the counts have it as their `own`.

        Args:
            bounds: What there may be.
            touch: What the effect is counted by.
            own: How often the counts of the day have it: once or not at all.
            age: How long ago it was counted: a rate of a shorter period has it no more.
        """
        return [*self._of_the_day(bounds.card, touch, own), *self._rates(bounds, touch, own, age)]

    def count(self, bounds: Bounds, touch: Touch) -> None:
        """Count one more effect."""
        self.entities.update(touch.entities.keys())
        self.contacts.update(touch.contacts)
        self.batch += 1
        self.day += 1
        if touch.money is not None:
            self.money[touch.money.currency] += touch.money.hundredths
        self.rates.update({meter for meter, _ in bounds.meters(touch)})

    def _of_the_day(self, limits: Limits, touch: Touch, own: int) -> Iterator[Reason]:
        for entity in sorted(touch.entities):
            if (had := self.entities[entity] - own) >= limits.per_entity_per_day:
                detail = f"{entity} had {had} of {limits.per_entity_per_day} effects of the day."
                yield Reason(code="entity_limit", subject=entity, detail=detail)
        if any(self.contacts[contact] - own >= limits.per_contact_point_per_day for contact in touch.contacts):
            detail = f"The contact point had its {limits.per_contact_point_per_day} effects of the day."
            yield Reason(code="contact_point_limit", detail=detail)
        if self.batch - own >= limits.per_batch:
            yield Reason(code="batch_limit", detail=f"The batch had its {limits.per_batch} effects.")
        if limits.per_day is not None and self.day - own >= limits.per_day:
            detail = f"{touch.agent} had its {limits.per_day} effects of the day."
            yield Reason(code="budget_limit", subject="effects", detail=detail)
        if limits.money_per_day is not None:
            yield from self._money(Decimal(limits.money_per_day.amount), limits.money_per_day.currency, touch, own)

    def _money(self, budget: Decimal, currency: str, touch: Touch, own: int) -> Iterator[Reason]:
        if touch.unknown_money:
            yield Reason(code="unknown_amount", detail="What the action comes to is not known, so no budget covers it.")
        if touch.money is None:
            return
        if touch.money.currency != currency:
            detail = f"The budget of {touch.agent} is in {currency}, and the action is about {touch.money.currency}."
            yield Reason(code="budget_currency", subject=touch.money.currency, detail=detail)
        elif self.money[currency] + (1 - own) * touch.money.hundredths > budget * 100:
            detail = f"{touch.agent} may come to {budget} {currency} a day, and this would be above it."
            yield Reason(code="budget_limit", subject="money", detail=detail)

    def _rates(self, bounds: Bounds, touch: Touch, own: int, age: timedelta) -> Iterator[Reason]:
        broken = {}
        for meter, rate in bounds.meters(touch):
            if self.rates[meter] - (own if age < rate.within else 0) >= rate.at_most:
                shown = "" if meter.per == "contact_point" else meter.subject
                what = f"{meter.per.replace('_', ' ')} {shown}".strip()
                detail = f"There may be {rate.at_most} effects of the {what} within {rate.within}, and there were."
                code = "rate_limit" if rate.within < _DAY else "long_rate_limit"
                broken[code, shown or meter.per] = Reason(code=code, subject=shown or meter.per, detail=detail)
        yield from broken.values()
