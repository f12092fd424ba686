"""`precede stop` and `precede start`: keep an agent from acting, and let it act again, with who says so and why."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated

import typer
from sqlalchemy import select

from orchestration.cli.acting import acting
from orchestration.cli.reading import AsJson, Paper, print_json
from orchestration.errors import ConfigurationError, NotFound
from orchestration.gate import stopping
from orchestration.identity.person import Role
from orchestration.settings import Settings
from orchestration.store.engine import Store, open_store
from orchestration.store.tables import batch

Agent = Annotated[str, typer.Argument(help="The agent's name.")]
Why = Annotated[str, typer.Option("--reason", help="Why, in a sentence; it is kept in the ledger.")]


def stop(agent: Agent, reason: Why, *, as_json: AsJson = False) -> None:
    """Stop an agent: from the next transaction on, nothing of it is decided, permitted or performed.

    Permits that it holds are void, its credentials are revoked, and it is not woken. What stands in the outbox by then
    is delivered. It takes an operator.
    """
    _change(agent, reason, stops=True, as_json=as_json)


def start(agent: Agent, reason: Why, *, as_json: AsJson = False) -> None:
    """Let an agent go on that was stopped. It is woken again for the current snapshot and business date.

    It takes an operator.
    """
    _change(agent, reason, stops=False, as_json=as_json)


def _change(agent: str, reason: str, *, stops: bool, as_json: bool) -> None:
    said, now = reason.strip(), datetime.now(UTC)
    if not said:
        raise ConfigurationError("--reason", "nothing", "a few words")
    settings = Settings()
    with closing(open_store(settings)) as store:
        by = acting(store, settings, Role.OPERATOR).name
        before = _stopped(store)
        _refuse_unknown(agent, store, settings, before)
        changed = stops or agent in before
        if stops:
            stopping.stop(store, agent, said, operator=by, now=now)
        elif changed:
            stopping.start(store, agent, said, operator=by, now=now)
    if as_json:
        state = "stopped" if stops else "running"
        print_json({"agent": agent, "state": state, "changed": changed, "reason": said, "operator": by, "at": now})
    elif not changed:
        Paper().print(f"{agent} was not stopped; nothing is recorded.")
    else:
        Paper().print(f"{agent} {'is stopped' if stops else 'may go on'}, says {by}: {said}")


def _stopped(store: Store) -> dict[str, str]:
    with store.read() as connection:
        return stopping.stopped(connection)


def _refuse_unknown(agent: str, store: Store, settings: Settings, stopped: dict[str, str]) -> None:
    """Refuse a name that no agent has or had; cards are not read, so that a broken one keeps nobody from stopping."""
    with store.read() as connection:
        woken = set(connection.execute(select(batch.c.agent).distinct()).scalars())
    here = {path.parent.name for path in settings.agents.glob("*/agent.yml")}
    known = here | woken | stopped.keys()
    if agent not in known:
        names = ", ".join(sorted(known)) or "none"
        raise NotFound(f"There is no agent {agent!r}; needed one of: {names}; see the folder {settings.agents}.")
