"""`precede trace`: from an effect back to the source rows that it rests on, as they were then."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Group
from rich.text import Text

from orchestration.cli.reading import AsJson, Paper, headed, print_json, reading_store
from orchestration.cli.trace_shown import lines, parts, sound, spine, told_always
from orchestration.ledger.trace import trace as walked


def trace(
    action: Annotated[str, typer.Argument(help="An action's id, or the beginning of it.")],
    *,
    full: Annotated[bool, typer.Option("--full", help="Also what each of them says.")] = False,
    as_json: AsJson = False,
) -> None:
    """Walk from an effect through permit, decision, entity and snapshot to the source rows, as they were then.

    The chain comes first, and what speaks against it; `--full` adds what each part of it says. The walk reads the
    evidence that was kept with the decision, so that it works after the snapshot has expired.
    """
    with reading_store() as store:
        found = walked(store, action)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    out = Paper()
    out.print(headed(f"Action {found.action}", lines(spine(found))))
    for title, body in parts(found) if full else told_always(found):
        out.print(headed(title, body))
    out.print(sound(found) if full else Group(sound(found), Text("--full shows what each part says.", style="dim")))
