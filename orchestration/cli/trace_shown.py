"""How `precede trace` shows an action: the chain in lines, or each part of it with what it says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from orchestration.cli.explained import DECIDED
from orchestration.cli.reading import meaning, plain, spoken, table, told
from orchestration.ledger.traced import ApprovalTrace, OutcomeTrace, Trace, UndoTrace

_BEGINNING: Final = 8
"""Characters of a run's id that a person is shown."""
_VERSION: Final = 32
"""Characters of a data version that a person is shown."""
_CELLS: Final = 6
"""Values of a source row that a person is shown; --json has them all."""


def spine(found: Trace) -> Iterator[tuple[str, object]]:
    """The chain from effect to source rows, a line each: what there is not is left out."""
    outcome, permit = found.outcome_detail, found.permit_detail
    yield "what", f"{spoken(found.action_type)}, {_whose(found)}"
    if outcome:
        written = f", written as {outcome.reference}" if outcome.reference else ""
        yield (
            "effect",
            f"{outcome.state} by {outcome.tool}{written}, {plain(outcome.settled_at or outcome.intended_at)}",
        )
    if permit:
        yield (
            "<- permit",
            f"{found.permit}, {f'used at {plain(permit.consumed_at)}' if permit.consumed_at else 'not used'}",
        )
    for said in found.approvals:
        into = f" into {said.edited_into}" if said.edited_into else ""
        void = f"; void since {plain(said.voided_at)}: {spoken(said.void_code or '')}" if said.voided_at else ""
        yield "<- approval", f"{said.verdict} by {said.person}{into}, {plain(said.at)}{void}"
    if found.decision:
        yield "<- decision", f"{found.decision} {_on(found)}, {plain(found.decided_at)}"
    yield "<- entity", "; ".join(_named(found)) or found.entity
    yield "<- snapshot", found.snapshot
    yield "<- source rows", ", ".join(str(row["record_id"]) for row in found.source_rows) or "none are kept"
    yield "in the ledger", ", ".join(f"{entry.seq} {spoken(entry.kind)}" for entry in found.ledger)


def _whose(found: Trace) -> str:
    """Who proposed it, and who edited it before."""
    if found.edited_from is None:
        return f"proposed by {found.agent}"
    return f"edited by {found.edited_by} out of {found.edited_from}, which {found.agent} proposed"


def _on(found: Trace) -> str:
    """By which policies it was decided so; for what else, where by none."""
    if found.policies:
        return f"by {', '.join(found.policies)}"
    return f"for {', '.join(dict.fromkeys(spoken(reason.code) for reason in found.reasons)) or 'no reason'}"


def _named(found: Trace) -> Iterator[str]:
    kept: dict[str, Any] = found.entities if isinstance(found.entities, dict) else {}
    for entity in kept.get("entities") or ():
        named = f"{entity['name']} ({entity['entity_id']})" if entity["name"] != entity["entity_id"] else entity["name"]
        yield f"{named}, {spoken(entity['standing'])}"


def told_always(found: Trace) -> Iterator[tuple[str, RenderableType]]:
    """What came of it since, and why it was not allowed."""
    if found.tainted:
        yield "Tainted", lines((("how", ", ".join(found.tainted)), ("see", "precede effects tainted")))
    for undo in found.undos:
        yield f"Taking back {undo.undo}: {undo.state}", lines(_undo(undo))
    if found.decision not in {None, "allow"}:
        yield f"Why it is {DECIDED[str(found.decision)]}", _reasons(found)
    if found.evidence_removed_at:
        yield "Evidence", _entities(found)


def parts(found: Trace) -> Iterator[tuple[str, RenderableType]]:
    """Each part of the chain with what it says: its title and its body."""
    yield "Proposal", lines(_proposed(found))
    if found.outcome_detail:
        yield f"Effect: {found.outcome}", lines(_outcome(found))
    if found.tainted:
        yield "Tainted", lines((("how", ", ".join(found.tainted)), ("see", "precede effects tainted")))
    for undo in found.undos:
        yield f"Taking back {undo.undo}: {undo.state}", lines(_undo(undo))
    if found.permit_detail:
        yield f"Permit {found.permit}", lines(_permit(found))
    for said in found.approvals:
        yield f"{said.verdict.capitalize()} {said.approval}", lines(_said(said))
    yield f"Decision: {found.decision or 'none yet'}", _decision(found)
    yield f"Entity {found.entity}", _entities(found)
    yield f"Snapshot {found.snapshot}", _materialisations(found)
    yield f"{len(found.source_rows)} source rows, as they were then", _source_rows(found)
    yield "Ledger", _ledger(found)


def _proposed(found: Trace) -> Iterator[tuple[str, object]]:
    yield "what", f"{spoken(found.action_type)}, {_whose(found)} at {plain(found.proposed_at)}"
    yield "with", found.arguments
    yield "because", found.rationale
    yield "in", f"batch {found.batch} for business date {found.business_date}"


