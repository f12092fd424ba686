"""`precede object` and `precede objections`: who does not want to be contacted, and who says so."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.text import Text

from orchestration.cli.acting import acting
from orchestration.cli.reading import AsJson, Paper, because, plain, print_json, reading_store, table
from orchestration.erasure import objections as kept
from orchestration.errors import NoGraph
from orchestration.graph.current import open_current
from orchestration.graph.reader import EntityGraph
from orchestration.identity.person import Role
from orchestration.settings import Settings
from orchestration.store.engine import Store, open_store

app = typer.Typer(add_completion=False, no_args_is_help=True, help="List objections, withdraw one.")
Why = Annotated[str, typer.Option("--reason", help="Why, in a sentence; it is kept in the ledger.")]


def object_(
    who: Annotated[str, typer.Argument(metavar="ENTITY|MAILBOX", help="An entity, one of its records, or a mailbox.")],
    reason: Why,
    *,
    as_json: AsJson = False,
) -> None:
    """Record that somebody objects to being contacted: from the next transaction on, nothing external reaches them.

    It holds of an entity, its records and its contact points, and so of whatever they are joined to later. The source
    systems are not told. It takes an operator or a reviewer.
    """
    said, now, settings = because(reason), datetime.now(UTC), Settings()
    with closing(open_store(settings, create=False)) as store:
        by = acting(store, settings, Role.OPERATOR, Role.REVIEWER).name
        graph = _graph(store, settings)
        try:
            kind, subjects = kept.subjects_of(graph, who.strip())
            known = kind == kept.ENTITY or kept.stated(graph, who.strip())
        finally:
            if graph is not None:
                graph.close()
        with store.begin() as connection:
            made = kept.object_(connection, kind, who.strip(), subjects, operator=by, reason=said, now=now)
    if as_json:
        print_json({"objection": made, "of": kind, "known": known, "subjects": len(subjects), "by": by, "at": now})
        return
    Paper().print(f"{made} stands, says {by}: nothing external is sent to {who.strip()} any more.")
    if not known:
        Paper().print(
            Text(
                "No record in the graph states that mailbox: it counts from when one does. Is it written right?",
                "yellow",
            )
        )


@app.callback()
def objections() -> None:
    """List objections, withdraw one."""


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List every objection, also those that were withdrawn."""
    with reading_store() as store, store.read() as connection:
        rows = kept.objections(connection)
    if as_json:
        print_json(rows)
    elif not rows:
        Paper().print("Nobody objected.")
    else:
        shown = table("objection", "of", "since", "state", "recorded by", "why", whole={"objection", "of"})
        for row in rows:
            state = f"withdrawn {plain(row['withdrawn_at'])}" if row["withdrawn_at"] else "stands"
            shown.add_row(row["objection_id"], row["said"], plain(row["at"]), state, row["operator"], row["reason"])
        Paper().print(shown)


@app.command()
def withdraw(
    objection: Annotated[str, typer.Argument(help="Its id, from `precede objections list`.")],
    reason: Why,
    *,
    as_json: AsJson = False,
) -> None:
    """Record that an objection is taken back. It takes an operator or a reviewer."""
    said, now, settings = because(reason), datetime.now(UTC), Settings()
    with closing(open_store(settings, create=False)) as store:
        by = acting(store, settings, Role.OPERATOR, Role.REVIEWER).name
        with store.begin() as connection:
            kept.withdraw(connection, objection, operator=by, reason=said, now=now)
    if as_json:
        print_json({"objection": objection, "withdrawn": True, "by": by, "at": now})
    else:
        Paper().print(f"{objection} is withdrawn, says {by}: {said}")


def _graph(store: Store, settings: Settings) -> EntityGraph | None:
    try:
        return open_current(store, settings)
    except NoGraph:
        return None
