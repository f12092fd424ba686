"""`precede conflicts`: where records of one entity disagree, for whoever owns the data to put right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from orchestration.cli.reading import AsJson, Paper, print_json, reading_store, spoken, table
from orchestration.cli.show import meant
from orchestration.graph.current import open_current
from orchestration.graph.reader import EntityGraph
from orchestration.reviewing import CONFLICTS, Waiting, waiting
from orchestration.settings import Settings

Row = dict[str, Any]
_PER_FIELD: Final = """
    WITH stated AS (
        SELECT entity_id, entity_type, field, record_a AS record_id, value_a AS value FROM conflict
        UNION
        SELECT entity_id, entity_type, field, record_b, value_b FROM conflict
    )
    SELECT entity_id, any_value(entity.name) AS name, stated.entity_type, field,
        list({'value': value, 'record_id': record_id} ORDER BY record_id) AS stated
    FROM stated JOIN entity USING (entity_id)
    WHERE ($entity IS NULL OR entity_id = $entity) AND ($field IS NULL OR field = $field)
    GROUP BY entity_id, stated.entity_type, field
    ORDER BY entity_id, field
"""
_PER_SYSTEMS: Final = """
    WITH paired AS (
        SELECT *, split_part(record_a, ':', 1) AS of_a, split_part(record_b, ':', 1) AS of_b FROM conflict
        WHERE ($entity IS NULL OR entity_id = $entity) AND ($field IS NULL OR field = $field)
    )
    SELECT entity_type, field, least(of_a, of_b) AS system_a, greatest(of_a, of_b) AS system_b,
        count(*) AS conflicts, count(DISTINCT entity_id) AS entities,
        arg_min({'record_a': record_a, 'value_a': value_a, 'record_b': record_b, 'value_b': value_b}, record_a)
            AS example
    FROM paired GROUP BY ALL
    ORDER BY conflicts DESC, entity_type, field, system_a, system_b
"""


def conflicts(
    entity: Annotated[str | None, typer.Argument(help="Only of this entity: an id, or a text that means one.")] = None,
    field: Annotated[str | None, typer.Option(help="Only on this field.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="How many to list; all of them with --json.")] = None,
    *,
    by_system: Annotated[
        bool, typer.Option("--by-system", help="Count them by the two systems that disagree.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List where records of one entity disagree where it matters, what most actions wait for first.

    Put it right in the source; until then `precede review settle` says which value counts.
    """
    with reading_store() as store, open_current(store, Settings()) as graph:
        asked = {"entity": None if entity is None else meant(graph, entity), "field": field}
        with store.read() as connection:
            awaited = waiting(connection, CONFLICTS)
        found = graph.rows(_PER_SYSTEMS, asked) if by_system else _per_field(graph, asked, awaited)
    if as_json:
        print_json(found[:limit])
        return
    if not found:
        Paper().print("No records of one entity disagree there.")
        return
    most = limit or 50
    Paper().print(_systems_shown(found[:most]) if by_system else _fields_shown(found[:most]))
    if len(found) > most:
        Paper().print(f"and {len(found) - most:,} more; --limit lists them, --json all of them")


def _per_field(graph: EntityGraph, asked: dict[str, str | None], awaited: Waiting) -> list[Row]:
    found = [row | {"waiting": sorted(awaited.get(row["entity_id"], ()))} for row in graph.rows(_PER_FIELD, asked)]
    return sorted(found, key=lambda row: -len(row["waiting"]))


def _fields_shown(found: Sequence[Row]) -> RenderableType:
    shown = table("waiting", "entity", "field", "what is stated")
    shown.columns[0].justify = "right"
    for row in found:
        stated = Text("\n".join(f"{one['value']}  {one['record_id']}" for one in row["stated"]))
        about = Text(f"{row['name']}\n")
        about.append(row["entity_id"], style="dim")
        shown.add_row(f"{len(row['waiting'])}", about, spoken(row["field"]), stated)
    return shown


def _systems_shown(found: Sequence[Row]) -> RenderableType:
    shown = table("systems", "type", "field", "conflicts", "entities", "for example")
    for place in (3, 4):
        shown.columns[place].justify = "right"
    for row in found:
        systems = row["system_a"] if row["system_a"] == row["system_b"] else f"{row['system_a']}, {row['system_b']}"
        one = row["example"]
        example = Group(
            Text(f"{one['value_a']}  {one['record_a']}"),
            Text(f"{one['value_b']}  {one['record_b']}"),
        )
        shown.add_row(
            systems, row["entity_type"], spoken(row["field"]), f"{row['conflicts']:,}", f"{row['entities']:,}", example
        )
    return shown
