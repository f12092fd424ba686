"""A permit as it is presented for its effect, and whether it still holds: pure.

What its store row says is believed in nothing that the signature covers. Whatever speaks against it is said at once,
beside what standing, policy and limits say now.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from orchestration.approval.bound import bound, lapses
from orchestration.canonical import digest
from orchestration.contracts import Decision, Permit, Reason, SignedPermit, Verdict
from orchestration.errors import PermitRefused
from orchestration.gate.decide import Asked, Moment, bounds_of, reconsider, weigh
from orchestration.gate.known import Ask
from orchestration.gate.limits.touch import Touch, touch_of
from orchestration.gate.limits.usage import Bounds, Usage
from orchestration.gate.permits import read
from orchestration.gate.readset import read_set, tool_call
from orchestration.gate.resolve import Case

Row = Mapping[str, Any]
Call = tuple[str, str, dict[str, str | int | bool], str]
"""Tool server, tool, arguments and effect key."""


@dataclass(frozen=True, slots=True)
class Presented:
    """The unused permit of an action's last decision, and what the action comes to now."""

    ask: Ask
    """The proposal, with the approval that the permit names and with no other."""
    row: Row
    """The permit's, as the store has it, with the time that limits count it `counted_at`."""
    permit: Permit | None
    """The permit as it was signed; none where its signature covers none."""
    unsound: tuple[Reason, ...]
    """Why it is none of this action's."""
    case: Case | list[Reason]
    bounds: Bounds | None
    touch: Touch | None

    @classmethod
    def of(cls, ask: Ask, row: Row, key: Ed25519PublicKey, moment: Moment) -> Self:
        """Read a permit and weigh its action.

        Args:
            ask: The proposal, with what was approved of it.
            row: The permit's row.
            key: The public half of what permits are signed with.
            moment: What the action rests on now.
        """
        permit, unsound = _sound(ask, row, key)
        consented = _consented(ask, permit)
        case = weigh(consented, moment)
        touch = touch_of(case) if isinstance(case, Case) else None
        return cls(consented, row, permit, unsound, case, bounds_of(ask, moment.rules), touch)

    @property
    def counted(self) -> tuple[Touch, Bounds] | None:
        """What its effect is counted by, and what bounds it."""
        return None if self.touch is None or self.bounds is None else (self.touch, self.bounds)

    def age(self, now: datetime) -> timedelta:
        """How long ago its permit was counted: longer than any period, where it was not."""
        # not since the permit was signed: what is taken off the counts is what they have, whoever edited them
        at = self.row["counted_at"]
        return timedelta.max if at is None else now - at

    def counts_anew(self, now: datetime) -> bool:
        """Whether its effect is one more within the period of a rate, since its permit is in that no more."""
        return self.bounds is not None and self.bounds.outlasted(self.age(now))


def unused(action: str, verdict: str | None, row: Row | None) -> Row:
    """The permit's row, where it may be presented at all.

    Args:
        action: Whose it is.
        verdict: Of the action's last decision; none where it was not decided.
        row: The newest permit's; none where there is none.

    Raises:
        PermitRefused: It may not: nothing is recorded of that, since nothing changed.
    """
    if verdict != Verdict.ALLOW:
        raise PermitRefused(f"{action} was not allowed ({verdict or 'not decided yet'}); needed a permit.")
    if row is None:
        raise PermitRefused(f"{action} has no permit; needed one that the gate minted.")
    if row["consumed_at"] is not None:
        raise PermitRefused(f"The permit of {action} was used at {row['consumed_at'].isoformat()}; needed one unused.")
    return row


