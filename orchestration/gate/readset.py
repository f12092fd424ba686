"""The read set: every value that a decision rests on, and nothing that a republished graph may change without reason.

No snapshot id, no match weight, no time of reading: two graphs that say the same of what was read give the same
digest. A clause of standing that fails is part of it, so that standing lost since the decision voids the permit.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from orchestration.action_types import ActionType, fill
from orchestration.gate.resolve import Call, Case, Made, Values, fact_value, is_key, key_of

_AS_IT_IS: Final = frozenset({str, bool, int, type(None)})  # most of what there is: asked first, since it is cheap


def read_set(case: Case) -> dict[str, Any]:
    """What a decision rests on, as JSON values, by parameter."""
    ask, action_type, found = case.ask, case.action_type, case.found
    return {
        "trigger": {"entity": ask.woken_entity, "values": _plain(dict(ask.trigger_values))},
        "business_date": ask.business_date.isoformat(),
        "entities": {name: _entity(name, case) for name in found.entities},
        "facts": {name: _fact(name, case) for name in found.facts},
        **({"records": {name: _record(name, case) for name in found.records}} if action_type.records else {}),
        "relationships": {
            name: {"from": found.entity_id(each.source), "to": found.entity_id(each.target), "kind": each.type}
            for name, each in action_type.relationships.items()
            if found.relationships.get(name)
        },
        "contact_points": {
            name: {
                "entity": found.entity_id(action_type.contact_points[name].of),
                "value": stated[0].value,
                "asserted_by": sorted({contact.asserted_by for contact in stated}),
            }
            for name, stated in found.contacts.items()
        },
        "literals": dict(found.literals),
        "objections": sorted({str(reason) for reason in case.objections}),
    }


def tool_call(case: Case) -> Call | None:
    """The tool's arguments and the effect key, made from what the references resolved to.

    Returns:
        Neither, where a value that they need is missing.
    """
    return _made(case).call


def values_of(case: Case) -> Values:
    """What templates may name; a value that is not known is missing."""
    return _made(case).values


def _made(case: Case) -> Made:
    """What is made of a case, once."""
    made = case.found.made
    if made is None or made.action_type is not case.action_type or made.graph is not case.graph:
        values = _values(case)
        made = case.found.made = Made(case.action_type, case.graph, values, _call(case.action_type, values))
    return made


def _call(action_type: ActionType, values: Values) -> Call | None:
    try:
        arguments = {name: fill(template, values) for name, template in action_type.tool.arguments.items()}
        return arguments, str(fill(action_type.effect_key, values))
    except KeyError:
        return None


def _values(case: Case) -> Values:
    action_type, found = case.action_type, case.found
    values: Values = {(name, None): each for name, each in found.literals.items()}
    for name, entity in found.entities.items():
        values[(name, None)] = entity.entity_id
        golden = case.graph.goldens.get(entity.entity_id, {})
        for field in action_type.entities[name].reads:
            if field in golden:
                values[(name, field)] = _plain(golden[field].value)
    for name, stated in found.contacts.items():
        values[(name, None)] = stated[0].value
    for name, record in found.records.items():
        values |= {(name, None): record.record_id, (name, "record_id"): record.record_id}
        values |= {(name, "source_key"): record.source_key, (name, "system"): record.system}
        values |= {(name, field): _plain(each) for field, each in record.fields.items() if each is not None}
    for name, fact in found.facts.items():
        values |= {(name, None): fact.record_id, (name, "record_id"): fact.record_id}
        values |= {(name, "source_key"): fact.source_key, (name, "system"): fact.system}
        for field in action_type.facts[name].reads:
            value = fact_value(fact, field)
            if value is not None:
                values[(name, field)] = key_of(value) if is_key(fact.fact, field) else _plain(value)
    return values


def _entity(name: str, case: Case) -> dict[str, Any]:
    entity, parameter = case.found.entities[name], case.action_type.entities[name]
    golden = case.graph.goldens.get(entity.entity_id, {})
    return {
        "entity": entity.entity_id,
        "type": entity.entity_type,
        "standing": entity.standing,
        "resolution": {system: entity.resolution.get(system) for system in sorted(parameter.systems)},
        "opted_out": entity.opted_out,
        "fields": {field: _plain(golden[field].value) if field in golden else None for field in parameter.reads},
    }


def _record(name: str, case: Case) -> dict[str, Any]:
    record = case.found.records[name]
    return {"record": record.record_id, "fields": {field: _plain(each) for field, each in record.fields.items()}}


def _fact(name: str, case: Case) -> dict[str, Any]:
    fact = case.found.facts[name]
    fields = {field: _plain(fact_value(fact, field)) for field in case.action_type.facts[name].reads}
    return {"record": fact.record_id, "entity": fact.entity_id, "person": fact.person_entity_id, "fields": fields}


def _plain(value: Any) -> Any:  # noqa: ANN401  whatever the graph holds, as JSON holds it
    if type(value) in _AS_IT_IS:
        return value
    match value:
        case Decimal():
            return format(value, "f")
        case datetime() | date():
            return value.isoformat()
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case _:
            return value
