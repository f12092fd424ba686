"""Resolving a proposal's arguments against the graph: what each refers to, and every objection to it.

Pure: arguments and facts in, references and objections out. Whether what was found may be acted on is `standing`'s
question.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from orchestration.action_parameters import (
    ContactPointParameter,
    EntityParameter,
    FactParameter,
    LiteralParameter,
    RecordParameter,
)
from orchestration.action_types import ActionType
from orchestration.contracts import Arguments, EntityId, Reason, RecordId, Scalar
from orchestration.gate.known import Ask, GraphFacts
from orchestration.graph.model import FACTS
from orchestration.graph.rows import Contact, Entity, Fact, source_row_id

Value = str | int | bool
Values = dict[tuple[str, str | None], Value]
"""Parameter and field, or the parameter alone, to what a template has in its place."""
Call = tuple[dict[str, Value], str]
"""The tool's arguments, and the effect key."""
_ID: Final = re.compile(r"[A-Za-z0-9_:#./+-]{1,120}")


@dataclass(frozen=True, slots=True)
class StatedRecord:
    """A record of an entity, and what it states itself of the fields that are read."""

    record_id: RecordId
    system: str
    source_key: str
    fields: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Made:
    """What templates may name, and the call that they make of it; with what both were made of."""

    action_type: ActionType
    graph: GraphFacts
    values: Values
    call: Call | None


@dataclass(slots=True)
class Resolution:
    """What a proposal's parameters refer to, by name; a parameter that refers to nothing is missing and objected to."""

    entities: dict[str, Entity] = field(default_factory=dict)
    facts: dict[str, Fact] = field(default_factory=dict)
    records: dict[str, StatedRecord] = field(default_factory=dict)
    relationships: dict[str, tuple[RecordId, ...]] = field(default_factory=dict)
    contacts: dict[str, tuple[Contact, ...]] = field(default_factory=dict)
    """The records that state the contact point and may be trusted with it."""
    literals: dict[str, str | int | bool] = field(default_factory=dict)
    objections: list[Reason] = field(default_factory=list)
    made: Made | None = None
    """What templates come to, once somebody asked."""

    def object(self, code: str, subject: str, detail: str) -> None:
        """Note one objection."""
        self.objections.append(Reason(code=code, subject=subject[:200], detail=detail))

    def entity_id(self, name: str) -> EntityId | None:
        """The entity that a parameter refers to, if it refers to one."""
        return self.entities[name].entity_id if name in self.entities else None


@dataclass(frozen=True, slots=True)
class Case:
    """A proposal, what it takes, what it refers to and what speaks against it: what policy and the read set are of."""

    ask: Ask
    action_type: ActionType
    found: Resolution
    graph: GraphFacts
    objections: tuple[Reason, ...]


def resolve(ask: Ask, action_type: ActionType, facts: GraphFacts) -> Resolution:
    """What a proposal's arguments refer to in a snapshot."""
    found = Resolution()
    given = _arguments(ask, action_type, found)
    for name, parameter in action_type.entities.items():  # first: the others belong to them
        if name in given:
            _entity(name, parameter, given[name], facts, found)
    _rest(given, action_type, facts, found)
    _relationships(action_type, facts, found)
    if found.entities and ask.woken_entity not in {each.entity_id for each in found.entities.values()}:
        detail = f"The agent was woken for {ask.woken_entity}, and no argument names it."
        found.object("not_the_woken_entity", ask.woken_entity, detail)
    return found


def fact_value(fact: Fact, name: str) -> Any:  # noqa: ANN401  a field of any kind
    """A fact's field; for a source's own key, the record that it names."""
    return fact[f"{name.removesuffix('_key')}_record"] if is_key(fact.fact, name) else fact[name]


@cache
def is_key(fact: str, name: str) -> bool:
    """Whether a fact's field holds a source's own key of another record."""
    return FACTS[fact].field(name).refers_to is not None


def key_of(record_id: str) -> str:
    """The source's own key inside a record id, `system:table:key`."""
    return source_row_id(record_id).split(":", 2)[2]


def _arguments(ask: Ask, action_type: ActionType, found: Resolution) -> Arguments:
    wanted = action_type.arguments
    for name in sorted(ask.arguments.keys() - set(wanted)):
        found.object("unexpected_argument", _shown(name), f"{action_type.name} has no argument {_shown(name)}.")
    for name in wanted:
        if name not in ask.arguments:
            found.object("missing_argument", name, f"{action_type.name} needs the argument {name}.")
    return {name: ask.arguments[name] for name in wanted if name in ask.arguments}


def _entity(name: str, parameter: EntityParameter, value: Value, facts: GraphFacts, found: Resolution) -> None:
    entity = facts.entities.get(value) if isinstance(value, str) else None
    if entity is None:
        found.object("unknown_entity", _shown(value), f"The graph has no entity {_shown(value)}.")
    elif entity.entity_type != parameter.type:
        detail = f"{entity.entity_id} is a {entity.entity_type}; {name} takes a {parameter.type}."
        found.object("wrong_entity_type", entity.entity_id, detail)
    else:
        found.entities[name] = entity


