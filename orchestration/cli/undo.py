"""`precede undo`: take the effect of an action back, with who says so and why."""

from __future__ import annotations

import os
from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.text import Text

from orchestration.action_types import load_action_types
from orchestration.cli.acting import acting
from orchestration.cli.reading import AsJson, Paper, because, print_json
from orchestration.contracts import OutcomeState
from orchestration.gate.keys import signing_key
from orchestration.identity.person import Role
from orchestration.ledger.trace import action_named
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from orchestration.work.tools import ToolSession, load_servers, sent_once
from orchestration.work.undo import Order, Undone
from orchestration.work.undo import undo as take_back
from orchestration.work.undo_call import Hands

Action = Annotated[str, typer.Argument(help="The action's id, or the beginning of it.")]
Why = Annotated[str, typer.Option("--reason", help="Why, in a sentence; it is kept in the ledger.")]


def undo(action: Action, reason: Why, *, as_json: AsJson = False) -> None:
    """Take the effect of an action back by the tool that its action type names, once.

    It rests on the ledger's own entries and on an operator, so that it works when the entity has since been split, its
    evidence is over or its agent is stopped. A command that died is finished by running it again. What is not done
    ends with exit code 1.
    """
    said = because(reason)
    settings = Settings()
    servers = load_servers(settings.tools)
    with closing(open_store(settings)) as store, ToolSession(servers, settings, os.environ) as tools:
        by = acting(store, settings, Role.OPERATOR).name
        with store.read() as connection:
            named = action_named(connection, action)
        undone = take_back(
            store,
            Order(named, by, said),
            load_action_types(settings.actions),
            signing_key(settings.keys),
            Hands(tools, lambda: datetime.now(UTC), sent_once(servers)),
        )
    if as_json:
        print_json(undone)
    else:
        Paper().print(_told(undone, by))
    if undone.state is not OutcomeState.DONE:
        raise typer.Exit(1)


def _told(undone: Undone, by: str) -> Text:
    told = Text(f"{undone.action} {_SAID[undone.state]}, says {by}. What that does: {undone.description}")
    if undone.reference:
        told.append(f"\nwritten as {undone.reference}", style="dim")
    if undone.detail:
        told.append(f"\n{undone.detail}", style="red")
    return told


_SAID = {
    OutcomeState.DONE: "is taken back",
    OutcomeState.FAILED: "is not taken back; nothing was written",
    OutcomeState.UNKNOWN: "may have been taken back; whether it was is not known",
}
