"""`precede people`: who may review, operate and audit, and the tokens by which they are known."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from orchestration.cli.acting import acting
from orchestration.cli.reading import AsJson, Paper, plain, print_json, table
from orchestration.errors import ConfigurationError
from orchestration.identity import people as file
from orchestration.identity.people import Entry, People, Token
from orchestration.identity.person import Role
from orchestration.ledger import entries_identity as entries
from orchestration.settings import Settings
from orchestration.store.engine import open_store

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Say who may review, operate and audit.")
Name = Annotated[str, typer.Argument(help="What the ledger calls them.")]
Days = Annotated[int, typer.Option(min=1, max=file.LONGEST_DAYS, help="For how many days the token lasts.")]
Into = Annotated[
    Path | None, typer.Option(help="A new file for the token, for its owner alone to read, instead of printing it.")
]


@app.callback()
def people() -> None:
    """Say who may review, operate and audit.

    Whoever does so is an operator, once there is one. Where an issuer is set (PRECEDE_OIDC_ISSUER), it alone says who
    people are.
    """


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List everybody, with their roles and how long their token lasts."""
    now, found = datetime.now(UTC), file.load(Settings().people) or People()
    if as_json:
        print_json([_about(one) | {"added": one.added} for one in found.people])
        return
    if not found.people:
        Paper().print("Nobody yet: `precede people add NAME --role operator` adds the first.")
        return
    shown = table("name", "roles", "mailbox", "token lasts until")
    for one in found.people:
        until = Text(plain(one.expires), style="" if one.expires > now else "red")
        shown.add_row(one.name, plain([role.value for role in one.roles]), one.mailbox or "", until)
    Paper().print(shown)


@app.command()
def add(  # noqa: PLR0913  what is known of a person
    name: Name,
    role: Annotated[list[Role], typer.Option("--role", help="What they may do; once for each role.")],
    mailbox: Annotated[str | None, typer.Option(help="Where they are reached.")] = None,
    days: Days = 90,
    into: Into = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Add a person; the token is shown this once and kept nowhere."""
    now = datetime.now(UTC)
    with _changing(now) as (before, change):
        after, token = file.added(before, name, role, mailbox=mailbox, days=days, now=now)
        _hand_over(token, into)
        change("added", after, after.named(name))
    _told(after.named(name), token, into, as_json=as_json)


@app.command()
def rotate(name: Name, days: Days = 90, into: Into = None, *, as_json: AsJson = False) -> None:
    """Give a person another token; the one before is of no use from then on."""
    now = datetime.now(UTC)
    with _changing(now) as (before, change):
        after, token = file.rotated(before, name, days=days, now=now)
        _hand_over(token, into)
        change("rotated", after, after.named(name))
    _told(after.named(name), token, into, as_json=as_json)


@app.command()
def remove(name: Name, *, as_json: AsJson = False) -> None:
    """Remove a person: their token is of no use from then on. What they said stays as it is."""
    now = datetime.now(UTC)
    with _changing(now) as (before, change):
        gone = before.named(name)
        change("removed", file.without(before, name, now=now), gone)
    if as_json:
        print_json(_about(gone))
    else:
        Paper().print(f"{name} is removed.")


@contextmanager
def _changing(now: datetime) -> Iterator[tuple[People, Any]]:
    """The people as they are, and what changes them: file and ledger together, by an operator once there is one."""
    settings = Settings()
    if settings.oidc is not None:
        raise ConfigurationError(
            "PRECEDE_OIDC_ISSUER",
            f"{settings.oidc.issuer}, which says who people are",
            "roles given there, or no issuer",
        )
    with closing(open_store(settings)) as store, file.changing(settings.people):
        before = file.load(settings.people) or People()
        by = acting(store, settings, Role.OPERATOR).name if before.operators(now) else ""
        with store.begin() as connection:

            def change(how: str, after: People, about: Entry) -> None:
                entries.people_changed(connection, how, _about(about), by, at=now)
                file.save(settings.people, after)

            yield before, change


def _about(one: Entry) -> dict[str, Any]:
    roles = [role.value for role in one.roles]
    return {"name": one.name, "mailbox": one.mailbox, "roles": roles, "expires": one.expires}


def _hand_over(token: Token, into: Path | None) -> None:
    if into is None:
        return
    try:
        handle = os.open(into, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as problem:
        raise ConfigurationError(
            f"--into {into}", problem.strerror or "nothing", "a file that is not there yet"
        ) from problem
    with os.fdopen(handle, "w", encoding="ascii") as opened:
        opened.write(token.text + "\n")


def _told(one: Entry, token: Token, into: Path | None, *, as_json: bool) -> None:
    if as_json:
        print_json(_about(one) | ({"token": token.text} if into is None else {"into": str(into)}))
        return
    may = " and ".join(role.value for role in one.roles)
    Paper().print(f"{one.name} is {may} until {plain(one.expires)}.")
    if into is not None:
        Paper().print(f"The token stands in {into}. To act as {one.name}:", soft_wrap=True)
        Paper().print(f"  export PRECEDE_TOKEN_FILE={shlex.quote(str(into))}", soft_wrap=True)
        return
    Paper().print("The token is shown this once; keep it where passwords are kept, and hand it over in PRECEDE_TOKEN:")
    Paper().print(f"\n  {token.text}\n", soft_wrap=True)
