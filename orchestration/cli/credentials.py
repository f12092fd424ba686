"""`precede credentials`: what agents were given to answer their batches with, and taking it back."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from orchestration.cli.acting import acting
from orchestration.cli.reading import AsJson, Paper, because, plain, print_json, reading_store, table
from orchestration.errors import ConfigurationError
from orchestration.identity import credentials as kept
from orchestration.identity.person import Role
from orchestration.settings import Settings
from orchestration.store.engine import open_store

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Look at agents' credentials, revoke them.")


@app.callback()
def credentials() -> None:
    """Look at agents' credentials, revoke them."""


@app.command("list")
def list_(
    agent: Annotated[str | None, typer.Argument(help="Only this agent's.")] = None, *, as_json: AsJson = False
) -> None:
    """List the credentials of batches that are not closed, the newest first."""
    now = datetime.now(UTC)
    with reading_store() as store, store.read() as connection:
        rows = [row | {"state": _state(row, now)} for row in kept.current(connection, agent)]
    if as_json:
        print_json(rows)
    elif not rows:
        Paper().print("No agent holds a credential for an open batch.")
    else:
        shown = table("credential", "agent", "batch", "state", "until")
        for row in rows:
            shown.add_row(row["credential_id"], row["agent"], row["batch_id"], row["state"], plain(row["expires_at"]))
        Paper().print(shown)


@app.command()
def revoke(
    reason: Annotated[str, typer.Option("--reason", help="Why, in a sentence; it is kept in the ledger.")],
    agent: Annotated[str | None, typer.Argument(help="Whose; give --all instead for every agent's.")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Every agent's.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take credentials back at once: an answer that carries one is refused, and the agent is given another.

    To keep an agent from going on, stop it: `precede stop`. It takes an operator.
    """
    if every is not (agent is None):
        raise ConfigurationError("precede credentials revoke", "both or neither", "either an agent or --all")
    said = because(reason)
    settings = Settings()
    with closing(open_store(settings, create=False)) as store:
        by = acting(store, settings, Role.OPERATOR).name
        with store.begin() as connection:
            found = kept.revoke(connection, agent, datetime.now(UTC), by=by, reason=said)
    if as_json:
        print_json({"revoked": found, "by": by, "reason": said})
    else:
        Paper().print(f"{len(found):,} credentials of {agent or 'all agents'} are revoked, says {by}: {said}")


def _state(row: dict[str, Any], now: datetime) -> str:
    if row["revoked_at"] is not None:
        return "revoked"
    return row["ended"] or ("expired" if row["expires_at"] <= now else "valid")
