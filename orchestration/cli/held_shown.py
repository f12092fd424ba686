"""What is in review, as a person reads it: what sources and agents state stands in quotation marks."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from orchestration.cli.reading import headed, indented, plain, spoken, table
from orchestration.identity.person import Person

_STYLES: Final = {"waiting": "yellow", "approved": "green", "void": "red", "rejected": "red"}
_HIDDEN: Final = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
"""Kinds of characters that are not seen, or turn what is seen around."""
_CELLS: Final = 8
_EMPTY: Final[tuple[object, ...]] = (None, "", [])
Row = Mapping[str, Any]


def quoted(value: object) -> str:
    """A value of somebody else's, never to be taken for a word of ours: text in quotation marks, on one line."""
    if not isinstance(value, str):
        return plain(value)
    written = json.dumps(value, ensure_ascii=False)
    return "".join(f"\\u{ord(each):04x}" if unicodedata.category(each) in _HIDDEN else each for each in written)


def called(state: str) -> str:
    """What a state of the queue is called."""
    return "in review" if state == "waiting" else state


def listed(found: Sequence[Row], names: Mapping[str, str]) -> RenderableType:
    """What is or was in review, one proposal a line; `names` are those of entities, as the current graph has them."""
    if not found:
        return Text("Nothing is in review.")
    made = table("proposal", "in review since", "state", "about", whole=("proposal",))
    for row in found:
        whom = quoted(names[row["entity_id"]]) if names.get(row["entity_id"]) else row["entity_id"]
        about = Text(f"{spoken(row['action_type'])} to {whom} ({row['agent']})")
        author = f", edited by {quoted(row['edited_by'])}" if row["edited_by"] else ""
        again = f", revision {row['revision']}" if row["revision"] else ""
        about.append(f"\nsent to review by {', '.join(row['policies'])}{author}{again}", style="dim")
        for reason in row["reasons"]:
            about.append(f"\n{spoken(reason['code'])}: {reason['detail']}", style="yellow")
        if row["postponed"]:
            about.append(f"\nnot yet: {spoken(row['postponed'])}", style="yellow")
        state = Text(called(row["state"]), style=_STYLES.get(row["state"], ""))
        made.add_row(row["action"], plain(row["held_at"]), state, about)
    return made


def parts(told: Row) -> Iterator[RenderableType]:
    """One proposal from what matters first: what would happen, why a person is asked, whom it is about, by what."""
    yield headed(f"{spoken(told['action_type'])} {told['action']}: {called(told['state'])}", _proposed(told))
    effect = told["effect"]
    call = table("", "")
    call.show_header = False
    for name, value in (effect.get("arguments") or {}).items():
        call.add_row(name, quoted(value))
    call.add_row("effect key", quoted(effect.get("effect_key")))
    yield headed(f"What would happen: {effect.get('server')}/{effect.get('tool')}", call)
    yield headed("Why a person is asked", _why(told))
    yield headed("Entities", _entities(told))
    yield headed("Conflicts", _conflicts(told))
    yield headed(f"{len(told['source_rows'])} source rows behind it", _source_rows(told))
    if told["said"]:
        yield headed("What was said", _said(told))


def _proposed(told: Row) -> RenderableType:
    made = table("", "")
    made.show_header = False
    by = f"{quoted(told['edited_by'])}, in the place of {told['edited_from']}" if told["edited_by"] else told["agent"]
    made.add_row("proposed by", f"{by} at {_time(told['proposed_at'])}")
    made.add_row("it says", quoted(told["rationale"]))
    for name, value in told["arguments"].items():
        made.add_row(name, quoted(value))
    if told["revision"]:
        made.add_row(f"revision {told['revision']}", f"after the note {quoted(told['note_before'])}")
    return made


def _why(told: Row) -> RenderableType:
    lines = [Text(f"{one['policy']} asks for a person's consent; it saw {_facts(one['facts'])}") for one in told["why"]]
    lines += [Text(f"{spoken(one['code'])}: {one['detail']}", style="yellow") for one in told["reasons"]]
    return Group(*lines)


def _facts(facts: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {quoted(value)}" for name, value in facts.items()) or "no fact"


def _entities(told: Row) -> RenderableType:
    kept = told["entities"]
    if not kept.get("entities"):
        return Text("What it rested on is not kept any more.", style="red")
    made: list[RenderableType] = []
    for entity in kept["entities"]:
        made.append(Text(f"{quoted(entity['name'])}, {entity['entity_type']} {entity['entity_id']}", style="bold"))
        records = [one["record_id"] for one in kept["crosswalk"] if one["entity_id"] == entity["entity_id"]]
        golden = table("field", "value", "from")
        for name, one in kept["golden"].get(entity["entity_id"], {}).items():
            if one["value"] not in _EMPTY:
                golden.add_row(spoken(name), quoted(one["value"]), one["record"] or "")
        made += [Text(f"{spoken(entity['standing'])}, of {', '.join(records)}"), indented(golden)]
    return Group(*made)


def _conflicts(told: Row) -> RenderableType:
    found = told["conflicts"]
    if found is None:
        return Text("There is no graph: whether records disagree is not known.", style="red")
    if not found:
        return Text("Its records agree.")
    made = table("field", "says", "and says")
    for one in found:
        both = (f"{one[f'record_{side}']}: {quoted(one[f'value_{side}'])}" for side in ("a", "b"))
        made.add_row(spoken(one["field"]), *both, style="yellow")
    return made


def _source_rows(told: Row) -> RenderableType:
    made = table("record", "row")
    for row in told["source_rows"]:
        stated = [
            f"{name}={quoted(value)}" for name, value in (row.get("row") or {}).items() if value not in {None, ""}
        ]
        rest = f" and {len(stated) - _CELLS} more" if len(stated) > _CELLS else ""
        made.add_row(row["record_id"], ", ".join(stated[:_CELLS]) + rest)
    return made


def _time(at: str) -> str:
    return plain(datetime.fromisoformat(at))


def _said(told: Row) -> RenderableType:
    made = table("at", "who", "what", "note")
    for one in told["said"]:
        ended = f", void: {spoken(one['void_code'])}" if one["void_code"] else ", used" if one["consumed_at"] else ""
        made.add_row(_time(one["at"]), quoted(one["person"]), f"{one['verdict']}{ended}", quoted(one["note"]))
    return made


def kept(showing: str | None, person: Person | None, told: Row) -> Text:
    """What was kept of this look."""
    if showing is not None and person is not None:
        return Text(f"\nIt is kept that {person.name} was shown this ({showing}).", style="dim")
    if person is None and told["state"] == "waiting":
        return Text("\nNobody is identified: this look is not kept, and nobody can answer on it.", style="yellow")
    return Text("")


def approved(row: Row) -> str:
    """What was kept of a consent."""
    return (
        f"{row['action']} is approved, says {row['person']} ({row['approval_id']}), until {plain(row['expires_at'])}. "
        "The next run performs it once: `precede run`."
    )


def edited(row: Row, new: str) -> str:
    """What was kept of an edit."""
    return (
        f"{new} takes the place of {row['action']}, says {row['person']} ({row['approval_id']}). The gate decides it "
        "in the next run: `precede run`."
    )


def rejected(row: Row, batch_id: str | None) -> str:
    """What was kept of a rejection."""
    back = f"It goes back to the agent in batch {batch_id}." if batch_id else "The agent may not revise it any more."
    return f"{row['action']} is rejected, says {row['person']} ({row['approval_id']}). {back}"
