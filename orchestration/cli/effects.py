"""`precede effects`: what became of effects after they were meant, and settling what no tool can say."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from orchestration.cli.acting import acting
from orchestration.cli.reading import AsJson, Paper, print_json
from orchestration.contracts import OutcomeState
from orchestration.errors import ConfigurationError
from orchestration.identity.person import Role
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from orchestration.work import settling

app = typer.Typer(add_completion=False, no_args_is_help=True, help="See what became of effects.")
Action = Annotated[str, typer.Argument(help="The action's id; or that of its taking back.")]
Why = Annotated[str, typer.Option("--reason", help="What you saw, in a sentence; it is kept in the ledger.")]


class Settled(StrEnum):
    """What a person can say of an effect."""

    DONE = "done"
    FAILED = "failed"


@app.callback()
def effects() -> None:
    """See what became of effects after they were meant: seen again, tainted, nobody's; and settle what is unknown."""


@app.command()
def settle(
    action: Action,
    state: Annotated[Settled, typer.Argument(help="Whether it was written: done, or failed (nothing was).")],
    reason: Why,
    *,
    as_json: AsJson = False,
) -> None:
    """Say what became of an effect whose tool gave no answer and cannot be asked again.

    Look in the system first: what you say is final. It takes a reviewer or an operator.
    """
    said, now = reason.strip(), datetime.now(UTC)
    if not said:
        raise ConfigurationError("--reason", "nothing", "a few words")
    settings = Settings()
    with closing(open_store(settings)) as store:
        by = acting(store, settings, Role.REVIEWER, Role.OPERATOR).name
        with store.begin() as connection:
            found = settling.settle(connection, action, OutcomeState(state), by=by, reason=said, now=now)
    if as_json:
        print_json({"effect": found.effect, "action": found.action, "state": found.state, "reason": said, "by": by})
    else:
        Paper().print(f"{found.effect} is {found.state.value}, says {by}: {said}")
