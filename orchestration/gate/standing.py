"""Standing: facts in, every objection out. Unknown blocks.

The clauses that do not depend on the action come from the graph (`entity.standing_reasons`); this module adds those
that do: the systems the action type names, the fields and facts it reads, the age of its sources, and objections.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from orchestration.action_parameters import BUSINESS_DATE, Condition, EntityParameter
from orchestration.action_types import ActionType
from orchestration.contracts import GRAPH_ASSET, EntityId, Reason
from orchestration.gate.doubts import Doubt, matters, stays
from orchestration.gate.known import GraphFacts, StoreFacts
from orchestration.gate.limits.touch import contact_subject, entity_subjects
from orchestration.gate.resolve import Resolution, fact_value
from orchestration.graph.rows import Entity, Fact

PASSED: Final = "passed"
_CLOCKS_DIFFER_BY: Final = timedelta(minutes=5)
TRUSTED: Final = frozenset({"verified", "staff"})


def standing(  # noqa: PLR0913  a decision rests on that many things
    action_type: ActionType,
    found: Resolution,
    graph: GraphFacts,
    store: StoreFacts,
    *,
    business_date: date,
    now: datetime,
    common: Sequence[Reason] | None = None,
) -> list[Reason]:
    """Every clause of standing that fails, for what a proposal resolved to.

    Args:
        action_type: What it takes.
        found: What the proposal refers to.
        graph: What the current snapshot says.
        store: What the store says of that snapshot and the sources, now.
        business_date: The day that the batch acts on.
        now: The time, with its zone.
        common: Those that fail for every proposal of the action type, where they were asked already.
    """
    reasons = list(of_all(action_type, graph, store, now) if common is None else common)
    for name, entity in found.entities.items():
        reasons += _entity(action_type.entities[name], entity, graph)
        reasons += _doubts(action_type, name, entity, found, graph)
    reasons += _doubts_of_owners(found, graph)
    for name, fact in found.facts.items():
        for condition in action_type.facts[name].requires:
            reasons += _condition(condition, fact, business_date)
    if action_type.action_class == "external":
        reasons += _objections(action_type, found, graph)
        reasons += _recorded(found, graph, store.objections) if store.objections else ()
    return sorted(set(reasons), key=lambda reason: (reason.code, reason.subject, reason.detail))


def of_all(action_type: ActionType, graph: GraphFacts, store: StoreFacts, now: datetime) -> list[Reason]:
    """Every clause of standing that fails for whatever a proposal of an action type refers to."""
    return [*_snapshot(graph, store), *_fresh(action_type, graph, store, now)]


def _snapshot(graph: GraphFacts, store: StoreFacts) -> Iterator[Reason]:
    snapshot = graph.snapshot
    if snapshot.snapshot_id != store.snapshot_id:
        yield Reason(code="not_current", subject=snapshot.snapshot_id, detail="Another snapshot is the current one.")
    for name, result in {**snapshot.checks, **store.checks}.items():
        if result != PASSED or snapshot.checks.get(name) != store.checks.get(name):
            yield Reason(code="failed_check", subject=name, detail=f"The blocking check {name} did not pass.")
    if not snapshot.checks or not store.checks:
        yield Reason(code="failed_check", detail="No blocking check of the snapshot is known to have passed.")
    pin = store.pin
    if pin is None or not pin.run_id or pin.data_version != snapshot.snapshot_id or pin.asset_key != GRAPH_ASSET:
        detail = "No materialisation by a run of ours is known that made the snapshot."
        yield Reason(code="no_pin", subject=GRAPH_ASSET, detail=detail)
    for pinned in snapshot.inputs:
        if pinned.storage_id is None or not pinned.run_id:
            detail = f"No materialisation by a run of ours is known of {pinned.asset_key}."
            yield Reason(code="no_pin", subject=pinned.asset_key, detail=detail)
    if not snapshot.inputs:
        yield Reason(code="no_pin", detail="The snapshot does not say what it was built from.")


def _fresh(action_type: ActionType, graph: GraphFacts, store: StoreFacts, now: datetime) -> Iterator[Reason]:
    for system in sorted(action_type.systems):
        sources = [source for source in graph.snapshot.sources if source.system == system]
        if not sources:
            yield Reason(code="stale_source", subject=system, detail=f"The snapshot holds nothing of {system}.")
        problems = {
            problem
            for source in sources
            if (problem := _stale(store, system, source.source_table, action_type.max_age[system], now))
        }
        if problems:
            yield Reason(code="stale_source", subject=system, detail=f"A table of {system} {min(problems)}.")


def _stale(store: StoreFacts, system: str, table: str, max_age: timedelta, now: datetime) -> str | None:
    mark = store.watermarks.get((system, table))
    if mark is None:
        return "was never read, as far as is known"
    if mark.read_at > now + _CLOCKS_DIFFER_BY:
        return "was read in the future: the clocks disagree"
    if now - mark.read_at > max_age:
        return f"was last read more than {max_age} ago"
    return None


def _entity(parameter: EntityParameter, entity: Entity, graph: GraphFacts) -> Iterator[Reason]:
    who = entity.entity_id
    for code in entity.standing_reasons:
        yield Reason(code=code, subject=who, detail=f"{who} has no standing in the graph: {code.replace('_', ' ')}.")
    if entity.standing != "reconciled" and not entity.standing_reasons:
        yield Reason(code="not_reconciled", subject=who, detail=f"{who} is not reconciled.")
    for system in parameter.linked:
        if entity.resolution.get(system) != "linked":
            yield Reason(code="not_linked", subject=system, detail=f"{who} has no record in {system}.")
    for system in parameter.searched:
        if entity.resolution.get(system) not in {"linked", "absent"}:
            detail = f"{who} has an undecided candidate in {system}, or was not searched for there."
            yield Reason(code="not_searched", subject=system, detail=detail)
    for field in sorted(graph.conflicts.get(who, frozenset()) & set(parameter.reads)):
        yield Reason(code="conflict", subject=who, detail=f"Records of {who} disagree on {field}.")


def _doubts(
    action_type: ActionType, name: str, entity: Entity, found: Resolution, graph: GraphFacts
) -> Iterator[Reason]:
    """Open review pairs that a decision on could change what is read."""
    parameter = action_type.entities[name]
    reads_people = any(each.type == "person" for each in action_type.entities.values())
    stated = [
        contact
        for point, each in found.contacts.items()
        for contact in graph.contacts.get((action_type.contact_points[point].channel, each[0].value), ())
    ]
    for doubt in graph.doubts.get(entity.entity_id, ()):
        if matters(doubt, entity, parameter, stated, reads_people=reads_people):
            yield _open(entity.entity_id, doubt)


def _doubts_of_owners(found: Resolution, graph: GraphFacts) -> Iterator[Reason]:
    """Open review pairs by which a fact could come to belong to an entity of another id, where no argument names it."""
    own = {entity.entity_id for entity in found.entities.values()}
    for fact in found.facts.values():
        for owner in {fact.entity_id, fact.person_entity_id} - own - {None}:
            yield from (_open(owner, doubt) for doubt in graph.doubts.get(str(owner), ()) if not stays(doubt))


def _open(who: EntityId | None, doubt: Doubt) -> Reason:
    detail = f"{who} and {doubt.other} may be one: {doubt.reason.replace('_', ' ')}."
    return Reason(code="open_review_pair", subject=str(who), detail=detail)


def _condition(condition: Condition, fact: Fact, business_date: date) -> Iterator[Reason]:
    value = fact_value(fact, condition.field)
    about = f"{condition.field.replace('_', ' ')} of {fact.record_id}"
    if value is None:
        yield Reason(code="unknown_value", subject=fact.record_id, detail=f"The {about} is unknown.")
    elif condition.field in fact.weak_fields:
        detail = f"Nobody accountable states the {about}."
        yield Reason(code="unproven_value", subject=fact.record_id, detail=detail)
    elif not _holds(condition, value, business_date):
        yield Reason(code=condition.reason or "unknown_value", subject=fact.record_id, detail=_unmet(condition, fact))


def _unmet(condition: Condition, fact: Fact) -> str:
    """In a sentence, what a condition asks for that is not so; never the value, which is somebody else's text."""
    field, wanted = condition.field.replace("_", " "), str(condition.value).replace("_", " ")
    if condition.value is True:
        return f"{fact.record_id} is not {field}, and must be."
    if condition.value is False:
        return f"{fact.record_id} is {field}, and must not be."
    relation = "" if condition.relation == "equal_to" else f"{condition.relation} "
    article = "the " if condition.value == BUSINESS_DATE else ""
    return f"The {field} of {fact.record_id} is not {relation}{article}{wanted}."


