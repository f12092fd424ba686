"""Reading what was done, as far as bounds ask for it: by index, whatever a day has held.

A permit that may still be used counts as an effect; one that expired unused, was refused since, or whose effect is
known not to have happened does not.

A rate has of its period what was used in it and what was minted in it. So a permit that is older than the period and
not used yet is not counted where another is minted, and there may be more permits than the rate has effects. There are
never more effects: each is counted once more at its own moment, with all that were used within the period before it,
and one that is too many is refused then. Were old permits counted, one that nobody uses would keep others from theirs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, func, literal, or_, select

from orchestration.gate.limits.touch import Touch
from orchestration.gate.limits.usage import Bounds, Meter, Usage
from orchestration.store import tables

_CHUNK: Final = 1_000  # subjects asked for at once: databases limit a statement's parameters
_USE: Final = tables.permit_use.c
_SUBJECT: Final = tables.permit_subject.c
_HEAD: Final = select(func.max(tables.ledger_entry.c.seq))

Use = Any
"""A row of a permit that counts: its subject, id, business date, time and action type."""
Wanted = Sequence[tuple[Touch, Bounds]]
"""What effects would be counted by, and what bounds each."""


def load_usage(connection: Connection, wanted: Wanted, now: datetime) -> Usage:
    """How many effects there were that those bounds count for those effects, which are all of one batch.

    Args:
        connection: Of the store; inside `Store.begin()` where something is decided on it.
        wanted: What one more effect each would be counted by, and what bounds it.
        now: The time, with its zone.
    """
    usage = Usage()
    if wanted:
        _own(connection, usage, wanted, now)
        _on_subjects(connection, usage, wanted, now)
        _in_periods(connection, usage, wanted, now)
    return usage


@dataclass(slots=True)
class Tally:
    """The usage that the effects of a batch are checked against one by one, counted anew when somebody else wrote."""

    usage: Usage = field(default_factory=Usage)
    actions: frozenset[str] = frozenset()
    """The actions whose usage was counted."""
    at: datetime | None = None
    head: int = -1
    """The ledger's last entry that the usage knows of: every decision, effect and outcome has one."""

    def prepare(self, connection: Connection, wanted: Mapping[str, tuple[Touch, Bounds]], now: datetime) -> None:
        """Count for all of those actions at once, which are of one batch."""
        self.usage = load_usage(connection, list(wanted.values()), now)
        self.actions, self.at, self.head = frozenset(wanted), now, _head(connection)

    def read(self, connection: Connection, wanted: Mapping[str, tuple[Touch, Bounds]], now: datetime) -> Usage:
        """The usage that counts for actions of one batch."""
        if not wanted.keys() <= self.actions or now != self.at or _head(connection) != self.head:
            self.prepare(connection, wanted, now)
        return self.usage

    def wrote(self, head: int) -> None:
        """What was written to the ledger since is in the usage, up to that entry, which is the last."""
        self.head = head

    def forget(self) -> None:
        """Know nothing: what was written was taken back, and somebody else's entries may have those numbers."""
        self.actions, self.head = frozenset(), -1


def _head(connection: Connection) -> int:
    return connection.execute(_HEAD).scalar_one() or 0


def _counted(now: datetime) -> ColumnElement[bool]:
    return or_(_USE.state == "used", and_(_USE.state == "open", _USE.expires_at > now))


def _own(connection: Connection, usage: Usage, wanted: Wanted, now: datetime) -> None:
    """The agent's effects of the batch, and of the whole day where a bound asks for them."""
    touch, whole_day = wanted[0][0], any(_bounds_days(bounds) for _, bounds in wanted)
    of_batch = _USE.batch_id == touch.batch_id
    rows = connection.execute(
        select(of_batch.label("own"), _USE.currency, func.count().label("effects"), func.sum(_USE.amount).label("sum"))
        .where(_USE.agent == touch.agent, _USE.business_date == touch.business_date, _counted(now))
        .where(literal(True) if whole_day else of_batch)  # noqa: FBT003  SQL's own true
        .group_by(of_batch, _USE.currency)
    )
    for row in rows:
        usage.batch += row.effects if row.own else 0
        usage.day += row.effects
        if row.currency is not None:
            usage.money[row.currency] += int(row.sum)


def _bounds_days(bounds: Bounds) -> bool:
    return bounds.card.per_day is not None or bounds.card.money_per_day is not None


