"""`precede find`: which entity a text means."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from orchestration.cli.reading import AsJson, Paper, print_json, reading_graph, spoken, table
from orchestration.errors import NotFound


def find(
    text: Annotated[str, typer.Argument(help="A name, VAT or company number, mailbox, phone, record or entity id.")],
    limit: Annotated[int, typer.Option(min=1, help="How many entities to list.")] = 20,
    *,
    as_json: AsJson = False,
) -> None:
    """Find an entity by name, identifier, mailbox, phone or id, the likeliest first.

    Names are compared without case, accents and punctuation, and forgive a slip. A record's id leads to its entity,
    also where its source has merged it away, and so does the id of an invoice or another fact.
    """
    with reading_graph() as graph:
        hits = graph.find(text, limit)
    if as_json:
        print_json(hits)
    if not hits:
        raise NotFound(
            f"Nothing in the current graph is called {text!r}; needed a name, number, mailbox, phone or id that some "
            "record has; try fewer or other words."
        )
    if as_json:
        return
    shown = table("entity", "type", "name", "standing", "systems", "found by", whole={"entity"})
    for hit in hits:
        standing = Text(spoken(hit["standing"]), style="green" if hit["standing"] == "reconciled" else "yellow")
        found_by = (
            hit["matched_on"] if hit["matched_value"] == hit["name"] else f"{hit['matched_on']} {hit['matched_value']}"
        )
        shown.add_row(hit["entity_id"], hit["entity_type"], hit["name"], standing, ", ".join(hit["systems"]), found_by)
    Paper().print(shown)