def _holds(condition: Condition, value: Any, business_date: date) -> bool:  # noqa: ANN401  a field of any kind
    wanted: Any = business_date if condition.value == BUSINESS_DATE else condition.value
    match condition.relation:
        case "known":
            return True
        case "equal_to":
            return type(value) is type(wanted) and bool(value == wanted)
        case "above" | "below":
            limit = Decimal(str(wanted))
            return bool(value > limit) if condition.relation == "above" else bool(value < limit)
        case "before" | "after":
            day = wanted if isinstance(wanted, date) else date.fromisoformat(str(wanted))
            return bool(value < day) if condition.relation == "before" else bool(value > day)


def _objections(action_type: ActionType, found: Resolution, graph: GraphFacts) -> Iterator[Reason]:
    """Who does not want to be contacted: the entities themselves, and whoever else has that contact point."""
    for entity in found.entities.values():
        if entity.opted_out is not False:
            detail = f"{entity.entity_id} objects to being contacted."
            yield Reason(code="opted_out", subject=entity.entity_id, detail=detail)
    own = {entity.entity_id for entity in found.entities.values()}
    for name, stated in found.contacts.items():
        channel = action_type.contact_points[name].channel
        for contact in graph.contacts.get((channel, stated[0].value), ()):
            holder = graph.entities.get(contact.entity_id)
            if contact.entity_id in own or contact.asserted_by not in TRUSTED:
                continue  # said above; or a stranger's word, which may not silence anybody else
            if holder is None or holder.opted_out is not False:
                detail = f"{contact.entity_id} has the same {channel} and objects to being contacted."
                yield Reason(code="opted_out", subject=contact.entity_id, detail=detail)
            for doubt in graph.doubts.get(contact.entity_id, ()):
                if doubt.opted_out is not False:  # who has it too may turn out to be somebody who objects
                    yield _open(contact.entity_id, doubt)


def _recorded(found: Resolution, graph: GraphFacts, objections: frozenset[str]) -> Iterator[Reason]:
    """Who objected to us: whoever has the entity's id, one of its records, or the contact point."""
    for entity in found.entities.values():
        records = [str(record.record_id) for record in graph.records.get(entity.entity_id, ())]
        if objections & entity_subjects(entity.entity_id, records):
            detail = f"An objection of {entity.entity_id} to being contacted is recorded."
            yield Reason(code="opted_out", subject=entity.entity_id, detail=detail)
    for name, stated in found.contacts.items():
        if contact_subject(stated[0].value) in objections:
            yield Reason(code="opted_out", subject=name, detail=f"An objection is recorded of that {name}.")