def _on_subjects(connection: Connection, usage: Usage, wanted: Wanted, now: datetime) -> None:
    """Every agent's effects on the entities and contact points, of the day and of the periods of rates."""
    day = wanted[0][0].business_date
    meters = {meter for touch, bounds in wanted for meter, _ in bounds.meters(touch)}
    periods = {(meter.within, meter.only) for meter in meters if meter.per in {"entity", "contact_point"}}
    subjects = sorted({each for touch, _ in wanted for each in touch.subjects})
    owners = {entity: held for touch, _ in wanted for entity, held in touch.entities.items()}
    contacts = {each for touch, _ in wanted for each in touch.contacts}
    if not periods:
        permits = _permits(connection, subjects, day, now)
        for entity, held in owners.items():
            usage.entities[entity] = len(set().union(*(permits[each] for each in held if each in permits)))
        for contact in contacts:
            usage.contacts[contact] = len(permits.get(contact, ()))
        return
    found = _uses(connection, subjects, day, now, max(within for within, _ in periods))
    for entity, held in owners.items():
        uses = {row.permit_id: row for subject in held for row in found.get(subject, ())}.values()
        usage.entities[entity] = sum(row.business_date == day for row in uses)
        for within, only in periods:
            usage.rates[Meter("entity", within, only, entity)] = _since(uses, now - within, only)
    for contact in contacts:
        uses = {row.permit_id: row for row in found.get(contact, ())}.values()
        usage.contacts[contact] = sum(row.business_date == day for row in uses)
        for within, only in periods:
            usage.rates[Meter("contact_point", within, only, contact)] = _since(uses, now - within, only)


def _permits(connection: Connection, subjects: list[str], day: object, now: datetime) -> dict[str, set[str]]:
    """Subject to the permits that count of it on one day, where no rate asks for more."""
    query = (
        select(_SUBJECT.subject, _SUBJECT.permit_id)
        .join(tables.permit_use, _USE.permit_id == _SUBJECT.permit_id)
        .where(_SUBJECT.business_date == day, _counted(now))
    )
    found: dict[str, set[str]] = {}
    for some in _chunks(subjects):
        for subject, permit_id in connection.execute(query.where(_SUBJECT.subject.in_(some))).all():
            found.setdefault(subject, set()).add(permit_id)
    return found


def _since(uses: Iterable[Use], since: datetime, only: str | None) -> int:
    return sum(row.at > since and only in {None, row.action_type} for row in uses)


def _uses(
    connection: Connection, subjects: list[str], day: object, now: datetime, longest: timedelta
) -> dict[str, list[Use]]:
    """Subject to the permits that count of it: those of the day, and of the longest period."""
    query = (
        select(_SUBJECT.subject, _SUBJECT.permit_id, _SUBJECT.business_date, _USE.at, _USE.action_type)
        .join(tables.permit_use, _USE.permit_id == _SUBJECT.permit_id)
        .where(or_(_SUBJECT.business_date == day, _USE.at > now - longest), _counted(now))
    )
    found: dict[str, list[Use]] = defaultdict(list)
    for some in _chunks(subjects):
        for row in connection.execute(query.where(_SUBJECT.subject.in_(some))):
            found[row.subject].append(row)
    return found


def _in_periods(connection: Connection, usage: Usage, wanted: Wanted, now: datetime) -> None:
    """The effects of the agent and of action types within the periods of rates, up to where each is full."""
    most: dict[Meter, int] = {}
    for touch, bounds in wanted:
        for meter, rate in bounds.meters(touch):
            if meter.per in {"agent", "action_type"}:
                most[meter] = max(rate.at_most, most.get(meter, 0))
    for meter, at_most in most.items():
        whose = _USE.agent if meter.per == "agent" else _USE.action_type
        where = [whose == meter.subject, _USE.at > now - meter.within, _counted(now)]
        if meter.only is not None:
            where.append(_USE.action_type == meter.only)
        # one more than fills it, so that an effect that is counted already can be told from one too many
        full = select(literal(1)).where(*where).limit(at_most + 1).subquery()
        usage.rates[meter] = connection.execute(select(func.count()).select_from(full)).scalar_one()


def _chunks(values: list[str]) -> Iterator[list[str]]:
    each = iter(values)
    while some := list(islice(each, _CHUNK)):
        yield some
