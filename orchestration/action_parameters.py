"""What an action type's parameters can be: entity, fact, record, relationship, contact point or bounded literal.

Here a declaration is checked against the shapes of records; whether a value names anything is asked of the graph, in
`gate/resolve.py`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from orchestration.contracts import Contract
from orchestration.declarations import Name
from orchestration.graph.model import FACTS, RECORD_TYPES, Shape

System = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")]
Relation = Literal["known", "equal_to", "above", "below", "before", "after"]

BUSINESS_DATE: Final = "business_date"
"""What stands in a condition's `value` for the day that a batch acts on."""
FEWEST_SYSTEMS: Final = 2
_COMPARABLE: Final[dict[str, frozenset[str]]] = {
    "above": frozenset({"money", "integer"}),
    "below": frozenset({"money", "integer"}),
    "before": frozenset({"date", "birth_date"}),
    "after": frozenset({"date", "birth_date"}),
}
"""Relation to the kinds of fields that have an order of that sort."""


class Condition(Contract):
    """What a field of a fact must be; a value that is not known fails every one of them."""

    field: Name
    relation: Relation = Field(alias="is")
    value: bool | int | Decimal | str | None = None
    reason: Name | None = None
    """The objection's code where the value is known and does not hold."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.relation != "known" and (self.value is None or self.reason is None):
            raise ValueError("`value` and `reason` beside `is`, unless it is `known`")
        return self


class EntityParameter(Contract):
    """An entity id."""

    kind: Literal["entity"]
    type: Name
    linked: tuple[System, ...] = Field(min_length=1)
    """Systems that must have a record of it."""
    searched: tuple[System, ...] = ()
    """Systems in which it is linked, or was searched for with no plausible candidate left."""
    reads: tuple[Name, ...] = ()
    """Fields of its golden record that the decision rests on."""

    @property
    def systems(self) -> frozenset[str]:
        """Every system that the parameter names."""
        return frozenset(self.linked) | frozenset(self.searched)

    @model_validator(mode="after")
    def _resolved_in_two(self) -> Self:
        if both := set(self.linked) & set(self.searched):
            raise ValueError(f"each system under `linked` or `searched`, not both (found {', '.join(sorted(both))})")
        if len(self.systems) < FEWEST_SYSTEMS:
            raise ValueError("at least two systems under `linked` and `searched` together")
        if self.type not in RECORD_TYPES:
            raise ValueError(f"a `type` among {', '.join(RECORD_TYPES)}")
        known_fields(RECORD_TYPES[self.type], self.reads)
        return self


class FactParameter(Contract):
    """A fact's record id; the fact must belong to the entity that another parameter names."""

    kind: Literal["fact"]
    type: Name
    of: Name
    system: System
    reads: tuple[Name, ...] = ()
    requires: tuple[Condition, ...] = ()

    @model_validator(mode="after")
    def _reads_what_it_requires(self) -> Self:
        if self.type not in FACTS:
            raise ValueError(f"a `type` among {', '.join(FACTS)}")
        known_fields(FACTS[self.type], self.reads)
        if unread := [condition.field for condition in self.requires if condition.field not in self.reads]:
            raise ValueError(f"under `reads` every field that `requires` names (missing {', '.join(unread)})")
        for condition in self.requires:
            kind = FACTS[self.type].field(condition.field).kind
            if kind not in _COMPARABLE.get(condition.relation, {kind}):
                raise ValueError(f"`{condition.field}` to be a field that can be {condition.relation} something")
        return self


class RecordParameter(Contract):
    """A record of an entity as one system states it, by its record id: what a correction is written to."""

    kind: Literal["record"]
    of: Name
    system: System
    reads: tuple[Name, ...] = ()
    """Fields of the record itself, which the golden record may say otherwise."""
    differs: tuple[Name, ...] = ()
    """Fields that it must state otherwise than the golden record does: where none does, there is nothing to correct."""

    @model_validator(mode="after")
    def _reads_what_differs(self) -> Self:
        if unread := [name for name in self.differs if name not in self.reads]:
            raise ValueError(f"under `reads` every field that `differs` names (missing {', '.join(unread)})")
        return self


class RelationshipParameter(Contract):
    """What must hold between two entity parameters; an agent supplies no value for it."""

    kind: Literal["relationship"]
    type: Literal["works_at", "parent_of"]
    source: Name = Field(alias="from")
    target: Name = Field(alias="to")


class ContactPointParameter(Contract):
    """A mailbox or number that a trusted record of an entity states."""

    kind: Literal["contact_point"]
    channel: Literal["email", "phone"]
    of: Name
    asserted_by: tuple[Literal["verified", "staff"], ...] = Field(default=("verified", "staff"), min_length=1)


class LiteralParameter(Contract):
    """A bounded value of the agent's own."""

    kind: Literal["literal"]
    type: Literal["integer", "boolean", "choice"]
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.type == "integer" and (self.minimum is None or self.maximum is None or self.minimum > self.maximum):
            raise ValueError("an integer between a `minimum` and a `maximum`")
        if self.type == "choice" and not self.choices:
            raise ValueError("the `choices` there are")
        return self


Parameter = Annotated[
    EntityParameter
    | FactParameter
    | RecordParameter
    | RelationshipParameter
    | ContactPointParameter
    | LiteralParameter,
    Field(discriminator="kind"),
]


def known_fields(shape: Shape, names: tuple[str, ...]) -> None:
    """Refuse fields that a record or fact does not have."""
    if unknown := [name for name in names if name not in shape.names]:
        raise ValueError(f"fields of {shape.name} (found {', '.join(unknown)}; there are {', '.join(shape.names)})")
