"""An entity as a person reads it, in 100 characters a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from orchestration.cli.reading import headed, indented, plain, spoken, table
from orchestration.contracts import EntityId, RecordId, SnapshotId
from orchestration.graph.rows import Contact, Crosswalk, Entity, Fact, GoldenValue, Relationship

MEANINGS: Final = {
    "single_system": "it is resolved against one system alone",
    "ambiguous_link": "another record is as good a candidate as the one it is linked with",
    "vetoed_link": "a rule forbids a link that its records rest on",
    "unbelievable_cluster": "more records hang together than one thing can have",
}
"""What the reasons that the graph gives mean; a reason that is not here is told by its own name."""
STATES: Final = {"linked": "linked", "absent": "searched, not there", "open": "undecided"}
MOST: Final = 12
"""Lines of a list before the rest is counted."""
_TELLING: Final = {
    "invoice": ("number", "direction", "status", "amount_open", "currency", "due_on", "disputed"),
    "message": ("kind", "direction", "stage", "subject", "sent_at"),
}
_FIELDS: Final = 6
"""How many fields of another kind of fact are told."""
_CLEAR: Final = {"number", "status", "direction", "currency", "name", "subject", "kind"}
"""Fields whose value says by itself what it is."""


@dataclass(frozen=True, slots=True)
class Known:
    """All that a graph knows of an entity; `names` are those of the entities it is related to."""

    entity: Entity
    golden: Mapping[str, GoldenValue]
    records: Sequence[Crosswalk]
    record_names: Mapping[RecordId, str | None]
    contact_points: Sequence[Contact]
    relationships: Sequence[Relationship]
    names: Mapping[EntityId, str | None]
    conflicts: Sequence[dict[str, Any]]
    review_pairs: Sequence[dict[str, Any]]
    facts: Mapping[str, Sequence[Fact]]
    events: Sequence[dict[str, Any]]
    snapshot: SnapshotId


def render(known: Known, *, most_facts: int) -> RenderableType:
    """An entity from what matters first to its history; parts without content are left out."""
    parts = (
        ("", _head(known)),
        ("Golden record", _golden(known)),
        ("Conflicts", _conflicts(known)),
        ("Doubts", _doubts(known)),
        ("Records", _records(known)),
        ("Contact points", _contacts(known)),
        ("Relationships", _relationships(known)),
        ("Facts", _facts(known, most_facts)),
        ("History", _history(known)),
    )
    return Group(*(headed(title, body) if title else body for title, body in parts if body is not None))


def _head(known: Known) -> RenderableType:
    entity = known.entity
    lines = [Text.assemble((entity.name or "(no name)", "bold"), f"  {entity.entity_type}  {entity.entity_id}")]
    if entity.standing == "reconciled":
        lines.append(Text("reconciled", style="green"))
    else:
        lines.append(Text(spoken(entity.standing), style="yellow"))
        lines += [Text(f"  {spoken(reason)}: {_meaning(reason)}") for reason in entity.standing_reasons]
    where = ", ".join(f"{system} {STATES.get(state, state)}" for system, state in entity.resolution.items())
    lines.append(Text(f"{where}  (snapshot {known.snapshot})", style="dim"))
    if entity.opted_out:
        lines.append(Text("objects to being contacted", style="red"))
    return Group(*lines)


def _meaning(reason: str) -> str:
    return MEANINGS.get(reason, "see the glossary")


def _golden(known: Known) -> RenderableType | None:
    shown = table("field", "value", "from")
    for name, one in known.golden.items():
        shown.add_row(spoken(name), plain(one.value), one.record_id or "")
    return shown if known.golden else None


def _conflicts(known: Known) -> RenderableType | None:
    shown = table("field", "says", "and", "says")
    for one in known.conflicts:
        shown.add_row(
            spoken(one["field"]),
            f"{one['record_a']}: {one['value_a']}",
            "",
            f"{one['record_b']}: {one['value_b']}",
            style="yellow",
        )
    return shown if known.conflicts else None


def _doubts(known: Known) -> RenderableType | None:
    shown = table("reason", "ours", "theirs", "of", "probability")
    for one in known.review_pairs:
        ours, theirs = ("a", "b") if one["entity_a"] == known.entity.entity_id else ("b", "a")
        probability = "" if one["match_probability"] is None else f"{one['match_probability']:.3f}"
        records = one[f"record_{ours}"], one[f"record_{theirs}"]
        shown.add_row(spoken(one["reason"]), *records, one[f"entity_{theirs}"], probability)
    return shown if known.review_pairs else None


def _records(known: Known) -> RenderableType:
    shown = table("system", "record", "name", "why")
    for one in known.records:
        probability = f" {one.probability:.4f}" if one.reason == "model" and one.probability is not None else ""
        name = known.record_names.get(one.record_id)
        shown.add_row(one.record_id.split(":")[0], one.record_id, name or "", f"{spoken(one.reason)}{probability}")
    return shown


def _contacts(known: Known) -> RenderableType | None:
    shown = table("", "value", "asserted by", "in")
    for one in known.contact_points[:MOST]:
        shown.add_row(one.channel, one.value, one.asserted_by, one.record_id)
    return _with_rest(shown, len(known.contact_points)) if known.contact_points else None


def _relationships(known: Known) -> RenderableType | None:
    shown = table("", "", "entity", "says")
    for one in known.relationships[:MOST]:
        outward = one.from_entity == known.entity.entity_id
        other = one.to_entity if outward else one.from_entity
        kind = spoken(one.kind) if outward else f"<- {spoken(one.kind)}"
        shown.add_row(kind, known.names.get(other) or "", other, one.record_id)
    return _with_rest(shown, len(known.relationships)) if known.relationships else None


def _facts(known: Known, most: int) -> RenderableType | None:
    if not known.facts:
        return None
    lines: list[RenderableType] = []
    for kind, facts in known.facts.items():
        lines.append(Text(f"{len(facts):,} {spoken(kind)}{'s' if len(facts) > 1 else ''}"))
        shown = table("", "")
        shown.show_header = False
        for one in facts[:most]:
            shown.add_row(one.record_id, "  ".join(_told(one)))
        lines.append(indented(shown))
        if most and len(facts) > most:
            lines.append(Text(f"  and {len(facts) - most:,} more", style="dim"))
    return Group(*lines)


def _told(fact: Fact) -> Iterator[str]:
    """The fields of a fact that say most of it."""
    names = (
        _TELLING.get(fact.fact) or [name for name in fact.values if not name.endswith(("_key", "_record"))][:_FIELDS]
    )
    for name in names:
        value = fact.values[name]
        if value is not None and value is not False:
            yield plain(value) if name in _CLEAR else f"{spoken(name)} {plain(value)}"


def _history(known: Known) -> RenderableType | None:
    shown = table("when", "what", "in")
    for one in known.events:
        other = f" {one['other_entity_id']}" if one["other_entity_id"] else ""
        shown.add_row(plain(one["happened_at"]), f"{one['event']}{other}", one["snapshot_id"] or "")
    return shown if known.events else None


def _with_rest(shown: RenderableType, number: int) -> RenderableType:
    return Group(shown, Text(f"and {number - MOST:,} more", style="dim")) if number > MOST else shown
