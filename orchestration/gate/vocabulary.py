"""What policies may speak of: the Cedar schema, made from the action types, and a request's values in its terms.

    principal   Agent          owner, use_case, stopped, action_types
    action      an action type
    resource    Organisation | Person: the action's first entity parameter; standing, systems, opted_out
    context     action_type, action_class, business_date, now, objections; what the core asks of every request:
                  credential     known, expired, revoked, scopes, and the one that is needed
                  window         open, and who declares those that are closed
                  residency      limited, allowed, the entities' countries, and whether one of an entity is unknown
                and one record or value for each parameter:
                  entity         standing, systems, opted_out, and the fields it reads, where known
                  fact           the fields it reads, where known
                  record         the fields it reads, as the record itself states them, where it does
                  contact point  value, asserted_by
                  literal        the value itself

Money is a Cedar `decimal`, a date or time a `datetime`. A field that no condition requires may be missing, and a
policy must ask `has` before it reads it: Cedar's validator refuses one that does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

from orchestration.action_parameters import (
    ContactPointParameter,
    EntityParameter,
    FactParameter,
    LiteralParameter,
    Parameter,
    RecordParameter,
)
from orchestration.action_types import ActionType
from orchestration.gate.known import Credential
from orchestration.gate.limits.windows import closed
from orchestration.gate.resolve import Case, fact_value
from orchestration.graph.model import FACTS, RECORD_TYPES, Shape
from orchestration.graph.rows import Entity
from orchestration.registry import AgentCard

_TYPES: Final[dict[str, str]] = {
    "money": "decimal",
    "integer": "Long",
    "boolean": "Bool",
    "date": "datetime",
    "birth_date": "datetime",
    "timestamp": "datetime",
    "identifiers": "Set<String>",
}
"""The Cedar type of a field's kind; every other kind is `String`."""
_LITERALS: Final[dict[str, str]] = {"integer": "Long", "boolean": "Bool", "choice": "String"}
Kinds = Mapping[str, Any]
"""The Cedar types of a record's attributes by their names; behind the name of one that may be missing is a `?`."""
_STATE: Final[Kinds] = {"standing": "String", "systems": "Set<String>", "opted_out": "Bool"}
_CONTEXT: Final[Kinds] = {
    "action_type": "String",
    "action_class": "String",
    "business_date": "datetime",
    "now": "datetime",
    "objections": "Set<String>",
    "credential": {"known": "Bool", "expired": "Bool", "revoked": "Bool", "scopes": "Set<String>", "needed": "String"},
    "window": {"open": "Bool", "closed": "Set<String>"},
    "residency": {"limited": "Bool", "allowed": "Set<String>", "countries": "Set<String>", "unknown": "Bool"},
}
"""What every request tells beside its parameters."""
REQUIRED: Final = frozenset(_CONTEXT)
ATTRIBUTES: Final[dict[str, frozenset[str]]] = {
    "Agent": frozenset({"owner", "use_case", "stopped", "action_types"}),
    **{name.capitalize(): frozenset({"standing", "systems", "opted_out"}) for name in RECORD_TYPES},
}
"""The attributes that an entity of each type has, every one of them."""
SCOPE: Final = "propose:"
"""What the scope of a credential begins with; the action type follows."""
_AS_IT_IS: Final = frozenset({str, bool, int})  # most of what there is: asked first, since it is cheap
_CENTS: Final = Decimal("0.0001")  # what a Cedar decimal holds


def schema(action_types: Iterable[ActionType], contexts: Mapping[str, Kinds] | None = None) -> str:
    """The Cedar schema of those action types.

    Args:
        action_types: What policies may speak of.
        contexts: Action type to what its requests tell; all that they tell, where it is not said.
    """
    resources = ", ".join(name.capitalize() for name in RECORD_TYPES)
    lines = [
        'entity Agent = { "owner": String, "use_case": String, "stopped": Bool, "action_types": Set<String> };',
        f"entity {resources} = {_written(_STATE)};",
    ]
    for action_type in action_types:
        told = contexts[action_type.name] if contexts else told_of(action_type)
        lines.append(
            f'action "{action_type.name}" appliesTo {{ principal: Agent, '
            f"resource: {resource_type(action_type)}, context: {_written(told)} }};"
        )
    return "\n".join(lines)


def told_of(action_type: ActionType) -> Kinds:
    """What a request of an action type tells."""
    known = {name: kind for name, each in action_type.parameters.items() if (kind := _type(each, action_type))}
    return {**_CONTEXT, **known}


def _written(kind: str | Kinds) -> str:
    """A type as a Cedar schema has it."""
    if isinstance(kind, str):
        return kind
    fields = (f'"{name.removesuffix("?")}"{"?" if name.endswith("?") else ""}' for name in kind)
    return (
        "{ " + ", ".join(f"{name}: {_written(each)}" for name, each in zip(fields, kind.values(), strict=True)) + " }"
    )


def resource_type(action_type: ActionType) -> str:
    """The Cedar type of an action's first entity parameter."""
    return action_type.entities[action_type.subject].type.capitalize()