def _outcome(found: Trace) -> Iterator[tuple[str, object]]:
    outcome = found.outcome_detail
    if outcome is None:
        return
    yield "tool", outcome.tool
    yield "called with", outcome.tool_arguments
    yield "effect key", outcome.effect_key
    yield from _written(outcome)


def _undo(undo: UndoTrace) -> Iterator[tuple[str, object]]:
    yield "by", undo.by and f"{undo.by} at {plain(undo.intended_at)}"
    yield "because", undo.reason
    yield "tool", undo.tool
    yield from _written(undo)


def _written(call: OutcomeTrace | UndoTrace) -> Iterator[tuple[str, object]]:
    """What a tool's call came to."""
    yield "written as", call.reference
    yield "detail", call.detail
    yield "settled at", call.settled_at
    yield "read back in", call.confirmed_record


def _permit(found: Trace) -> Iterator[tuple[str, object]]:
    permit = found.permit_detail
    if permit is None:
        return
    yield "issued at", permit.issued_at
    yield "expires at", permit.expires_at
    yield "used at", permit.consumed_at or "not used"


def _said(said: ApprovalTrace) -> Iterator[tuple[str, object]]:
    yield "by", f"{said.person} at {plain(said.at)}, shown it at {plain(said.shown_at)}"
    yield "note", said.note
    yield "edited into", said.edited_into
    yield "until", said.expires_at
    yield "used at", said.consumed_at
    yield "void", said.voided_at and f"{plain(said.voided_at)}: {spoken(said.void_code or '')}"


def _decision(found: Trace) -> RenderableType:
    said = lines((("decided at", found.decided_at), ("by policies", ", ".join(found.policies))))
    return Group(said, _reasons(found)) if found.reasons else said


def _reasons(found: Trace) -> RenderableType:
    reasons = table("reason", "what it means")
    for reason in found.reasons:
        reasons.add_row(told(reason), meaning(reason))
    return reasons


def _entities(found: Trace) -> RenderableType:
    """The entities that were acted on, with the records they were made of, as the evidence holds them."""
    kept: dict[str, Any] = found.entities if isinstance(found.entities, dict) else {}
    if found.evidence_removed_at:
        return Text(f"The evidence was removed after its time, at {plain(found.evidence_removed_at)}.")
    if not kept.get("entities"):
        return Text("No evidence is kept: nothing could be decided on it, or a person whom it names was erased since.")
    shown = table("entity", "standing", "records")
    for entity in kept["entities"]:
        name = f"{entity['name']}\n{entity['entity_type']} {entity['entity_id']}"
        records = [
            f"{one['record_id']} ({spoken(one['reason'])})"
            for one in kept.get("crosswalk", ())
            if one["entity_id"] == entity["entity_id"]
        ]
        shown.add_row(name, spoken(entity["standing"]), "\n".join(records))
    return shown


def _materialisations(found: Trace) -> RenderableType:
    if not found.materialisations:
        return Text("No materialisation is pinned.")
    shown = table("asset", "event", "run", "data version")
    for pin in found.materialisations:
        shown.add_row(pin.asset_key, str(pin.storage_id), pin.run_id[:_BEGINNING], pin.data_version[:_VERSION])
    return shown


def _source_rows(found: Trace) -> RenderableType:
    if not found.source_rows:
        return Text("None are kept.")
    shown = table("record", "row")
    for row in found.source_rows:
        stated = [f"{name}={value}" for name, value in (row.get("row") or {}).items() if value not in {None, ""}]
        rest = f" and {len(stated) - _CELLS} more" if len(stated) > _CELLS else ""
        completed = [f"completes {record}" for record in row.get("supports", ())]
        shown.add_row("\n".join([row["record_id"], *completed]), ", ".join(stated[:_CELLS]) + rest)
    return shown


def _ledger(found: Trace) -> RenderableType:
    shown = table("entry", "kind", "at", "")
    for entry in found.ledger:
        shown.add_row(str(entry.seq), spoken(entry.kind), plain(entry.at), "sound" if entry.sound else "EDITED")
    return shown


def sound(found: Trace) -> RenderableType:
    """Whether the store's rows about the action are what the ledger recorded."""
    edited = [f"Entry {entry.seq} ({spoken(entry.kind)}) was edited." for entry in found.ledger if not entry.sound]
    if not found.problems and not edited:
        return Text("\nThe store's rows about this action are what the ledger recorded.", style="green")
    return Group(Text(""), *(Text(problem, style="red") for problem in (*edited, *found.problems)))


def lines(pairs: Iterable[tuple[str, object]]) -> RenderableType:
    """A name and a value a line; what is empty is left out."""
    shown = table("", "")
    shown.show_header = False
    for name, value in pairs:
        if said := _short(value):
            shown.add_row(name, said)
    return shown


def _short(value: object) -> str:
    """A value in one cell."""
    if isinstance(value, dict):
        return ", ".join(f"{name}={_short(one)}" for name, one in value.items())
    return plain(value)
