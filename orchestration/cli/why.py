"""`precede why`: why two records are one entity, or are not; and why an entity is what it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from orchestration.cli import why_shown
from orchestration.cli.reading import AsJson, Paper, print_json, reading_graph
from orchestration.cli.show import meant
from orchestration.cli.why_shown import Near, OfEntity, OfPair
from orchestration.errors import ConfigurationError, NotFound
from orchestration.explanation import Step, between, explained, holding, nearest, spanning
from orchestration.graph.reader import EntityGraph
from orchestration.graph.rows import Crosswalk
from orchestration.judgements import record_of

_OTHERS: Final = 3
"""Other entities of which is told why not they."""


def why(
    first: Annotated[str, typer.Argument(metavar="A", help="An entity's or a record's id, or a text that means one.")],
    second: Annotated[
        str | None, typer.Argument(metavar="[B]", help="Another record's or entity's id, to compare the two.")
    ] = None,
    picture: Annotated[Path | None, typer.Option(help="An .svg file to draw the weights into.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show why two records are one entity or are not; or why an entity is what it is, and not the nearest other one.

    Each comparison with its weight in bits, from where two records start to the sum, beside the weights from which a
    link is accepted or in doubt; or the strong key or veto that decided, in words. Where the two were not compared, the
    shortest chain of accepted links that joins them.
    """
    if picture is not None and picture.suffix.lower() != ".svg":
        raise ConfigurationError("--picture", str(picture), "a file that ends in .svg")
    with reading_graph() as graph:
        told: OfPair | OfEntity = _of_entity(graph, first) if second is None else _of_pair(graph, first, second)
    if picture is not None:
        from orchestration.cli.waterfall import waterfall  # noqa: PLC0415  only who asks for a picture pays for it

        steps = _drawn(told)
        if not steps:
            raise NotFound("Nothing was weighed there; needed two records that were compared; leave --picture out.")
        picture.write_text(waterfall(steps, f"Why {first}{f' and {second}' if second else ''}"), encoding="utf-8")
    if as_json:
        print_json(_as_object(told))
        return
    Paper().print(why_shown.render(told))
    if picture is not None:
        Paper().print(f"\nDrawn into {picture}.")


def _of_pair(graph: EntityGraph, first: str, second: str) -> OfPair:
    one, other = _records(graph, first, second)
    steps = explained(graph, one.entity_type, graph.why(one.record_id, other.record_id))
    names = {found.entity_id: found.name for found in graph.entities({one.entity_id, other.entity_id}).values()}
    sides = graph.record(one.record_id) or {}, graph.record(other.record_id) or {}
    return OfPair(one, other, names, steps, sides)


def _records(graph: EntityGraph, first: str, second: str) -> tuple[Crosswalk, Crosswalk]:
    """The two records that are meant: of two entities, those of theirs that came nearest each other."""
    entities = graph.entities([first, second])
    if first in entities and second in entities and first != second:
        row = between(graph, first, second)
        if row is None:
            raise NotFound(
                f"No record of {first} came near one of {second}; needed two that were compared and are in doubt, "
                "joined or kept apart; look at each with `precede show`."
            )
        pair = record_of(graph, row["record_a"]), record_of(graph, row["record_b"])
        return pair if pair[0].entity_id == first else (pair[1], pair[0])
    return record_of(graph, first), record_of(graph, second)


def _of_entity(graph: EntityGraph, text: str) -> OfEntity:
    entity = graph.entity(meant(graph, text))
    if entity is None:
        raise NotFound(f"No entity has the id {text!r}; needed one of the current graph; use `precede find`.")
    records = graph.records_of(entity.entity_id)
    links = spanning((one.record_id for one in records), holding(graph, entity.entity_id))
    rows = nearest(graph, entity.entity_id, _OTHERS)
    steps = explained(graph, entity.entity_type, rows)
    return OfEntity(
        entity,
        {one.record_id: (graph.record(one.record_id) or {}).get("name") for one in records},
        explained(graph, entity.entity_type, links),
        [Near(row["entity_id"], row["name"], step) for row, step in zip(rows, steps, strict=True)],
    )


def _drawn(told: OfPair | OfEntity) -> list[Step]:
    steps = told.steps if isinstance(told, OfPair) else [*told.steps, *(near.step for near in told.near[:1])]
    return [step for step in steps if step.match_weight is not None or step.rule]


def _as_object(told: OfPair | OfEntity) -> dict[str, Any]:
    if isinstance(told, OfPair):
        return {
            "record_a": told.one.record_id,
            "record_b": told.other.record_id,
            "entity_a": told.one.entity_id,
            "entity_b": told.other.entity_id,
            "same_entity": told.same,
            "steps": told.steps,
        }
    return {
        "entity_id": told.entity.entity_id,
        "name": told.entity.name,
        "records": told.records,
        "held_by": told.steps,
        "nearest": told.near,
    }
