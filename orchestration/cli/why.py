"""`precede why`: why two records are one entity, or are not."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from orchestration.cli.reading import AsJson, Paper, headed, indented, plain, print_json, reading_graph, spoken, table
from orchestration.errors import NotFound
from orchestration.graph.model import RECORD_TYPES
from orchestration.graph.reader import EntityGraph
from orchestration.graph.rows import Crosswalk

Step = dict[str, Any]
_AGAINST: Final = {"vetoed": "may not be linked", "possible": "may be one", "ambiguous": "have equals"}


def why(
    record_a: Annotated[str, typer.Argument(help="A record's id, system:table:key.")],
    record_b: Annotated[str, typer.Argument(help="Another record's id.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show why two records are one entity, or are not.

    Where the two were compared, that comparison is shown; else the shortest chain of accepted links that joins them.
    """
    with reading_graph() as graph:
        first, second = _entity_of(graph, record_a), _entity_of(graph, record_b)
        steps = graph.why(record_a, record_b)
        sides = graph.record(record_a) or {}, graph.record(record_b) or {}
        names = {one.entity_id: one.name for one in graph.entities({first.entity_id, second.entity_id}).values()}
    same = first.entity_id == second.entity_id
    if as_json:
        print_json(
            {
                "record_a": record_a,
                "record_b": record_b,
                "entity_a": first.entity_id,
                "entity_b": second.entity_id,
                "same_entity": same,
                "steps": steps,
            }
        )
        return
    out = Paper()
    if same:
        out.print(f"{record_a} and {record_b} are one entity: {names.get(first.entity_id)} ({first.entity_id}).")
    else:
        out.print(f"{record_a} and {record_b} are two entities: {_named(first, names)} and {_named(second, names)}.")
    out.print(_explained(steps, same=same))
    out.print(_side_by_side(record_a, record_b, *sides))


def _entity_of(graph: EntityGraph, record_id: str) -> Crosswalk:
    found = graph.crosswalk(record_id)
    if found is None:
        raise NotFound(
            f"No record of an organisation or a person has the id {record_id!r}; needed one such as crm:company:12; "
            "look it up with `precede find`, or list an entity's records with `precede show`."
        )
    return found


def _named(record: Crosswalk, names: dict[Any, str | None]) -> str:
    return f"{names.get(record.entity_id)} ({record.entity_id})"


def _explained(steps: list[Step], *, same: bool) -> RenderableType:
    if not steps:
        return Text("No rule brought them together to be compared." if not same else "They are one record.")
    if same and len(steps) > 1:
        lead = "They were not compared with each other; these links join them:"
    elif same:
        lead = "They were compared:"
    else:
        lead = f"They were compared, and {_AGAINST.get(steps[0]['status'], 'are kept apart')}:"
    shown = table("records", "verdict", "by", "probability", "what agrees")
    for step in steps:
        verdict = f"vetoed: {spoken(step['veto'])}" if step["veto"] else step["status"]
        probability = "" if step["match_probability"] is None else f"{step['match_probability']:.4f}"
        agreement = "\n".join(f"{spoken(name)}: {level}" for name, level in _levels(step).items())
        pair = Text(f"{step['record_a']}\n{step['record_b']}")
        shown.add_row(pair, verdict, _by(step), probability, agreement)
    return Group(Text(lead), indented(shown))


def _by(step: Step) -> str:
    if step["tier"] == "alias":
        return "the source's own merge"
    if step["tier"]:
        return spoken(step["tier"])
    return "model" if step["match_probability"] is not None else ""


def _levels(step: Step) -> dict[str, str]:
    """What was compared, and how far it agrees; what one of the records does not state is left out."""
    stated = step["comparisons"] if isinstance(step["comparisons"], dict) else {}
    return {name: _level(level) for name, level in stated.items() if level is not None}


def _level(stated: Any) -> str:  # noqa: ANN401  a level, or one with its weight
    if not isinstance(stated, dict):
        return plain(stated)
    told = plain(stated.get("level"))
    told += f" ({stated['weight']:+.1f})" if stated.get("weight") is not None else ""
    return f"{told}, but a stranger says so" if stated.get("weak") else told


def _side_by_side(record_a: str, record_b: str, first: dict[str, Any], second: dict[str, Any]) -> RenderableType:
    """What the two records state, field by field."""
    shown = table("", record_a, record_b)
    names = dict.fromkeys(name for shape in RECORD_TYPES.values() for name in shape.names)
    for name in names:
        one, other = plain(first.get(name)), plain(second.get(name))
        if one or other:
            style = "yellow" if one and other and one != other else None
            shown.add_row(spoken(name), one, other, style=style)
    return headed("What they state", shown)