def still(  # noqa: PLR0913  an effect rests on that many things
    one: Presented,
    moment: Moment,
    *,
    usage: Usage,
    taken: AbstractSet[str],
    at_least: datetime,
    asked: Asked | None = None,
) -> Permit | Decision:
    """Whether a permit still holds, everything about it asked again.

    Args:
        one: The permit and its action.
        moment: What it rests on now.
        usage: The effects so far, its own permit among them where that is in the period.
        taken: Those effect keys that have their effect already, or may still.
        at_least: What time it is at least, whatever the clock says.
        asked: What policy says now, where it was asked already.

    Returns:
        The permit; or the decision that takes its place.

    Raises:
        PermitRefused: It holds and cannot be read, which never comes together.
    """
    against = [*one.unsound, *_against(one, moment.now, taken, at_least)]
    if one.permit is not None and one.permit.approval is not None:
        against += _without_consent(one.case, moment, at_least)
    void = reconsider(
        one.ask, one.case, moment, against=against, usage=usage, age=one.age(moment.now), touch=one.touch, asked=asked
    )
    if void is not None:
        return void
    if one.permit is None:
        raise PermitRefused(f"The permit of {one.ask.action} cannot be read; needed one that the gate minted.")
    return one.permit


def _sound(ask: Ask, row: Row, key: Ed25519PublicKey) -> tuple[Permit | None, tuple[Reason, ...]]:
    """The permit as it was signed, and whether it is this action's: the store's row is not believed."""
    try:
        permit = read(SignedPermit(payload=row["payload"], signature=row["signature"]), key)
    except PermitRefused as refused:
        return None, (Reason(code="permit_forged", detail=str(refused)),)
    signed = (permit.permit_id, permit.action, permit.agent, permit.action_type, permit.expires_at)
    if signed != (row["permit_id"], ask.action, ask.agent, ask.action_type, row["expires_at"]):
        return permit, (Reason(code="permit_of_another", detail="The permit is another action's or agent's."),)
    return permit, ()


def _consented(ask: Ask, permit: Permit | None) -> Ask:
    """The proposal with the approval that its permit names, and with no other."""
    given = ask.approval
    named = permit is not None and given is not None and permit.approval == given.approval_id
    return ask if named or given is None else replace(ask, approval=None)


def _without_consent(case: Case | list[Reason], moment: Moment, at_least: datetime) -> list[Reason]:
    """Why the approval that a permit was minted by is none any more."""
    if isinstance(case, list):
        return []
    given = case.ask.approval
    if given is None:
        return [Reason(code="approval_void", detail="The approval that it was permitted by is used up or void.")]
    policies = moment.rules.policies.get(case.ask.agent)
    found = lapses(given, bound(case, policies.digest if policies else ""), at_least)
    said_of_permits = {"read_set_changed", "tool_call_changed"}
    return [reason for reason in found if reason.code not in said_of_permits]


def _against(one: Presented, now: datetime, taken: AbstractSet[str], at_least: datetime) -> list[Reason]:
    """What speaks against the permit now."""
    row, permit, case = one.row, one.permit, one.case
    reasons = []
    # a clock that was set back brings no permit to life: the ledger says how late it was already
    if at_least >= row["expires_at"] or now < row["issued_at"]:
        reasons.append(Reason(code="permit_expired", detail=f"The permit expired at {row['expires_at'].isoformat()}."))
    if row["halted_by"] is not None:
        detail = f"The permit was refused by stop {row['halted_by']}, whatever was started since."
        reasons.append(Reason(code="permit_halted", detail=detail))
    if permit is None:
        return reasons
    if isinstance(case, Case) and digest(read_set(case)) != permit.read_set_digest:
        reasons.append(Reason(code="read_set_changed", detail="What the decision rested on has changed since."))
    elif isinstance(case, Case) and _call(case) != _granted(permit):
        detail = "The action type makes another call of it than the permit is for."
        reasons.append(Reason(code="tool_call_changed", detail=detail))
    if permit.effect_key in taken:
        reasons.append(Reason(code="effect_exists", detail="That effect happened already, or may still happen."))
    return reasons


def _call(case: Case) -> Call | None:
    """The call that the action type makes of it now."""
    call, tool = tool_call(case), case.action_type.tool
    return None if call is None else (tool.server, tool.name, *call)


def _granted(permit: Permit) -> Call:
    return permit.tool_server, permit.tool, dict(permit.tool_arguments), permit.effect_key
