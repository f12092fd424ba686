"""`precede effects`: what became of effects after they were meant, and settling what no tool can say."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from orchestration.cli.acting import acting
from orchestration.cli.actions import names_of
from orchestration.cli.reading import AsJson, Paper, plain, print_json, reading_store, spoken, table
from orchestration.contracts import OutcomeState
from orchestration.errors import ConfigurationError
from orchestration.identity.person import Role
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from orchestration.work import settling, told_of
from orchestration.work.in_flight import refuse_in_flight, wait_for_calls
from orchestration.work.tools import load_servers, sent_once

app = typer.Typer(add_completion=False, no_args_is_help=True, help="See what became of effects.")
Action = Annotated[str, typer.Argument(help="The action's id; or that of its taking back.")]
Why = Annotated[str, typer.Option("--reason", help="What you saw, in a sentence; it is kept in the ledger.")]


Most = Annotated[int | None, typer.Option("--limit", min=1, help="How many to list; all of them with --json.")]

SHOWN: Final = 50
"""Effects that are listed for a person who did not say how many."""
_HOW: Final = {
    "no_entry": "no entry of the ledger has that key",
    "said_failed": "the ledger says that it did not happen",
    "never_sent": "the ledger says that it was not sent yet",
    "doubled": "another row has the same key",
}
_TAINT: Final = {
    "split": "its records are of several entities now",
    "merged": "its records are one with another entity's",
    "judged": "a person has judged otherwise since",
    "retired": "none of its records is there any more",
}


class Only(StrEnum):
    """Which effects are listed."""

    UNKNOWN = "unknown"
    MISSING = "missing"
    UNSEEN = "unseen"
    UNDONE = "undone"
    TAINTED = "tainted"


class Settled(StrEnum):
    """What a person can say of an effect."""

    DONE = "done"
    FAILED = "failed"


@app.callback()
def effects() -> None:
    """See what became of effects after they were meant: seen again, tainted, nobody's; and settle what is unknown."""


@app.command("list")
def list_(
    only: Annotated[
        Only | None,
        typer.Option(
            help="unknown: a person must settle it; missing: its system does not show it; unseen: nor need it yet."
        ),
    ] = None,
    limit: Most = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List effects, the latest first: what became of each, where it was seen again, and whether it was taken back."""
    most = limit if as_json else (limit or SHOWN) + 1
    with reading_store() as store:
        with store.read() as connection:
            found = told_of.effects(connection, None if only is None else only.value, most)
        names = {} if as_json else names_of(store, {row["entity_id"] for row in found[: limit or SHOWN]})
    if as_json:
        print_json(found)
        return
    if not found:
        Paper().print("There is no such effect." if only else "No effect was meant yet. `precede run` lets agents act.")
        return
    shown = table("effect", "at", "outcome", "about", whole={"effect", "at"})
    for row in found[: limit or SHOWN]:
        at = (row["settled_at"] or row["intended_at"]).strftime("%Y-%m-%d %H:%M")
        about = Text(names.get(row["entity_id"]) or row["entity_id"])
        about.append(f"\n{spoken(row['action_type'])} ({row['agent']}), {row['effect_key']}", style="dim")
        about.append("\n").append_text(_seen(row))
        if row["settle"]:
            about.append(f"\n{row['settle']}", style="yellow")
        shown.add_row(row["action"], at, _outcome(row), about)
    Paper().print(shown)
    _more(found, limit)


@app.command()
def tainted(limit: Most = None, *, as_json: AsJson = False) -> None:
    """List effects whose entity was since split, merged, retired or judged otherwise, and how each is taken back."""
    with reading_store() as store, store.read() as connection:
        found = told_of.tainted(connection, limit if as_json else (limit or SHOWN) + 1)
    if as_json:
        print_json(found)
        return
    if not found:
        Paper().print("No effect is tainted: each entity is the one that it was.")
        return
    shown = table("effect", "since", "how", "take it back", whole={"effect"})
    for row in found[: limit or SHOWN]:
        how = Text(f"{row['entity_id']}: {row['how']}")
        how.append(f"\n{_TAINT[row['how']]}" + (f": {row['detail']}" if row["detail"] else ""), style="dim")
        shown.add_row(row["action"], f"{row['snapshot_id']}\n{plain(row['found_at'])}", how, row["undo"])
    Paper().print(shown)
    _more(found, limit)


@app.command()
def incidents(limit: Most = None, *, as_json: AsJson = False) -> None:
    """List rows that Precede's account wrote in a system and that the ledger does not account for."""
    with reading_store() as store, store.read() as connection:
        found = told_of.incidents(connection, limit if as_json else (limit or SHOWN) + 1)
    if as_json:
        print_json(found)
        return
    if not found:
        Paper().print("No incident: the ledger accounts for every row of Precede's account.")
        return
    shown = table("row", "effect key", "found at", "what is wrong", whole={"row"})
    for row in found[: limit or SHOWN]:
        shown.add_row(row["record_id"], row["effect_key"] or "none", plain(row["found_at"]), _HOW[row["how"]])
    Paper().print(shown)
    _more(found, limit)


def _outcome(row: dict[str, Any]) -> Text:
    told = Text(row["state"])
    if row["undo_state"]:
        undone = row["undo_state"] == told_of.DONE
        told.append("\ntaken back" if undone else f"\ntaking back: {row['undo_state']}", style="yellow")
    if row["tainted"]:
        told.append("\ntainted", style="red")
    return told


def _seen(row: dict[str, Any]) -> Text:
    if row["confirmed_record"]:
        return Text(f"seen again in {row['confirmed_record']}", style="dim")
    return Text("missing", style="red") if row["missing_at"] else Text("not seen again yet", style="dim")


def _more(found: list[dict[str, Any]], limit: int | None) -> None:
    if len(found) > (limit or SHOWN):
        Paper().print("and more; --limit lists them, --json all of them")


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
        wait_for_calls(store, action)
        with store.begin() as connection:
            settling.refuse_repeatable(connection, action, sent_once(load_servers(settings.tools)))
            refuse_in_flight(store, connection, action)
            found = settling.settle(connection, action, OutcomeState(state), by=by, reason=said, now=now)
    if as_json:
        print_json({"effect": found.effect, "action": found.action, "state": found.state, "reason": said, "by": by})
    else:
        Paper().print(f"{found.effect} is {found.state.value}, says {by}: {said}")
