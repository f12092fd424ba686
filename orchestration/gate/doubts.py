"""Which open review pairs matter to an action: those of which a decision could change what the action reads.

Facts in, an answer out. A pair is left aside only where every way in which `same` or `different` could reach the read
set is known not to: the values, the conflicts, the systems, the id, the standing, the contact points and who works
there. What is not known counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from orchestration.action_parameters import EntityParameter
from orchestration.contracts import EntityId
from orchestration.graph.rows import Contact, Entity

OPTED_OUT: Final = "opted_out"
_MAY_PASS: Final = frozenset({"possible"})
"""Reasons for doubt that have parted nothing: a decision either joins the two or leaves all as it is."""
_HARMLESS: Final = frozenset({"single_system"})
"""Reasons against the other side's standing that do not come along with its records."""
_FEW: Final = 30
"""Records that entities may have together for the size of what they would be to be no question."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """An open review pair of an entity, and what is known of the other side. What is not said counts against it.

    Attributes:
        other: The other entity.
        reason: Why it is in doubt.
        systems: The systems that the other side has records in.
        could_change: Fields of which a value or a conflict could be another if the two were one; None where unknown.
        resolution: What was found of the other side in each system.
        opted_out: Whether the other side objects to being contacted.
        own: The reasons against this side's own standing.
        against: The reasons against the other side's standing.
        records: How many records this side has.
        other_records: How many the other has.
        together: How many this side has together with everything that it may be one with; None where unknown.
        firm: Whether what holds this side's records together holds whatever joins them: a link of the model may not.
        vetoed: Whether a veto stands between a record of the other side and one of this side, or of anything else that
            this side may be one with.
        others: How many further entities the other side may be one with.
        employs: Whether people work at the other side.
    """

    other: EntityId
    reason: str
    systems: frozenset[str] = frozenset()
    could_change: frozenset[str] | None = None
    resolution: dict[str, str] = field(default_factory=dict, hash=False)
    opted_out: bool | None = None
    own: tuple[str, ...] = ("unknown",)
    against: tuple[str, ...] = ("unknown",)
    records: int = 0
    other_records: int = 0
    together: int | None = None
    firm: bool = False
    vetoed: bool = True
    others: int = 1
    employs: bool = True


def matters(
    doubt: Doubt, entity: Entity, parameter: EntityParameter, contacts: Iterable[Contact], *, reads_people: bool
) -> bool:
    """Whether a decision on a doubt could change what an action reads of an entity.

    Args:
        doubt: The doubt.
        entity: The entity that a parameter refers to.
        parameter: What the action takes and reads of it.
        contacts: Every record's statement of the contact points that the action refers to.
        reads_people: Whether the action refers to a person, whose links rest on where they work among other things.
    """
    return (
        not stays(doubt)
        or doubt.could_change is None
        or bool(doubt.could_change & {*parameter.reads, OPTED_OUT})
        or doubt.opted_out is not entity.opted_out
        or any(_may_find(doubt, entity, system) for system in parameter.systems)
        or any(contact.entity_id == doubt.other for contact in contacts)
        or (doubt.employs and reads_people and entity.entity_type == "organisation")
    )


def stays(doubt: Doubt) -> bool:
    """Whether this side keeps its id, its records and its standing, however a doubt is decided.

    One that lacks standing may get it by any word on its records: a new firm link to a third record outweighs a rival.
    """
    return (
        doubt.reason in _MAY_PASS
        and not doubt.own
        and set(doubt.against) <= _HARMLESS
        and not doubt.others
        and not doubt.vetoed
        and doubt.records > doubt.other_records
        and doubt.together is not None
        and doubt.together <= _FEW
        and doubt.firm
    )


def _may_find(doubt: Doubt, entity: Entity, system: str) -> bool:
    """Whether what was found of an entity in a system could be another; where it is linked already, it is not."""
    found = entity.resolution.get(system)
    return found != "linked" and not (found == "absent" and doubt.resolution.get(system) == "absent")
