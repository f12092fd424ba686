"""How much may be done, and when: what agents' cards and action types may declare of it.

What was done is counted in `gate/limits`. Every bound that is declared holds; none loosens another.
"""

from __future__ import annotations

from datetime import time, timedelta
from decimal import Decimal
from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, model_validator

from orchestration.contracts import Contract
from orchestration.declarations import Duration

Scope = Literal["agent", "action_type", "entity", "contact_point"]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
"""An ISO 3166 code of two letters, as records hold it."""
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]

OF_THE_ENTITY: Final = "entity"
"""The zone of a window that is open where the entities are: in every zone of every country of theirs."""
DAYS: Final[tuple[Day, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONGEST: Final = timedelta(days=366)


def _clock(value: object) -> object:
    """A time of day from text such as `08:00`; YAML reads a bare one as a number, which is refused."""
    if not isinstance(value, str):
        raise ValueError('a time of day in quotes, such as "08:00"')  # noqa: TRY004  pydantic turns this into its own
    return value


Clock = Annotated[time, BeforeValidator(_clock)]


class Rate(Contract):
    """At most so many effects in any period of that length, wherever it begins."""

    per: Scope
    """What effects are counted together: those of the agent, of the action type, on an entity, or that reach a contact
    point. Of an action type's own rate only effects of that type count; of a card's, all."""
    at_most: int = Field(ge=0)
    within: Duration

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.within > _LONGEST:
            raise ValueError(f"a period of at most {_LONGEST.days}d")
        return self


class Money(Contract):
    """An amount in a currency."""

    amount: Decimal = Field(ge=0, decimal_places=2, max_digits=16)
    currency: Currency


class Window(Contract):
    """Days and hours in which effects may happen; where several are declared together, one of them must be open."""

    days: tuple[Day, ...] = Field(default=DAYS, min_length=1)
    opens: Clock = Field(alias="from")
    closes: Clock = Field(alias="until")
    zone: str
    """An IANA time zone such as `Europe/London`; or `entity`, for the zones of the entities' countries."""

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        try:
            _ = self.fixed
        except (ValueError, OSError, KeyError) as problem:  # ZoneInfoNotFoundError is a KeyError
            needed = f"an IANA time zone such as Europe/London, or `{OF_THE_ENTITY}` (found {self.zone})"
            raise ValueError(needed) from problem
        if self.opens.tzinfo or self.closes.tzinfo:
            raise ValueError("times of day without a zone of their own")
        if self.opens >= self.closes:
            raise ValueError("`from` before `until`: a window over midnight is two windows")
        return self

    def __str__(self) -> str:
        return f"{','.join(self.days)} {self.opens:%H:%M}-{self.closes:%H:%M} {self.zone}"

    @property
    def fixed(self) -> ZoneInfo | None:
        """Its zone; none where that depends on the entities."""
        return None if self.zone == OF_THE_ENTITY else ZoneInfo(self.zone)


class Amount(Contract):
    """Where the money that an action moves or asks for stands, as templates like those of the tool's arguments."""

    value: str
    currency: str


class TypeLimits(Contract):
    """What an action type bounds for every agent."""

    rates: tuple[Rate, ...] = ()


class Limits(Contract):
    """How much an agent may do. Every agent's effects count, and every alias and merged part of an entity."""

    per_batch: int = Field(default=100, ge=0)
    """Effects that one batch may have."""
    per_entity_per_day: int = Field(default=1, ge=0)
    """Effects on one entity on one business date."""
    per_contact_point_per_day: int = Field(default=1, ge=0)
    """Effects that reach one mailbox or number on one business date."""
    per_day: int | None = Field(default=None, ge=0)
    """The agent's own effects on one business date; as many as there are where it is not stated."""
    money_per_day: Money | None = None
    """What the agent's own effects of one business date may come to; no bound where it is not stated."""
    rates: tuple[Rate, ...] = ()
