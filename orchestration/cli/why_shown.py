"""Why two records are one, and why an entity is what it is, as a person reads it in 100 characters a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from orchestration.cli.reading import headed, indented, plain, spoken, table
from orchestration.contracts import EntityId, RecordId
from orchestration.explanation import STATUSES, Step
from orchestration.graph.model import RECORD_TYPES
from orchestration.graph.rows import Crosswalk, Entity

_STYLES: Final = {"accepted": "green", "possible": "yellow", "ambiguous": "yellow", "vetoed": "red"}
_UNDONE: Final = (
    "The link was accepted and does not hold: what else hangs on one of them may not be one with the other."
)


@dataclass(frozen=True, slots=True)
class OfPair:
    """Two records, the names of their entities, what joins or parts them, and what each states."""

    one: Crosswalk
    other: Crosswalk
    names: Mapping[EntityId, str | None]
    steps: Sequence[Step]
    sides: tuple[Mapping[str, Any], Mapping[str, Any]]

    @property
    def same(self) -> bool:
        """Whether they are one entity."""
        return self.one.entity_id == self.other.entity_id


@dataclass(frozen=True, slots=True)
class Near:
    """Another entity, and the best link with it, which does not hold."""

    entity_id: EntityId
    name: str | None
    step: Step


@dataclass(frozen=True, slots=True)
class OfEntity:
    """An entity, its records by name, the links that hold them, and the entities that came nearest."""

    entity: Entity
    records: Mapping[RecordId, str | None]
    steps: Sequence[Step]
    near: Sequence[Near]


def render(told: OfPair | OfEntity) -> RenderableType:
    """What was asked, what was compared, and what decided."""
    return of_pair(told) if isinstance(told, OfPair) else _of_entity(told)


def of_pair(told: OfPair) -> RenderableType:
    """Two records."""
    one, other = told.one, told.other
    if told.same:
        head = (
            f"{one.record_id} and {other.record_id} are one entity: {told.names.get(one.entity_id)} ({one.entity_id})."
        )
    else:
        named = [f"{told.names.get(each.entity_id)} ({each.entity_id})" for each in (one, other)]
        head = f"{one.record_id} and {other.record_id} are two entities: {named[0]} and {named[1]}."
    return Group(
        Text(head),
        *_explained(told),
        side_by_side(one.record_id, other.record_id, *told.sides),
    )


def step_shown(step: Step, *, same: bool) -> RenderableType:
    """One compared pair: every comparison with its weight, the sum beside the thresholds, and what decided."""
    undone = step.status == "accepted" and not same
    verdict = Text(_UNDONE if undone else f"{STATUSES[step.status]}{_by(step)}.", style=_STYLES[step.status])
    lines: list[RenderableType] = [Text(f"{step.record_a} and {step.record_b}"), verdict]
    if step.reason and not undone:
        lines.append(Text(step.reason))
    shown = table("comparison", "agreement", "bits")
    shown.columns[2].justify = "right"
    if step.prior is not None:
        shown.add_row("start", "two records at random", f"{step.prior:+.1f}")
    for part in step.comparisons:
        level = f"{part.level}, but only a stranger says so" if part.weak else part.level
        shown.add_row(part.name, level, "" if part.weight is None else f"{part.weight:+.1f}")
    if step.match_weight is not None:
        shown.add_row("sum", _sum(step), f"{step.match_weight:+.1f}", style="bold")
    return Group(*lines, *([indented(shown)] if shown.row_count else []))


def side_by_side(record_a: str, record_b: str, first: Mapping[str, Any], second: Mapping[str, Any]) -> RenderableType:
    """What two records state, field by field; what differs stands out."""
    shown = table("", record_a, record_b)
    names = dict.fromkeys(name for shape in RECORD_TYPES.values() for name in shape.names)
    for name in names:
        one, other = plain(first.get(name)), plain(second.get(name))
        if one or other:
            style = "yellow" if one and other and one != other else None
            shown.add_row(spoken(name), one, other, style=style)
    return headed("What they state", shown)


def _explained(told: OfPair) -> list[RenderableType]:
    if not told.steps:
        return [Text("They are one record." if told.same else "No rule brought them together to be compared.")]
    lead = "They were not compared with each other; these links join them:" if told.same and len(told.steps) > 1 else ""
    shown = [indented(Group(Text(""), step_shown(step, same=told.same))) for step in told.steps]
    return [*([Text(lead)] if lead else []), *shown]


def _of_entity(told: OfEntity) -> RenderableType:
    entity = told.entity
    count = len(told.records)
    head = (
        f"{entity.name} ({entity.entity_id}): {count} record{'s' if count > 1 else ''} in {', '.join(entity.systems)}."
    )
    records = table("record", "name")
    for record_id, name in told.records.items():
        records.add_row(record_id, name or "merged away by its source")
    held: RenderableType = Text("It is a single record.")
    if told.steps:
        held = Group(*_apart([step_shown(step, same=True) for step in told.steps]))
    near: RenderableType = Text("No other entity came near enough to be in doubt or to be kept apart.")
    if told.near:
        near = Group(
            *_apart(
                [
                    Group(Text(f"{one.name} ({one.entity_id})", style="bold"), step_shown(one.step, same=False))
                    for one in told.near
                ]
            )
        )
    return Group(
        Text(head),
        headed("Its records", records),
        headed("Why they are one", held),
        headed("Why not another", near),
    )


def _apart(parts: Sequence[RenderableType]) -> list[RenderableType]:
    """Parts with an empty line between them."""
    return [each for place, part in enumerate(parts) for each in ((Text(""), part) if place else (part,))]


def _by(step: Step) -> str:
    if step.rule == "alias":
        return ": the source's own merge"
    if step.status == "vetoed":
        return f", vetoed: {spoken(step.rule or '')}"
    return f": {spoken(step.rule)}" if step.rule else ""


def _sum(step: Step) -> str:
    against = [
        f"{name} from {weight:+.1f}"
        for name, weight in (("accepted", step.accept), ("in doubt", step.review))
        if weight is not None
    ]
    sure = [] if step.match_probability is None else [f"probability {step.match_probability:.4f}"]
    return ", ".join([*sure, *against])
