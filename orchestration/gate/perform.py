"""The moment of effect: everything is asked again in one transaction, and only then does the intent stand.

The current snapshot's pointer, the read set on that graph, the permit, the effect key, policy and limits as they are
now: where one of them speaks against it, nothing happens, and a new decision says why. A graph published anew with the
same read set voids nothing.

Read once for all (`seen.py`), judged one by one in memory (`presented.py`), written together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, insert, update

from orchestration.approval import queue
from orchestration.contracts import Decision, Permit
from orchestration.errors import PermitRefused
from orchestration.gate.decide import Answer
from orchestration.gate.limits import keep
from orchestration.gate.limits.touch import Touch
from orchestration.gate.limits.usage import Bounds, Usage
from orchestration.gate.permits import pending
from orchestration.gate.presented import Presented, still
from orchestration.gate.record import keep_policies, record
from orchestration.gate.resolve import Case
from orchestration.gate.seen import Means, Seen, unused_permits
from orchestration.ledger import entries_effects
from orchestration.store import tables


@dataclass(frozen=True, slots=True)
class Effect:
    """An effect that is meant, and will be delivered from the outbox."""

    action: str
    effect_key: str
    entry: int
    """The number of its ledger entry."""


class Performed(NamedTuple):
    """What became of some actions, up to the first whose permit may not be presented."""

    answers: list[Effect | Decision]
    """Of each the effect that is now in the outbox; or the new decision, which is recorded: a denial, or that it is
    held for a person."""
    refused: PermitRefused | None
    """Why the next one has no permit to use, so that it and those after it are left; none where there is no such."""


def perform(connection: Connection, actions: Sequence[str], means: Means, now: datetime) -> Performed:
    """Use up the permits of actions for their effects, each as if it were alone, or say why not.

    Args:
        connection: Inside `Store.begin()`.
        actions: Their ids, in the order that they are to be performed in; of one batch, at most some hundred.
        means: What the gate works with.
        now: The time, with its zone.

    Raises:
        NotFound: There is no such action.
        PermitRefused: What was to be used up together is not what there was: none of it may be committed.
    """
    permits, refused = unused_permits(connection, actions)
    if not permits:
        return Performed([], refused)
    seen = Seen.of(connection, permits, means, now)
    answers: list[Effect | Decision] = []
    taken = set(seen.taken)
    left, width = seen.presented, len(seen.presented)
    while left:
        some = left[:width]
        wanted: dict[str, tuple[Touch, Bounds]] = {
            one.ask.action: one.counted for one in some if one.counted is not None
        }
        meant, void = _judged(some, seen, means.tally.read(connection, wanted, now), taken)
        answers += _write(connection, meant, seen, means, now)
        anew, left = any(one.counts_anew(now) for one in left[: len(meant)]), left[len(meant) :]
        width *= 2
        if anew:
            means.tally.forget()
            width = 1
        if void is not None:
            _void(connection, left[0], void, seen, means)
            answers.append(void)
            # what was counted is counted anew, of one, of two, of four …: where one is void, others often are
            left, width = left[1:], 1
    return Performed(answers, refused)


def _judged(
    some: Sequence[Presented], seen: Seen, usage: Usage, taken: set[str]
) -> tuple[list[Permit], Decision | None]:
    """The permits that hold, up to the first that does not, and the decision that takes that one's place.

    Or up to one whose effect is one more within the period of a rate: those after it are counted anew.
    """
    # A permit keeps its place in a rate for the period after it was minted: so long nobody else gets that place, and
    # it is not refused for want of one. After that it has none, since others may have been minted in its place: it is
    # judged as one more beside what was used or minted within the period, and gets its place anew by being used. It is
    # stored with the records that its entities had then, so what it counts for now is read and not reckoned.
    meant: list[Permit] = []
    for one in some:
        asked = seen.asked[one.ask.action]
        judged = still(one, seen.moment, usage=usage, taken=taken, at_least=seen.at_least, asked=asked)
        if isinstance(judged, Decision):
            return meant, judged
        taken.add(judged.effect_key)
        meant.append(judged)
        if one.counts_anew(seen.moment.now):
            break
    return meant, None


def _void(connection: Connection, one: Presented, void: Decision, seen: Seen, means: Means) -> None:
    """Record the decision that takes a permit's place."""
    now = seen.moment.now
    answer = Answer(one.ask, void, one.case if isinstance(one.case, Case) else None, one.touch)
    keep_policies(connection, means.rules.policies, [answer], now)
    record(connection, [answer], seen.moment.store, means.key, now)


def _write(
    connection: Connection, permits: Sequence[Permit], seen: Seen, means: Means, now: datetime
) -> list[Effect | Decision]:
    """Use permits up, and write down the effects that are meant."""
    if not permits:
        return []
    ids = [permit.permit_id for permit in permits]
    used = connection.execute(
        update(tables.permit)
        .where(
            tables.permit.c.permit_id.in_(ids), tables.permit.c.consumed_at.is_(None), tables.permit.c.expires_at > now
        )
        .values(consumed_at=now)
    )
    if used.rowcount != len(permits):
        named = permits[0].action if len(permits) == 1 else f"one of {len(permits)} actions"
        raise PermitRefused(f"The permit of {named} was used while it was looked at; needed one that was not.")
    for permit in permits:
        if permit.approval is not None and not queue.consume(connection, permit, now, seen.at_least):
            raise PermitRefused(
                f"The approval of {permit.action} is used up, void or over; needed one that a person gave since."
            )
    keep.used(connection, ids, now)
    connection.execute(insert(tables.outbox), [_row(permit, now) for permit in permits])
    intents = entries_effects.all_intended(connection, {permit.action: permit.approval for permit in permits}, at=now)
    means.tally.wrote(intents[-1])
    return [Effect(each.action, each.effect_key, entry) for each, entry in zip(permits, intents, strict=True)]


def _row(permit: Permit, now: datetime) -> dict[str, object]:
    """An effect on its way to a tool."""
    return {
        "action": permit.action,
        "permit_id": permit.permit_id,
        **pending(permit),
        "intended_at": now,
    }
