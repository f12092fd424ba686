"""`precede show`: all that is known of an entity, and which record says so."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Final

import typer

from orchestration.cli.reading import AsJson, Paper, print_json, reading_graph
from orchestration.cli.shown import Known, render
from orchestration.contracts import EntityId
from orchestration.errors import NotFound
from orchestration.graph.model import FACTS
from orchestration.graph.reader import EntityGraph

SURE: Final = 0.94
"""The score from which one hit of `find` alone is what was meant."""


def show(
    entity: Annotated[str, typer.Argument(help="An entity's id, a record's id, or a text that means one entity.")],
    facts: Annotated[int, typer.Option(min=0, help="How many facts of each kind to list.")] = 5,
    *,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="SNAPSHOT|TIME", help="As an earlier graph that is kept has it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show all that is known of an entity: each value with the record it came from, doubts, conflicts and facts."""
    with reading_graph(as_of) as graph:
        known = _known(graph, meant(graph, entity))
    if as_json:
        print_json(_as_object(known))
    else:
        Paper().print(render(known, most_facts=facts))


def meant(graph: EntityGraph, text: str) -> EntityId:
    """The entity that a text means.

    Raises:
        NotFound: None, or more than one.
    """
    exact = graph.entity(text)
    if exact is not None:
        return exact.entity_id
    hits = graph.find(text, 4)
    sure = [hit for hit in hits if hit["score"] >= SURE]
    if len(sure) == 1:
        return EntityId(sure[0]["entity_id"])
    if not hits:
        raise NotFound(
            f"No entity has the id {text!r}, and nothing is called that; needed an entity's or a record's id; look it "
            "up with `precede find`."
        )
    listed = ", ".join(f"{hit['entity_id']} ({hit['name']})" for hit in sure or hits)
    raise NotFound(
        f"No entity has the id {text!r}, and {'several are' if len(sure) > 1 else 'it only resembles what is'} called "
        f"that: {listed}; needed one of these ids; look further with `precede find`."
    )


def _known(graph: EntityGraph, entity_id: EntityId) -> Known:
    entity = graph.entity(entity_id)
    if entity is None:
        raise NotFound(f"No entity has the id {entity_id!r}; needed one of the current graph; use `precede find`.")
    records = graph.records_of(entity_id)
    relationships = graph.relationships(entity_id)
    others = {one.from_entity for one in relationships} | {one.to_entity for one in relationships}
    return Known(
        entity=entity,
        golden=graph.golden(entity_id),
        records=records,
        record_names={one.record_id: (graph.record(one.record_id) or {}).get("name") for one in records},
        contact_points=graph.contact_points(entity_id),
        relationships=relationships,
        names={one.entity_id: one.name for one in graph.entities(others).values()},
        conflicts=graph.conflicts(entity_id),
        review_pairs=graph.review_pairs(entity_id),
        facts={kind: found for kind in FACTS if (found := graph.facts(kind, entity_id))},
        events=graph.events(entity_id),
        snapshot=graph.snapshot_id,
    )


def _as_object(known: Known) -> dict[str, Any]:
    return {
        "snapshot": known.snapshot,
        **asdict(known.entity),
        "golden": {name: {"value": one.value, "record": one.record_id} for name, one in known.golden.items()},
        "records": [asdict(one) | {"name": known.record_names.get(one.record_id)} for one in known.records],
        "contact_points": known.contact_points,
        "relationships": known.relationships,
        "conflicts": known.conflicts,
        "review_pairs": known.review_pairs,
        "facts": {kind: [_fact(one) for one in facts] for kind, facts in known.facts.items()},
        "events": known.events,
    }


def _fact(fact: Any) -> dict[str, Any]:  # noqa: ANN401  a Fact
    return {"record_id": fact.record_id, "entity_id": fact.entity_id, **fact.values}