def _rest(given: Arguments, action_type: ActionType, facts: GraphFacts, found: Resolution) -> None:
    for name, value in given.items():
        match action_type.parameters[name]:
            case FactParameter() as parameter:
                _fact(name, parameter, value, facts, found)
            case RecordParameter() as parameter:
                _record(name, parameter, value, facts, found)
            case ContactPointParameter() as parameter:
                _contact(name, parameter, value, facts, found)
            case LiteralParameter() as parameter:
                _literal(name, parameter, value, found)
            case _:
                pass


def _relationships(action_type: ActionType, facts: GraphFacts, found: Resolution) -> None:
    for name, parameter in action_type.relationships.items():
        source, target = found.entity_id(parameter.source), found.entity_id(parameter.target)
        if source is None or target is None:
            continue  # one end was objected to already
        found.relationships[name] = facts.relationships.get((parameter.type, source, target), ())
        if not found.relationships[name]:
            detail = f"No record says that {source} {parameter.type.replace('_', ' ')} {target}."
            found.object(f"not_{parameter.type}", source, detail)


def _fact(name: str, parameter: FactParameter, value: Value, facts: GraphFacts, found: Resolution) -> None:
    kind = parameter.type
    fact = facts.facts.get((kind, value)) if isinstance(value, str) else None
    if fact is None:
        found.object(f"unknown_{kind}", _shown(value), f"The graph has no {kind} {_shown(value)}.")
        return
    found.facts[name] = fact
    if fact.system != parameter.system:
        detail = f"{fact.record_id} stands in {fact.system}; {name} takes one of {parameter.system}."
        found.object(f"{kind}_of_another_system", fact.record_id, detail)
    owner = found.entity_id(parameter.of)
    if owner is not None and owner not in {fact.entity_id, fact.person_entity_id}:
        found.object(f"{kind}_of_another_entity", fact.record_id, f"{fact.record_id} does not belong to {owner}.")


def _record(name: str, parameter: RecordParameter, value: Value, facts: GraphFacts, found: Resolution) -> None:
    owner = found.entity_id(parameter.of)
    if owner is None:
        return  # whose it should be was objected to already
    stated = facts.stated.get(value) if isinstance(value, str) else None
    if stated is None or value not in {each.record_id for each in facts.records.get(owner, ())}:
        found.object("unknown_record", owner, f"{owner} has no record {_shown(value)}.")
        return
    system, record_id = str(stated["system"]), RecordId(str(value))
    fields = {each: stated[each] for each in parameter.reads}
    found.records[name] = StatedRecord(record_id, system, str(stated["source_key"]), fields)
    if system != parameter.system:
        detail = f"{record_id} stands in {system}; {name} takes one of {parameter.system}."
        found.object("record_of_another_system", record_id, detail)
    golden = facts.goldens.get(owner, {})
    differing = [each for each in parameter.differs if each in golden and golden[each].value != fields[each]]
    if parameter.differs and not differing:
        detail = f"{record_id} states of {', '.join(parameter.differs)} what is right, or nobody knows what is."
        found.object("nothing_to_correct", record_id, detail)


def _contact(name: str, parameter: ContactPointParameter, value: Value, facts: GraphFacts, found: Resolution) -> None:
    owner = found.entity_id(parameter.of)
    if owner is None:
        return  # whose it should be was objected to already
    stated = facts.contacts.get((parameter.channel, value), ()) if isinstance(value, str) else ()
    stated = tuple(contact for contact in stated if contact.entity_id == owner)
    trusted = tuple(contact for contact in stated if contact.asserted_by in parameter.asserted_by)
    if trusted:
        found.contacts[name] = trusted
    elif stated:
        by = ", ".join(sorted({contact.asserted_by for contact in stated}))
        found.object("unproven_contact_point", owner, f"Only {by} states that {parameter.channel} of {owner}.")
    else:
        found.object("unknown_contact_point", owner, f"No record of {owner} states that {parameter.channel}.")


def _literal(name: str, parameter: LiteralParameter, value: Value, found: Resolution) -> None:
    match parameter.type:
        case "integer":
            low, high = parameter.minimum or 0, parameter.maximum or 0
            good, needed = type(value) is int and low <= value <= high, f"a whole number from {low} to {high}"
        case "boolean":
            good, needed = type(value) is bool, "true or false"
        case "choice":
            good, needed = value in parameter.choices, f"one of {', '.join(parameter.choices)}"
    if good:
        found.literals[name] = value
    else:
        found.object("bad_argument", name, f"{name} takes {needed}.")


def _shown(value: Value) -> str:
    """An agent's value in a reason: an id as it is; anything else could be a person's, and stays out."""
    return value if isinstance(value, str) and _ID.fullmatch(value) else "of that name"