def principal(card: AgentCard, *, stopped: bool) -> dict[str, Any]:
    """An agent as a Cedar entity."""
    attributes = {
        "owner": card.owner,
        "use_case": card.use_case,
        "stopped": stopped,
        "action_types": sorted(card.action_types),
    }
    return {"uid": {"type": "Agent", "id": card.name}, "attrs": attributes, "parents": []}


def resource(action_type: ActionType, entity: Entity) -> dict[str, Any]:
    """An action's first entity as a Cedar entity."""
    uid = {"type": resource_type(action_type), "id": entity.entity_id}
    return {"uid": uid, "attrs": _state(entity), "parents": []}


def context(case: Case, card: AgentCard, now: datetime) -> dict[str, Any]:
    """What a request tells policies; a parameter that resolved to nothing is missing."""
    action_type, found = case.action_type, case.found
    told: dict[str, Any] = {
        "action_type": action_type.name,
        "action_class": action_type.action_class,
        "business_date": _cedar(case.ask.business_date),
        "now": _cedar(now),
        "credential": _credential(case),
        "window": _window(case, card, now),
        "residency": _residency(case, card),
        "objections": sorted({reason.code for reason in case.objections}),
        **found.literals,
    }
    for name, entity in found.entities.items():
        golden = case.graph.goldens.get(entity.entity_id, {})
        fields = {field: golden[field].value for field in action_type.entities[name].reads if field in golden}
        told[name] = _state(entity) | {field: _cedar(value) for field, value in fields.items()}
    for name, fact in found.facts.items():
        values = {field: fact_value(fact, field) for field in action_type.facts[name].reads}
        told[name] = {field: _cedar(value) for field, value in values.items() if value is not None}
    for name, record in found.records.items():
        told[name] = {field: _cedar(value) for field, value in record.fields.items() if value is not None}
    for name, stated in found.contacts.items():
        told[name] = {"value": stated[0].value, "asserted_by": sorted({contact.asserted_by for contact in stated})}
    return told


def _credential(case: Case) -> dict[str, Any]:
    held = case.ask.credential
    said = held or Credential()
    return {
        "known": held is not None,
        "expired": said.expired,
        "revoked": said.revoked,
        "scopes": sorted(said.scopes),
        "needed": f"{SCOPE}{case.action_type.name}",
    }


def _window(case: Case, card: AgentCard, now: datetime) -> dict[str, Any]:
    declared = ((card.name, card.windows), (case.action_type.name, case.action_type.windows))
    countries, unknown = _countries(case)
    shut = closed(declared, frozenset() if unknown else countries, now)
    return {"open": not shut, "closed": shut}


def _residency(case: Case, card: AgentCard) -> dict[str, Any]:
    countries, unknown = _countries(case)
    allowed = sorted(card.residency or ())
    limited = card.residency is not None
    return {"limited": limited, "allowed": allowed, "countries": sorted(countries), "unknown": unknown}


def _countries(case: Case) -> tuple[frozenset[str], bool]:
    """Every country of every entity, and whether there is an entity of which none is known."""
    stated = [case.graph.countries.get(entity.entity_id, frozenset()) for entity in case.found.entities.values()]
    return frozenset().union(*stated), not all(stated)


def _type(parameter: Parameter, action_type: ActionType) -> str | Kinds | None:
    match parameter:
        case RecordParameter():
            return _record(RECORD_TYPES[action_type.entities[parameter.of].type], parameter.reads, frozenset())
        case EntityParameter():
            return {**_STATE, **_record(RECORD_TYPES[parameter.type], parameter.reads, frozenset())}
        case FactParameter():
            required = frozenset(condition.field for condition in parameter.requires)
            return _record(FACTS[parameter.type], parameter.reads, required)
        case ContactPointParameter():
            return {"value": "String", "asserted_by": "Set<String>"}
        case LiteralParameter():
            return _LITERALS[parameter.type]
        case _:
            return None  # a relationship either holds or is an objection


def _record(shape: Shape, reads: Iterable[str], required: frozenset[str]) -> Kinds:
    return {f"{name}{'' if name in required else '?'}": _TYPES.get(shape.field(name).kind, "String") for name in reads}


def _state(entity: Entity) -> dict[str, Any]:
    opted_out = entity.opted_out is not False
    return {"standing": entity.standing, "systems": sorted(entity.systems), "opted_out": opted_out}


def _cedar(value: Any) -> Any:  # noqa: ANN401  whatever the graph holds
    if type(value) in _AS_IT_IS:
        return value
    match value:
        case Decimal():
            exact = value.quantize(_CENTS, rounding=ROUND_HALF_EVEN)
            return {"__extn": {"fn": "decimal", "arg": format(exact, "f")}}
        case datetime():
            moment = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            return {"__extn": {"fn": "datetime", "arg": moment}}
        case date():
            return {"__extn": {"fn": "datetime", "arg": value.isoformat()}}
        case list() | tuple():
            return [_cedar(each) for each in value]
        case _:
            return value
