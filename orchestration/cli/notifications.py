"""`precede notifications`: what people were told, and what could not be sent yet."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer
from rich.text import Text
from sqlalchemy import select

from orchestration.cli.reading import AsJson, Paper, plain, print_json, table
from orchestration.settings import Settings
from orchestration.store.engine import Store, open_store
from orchestration.store.tables import notification
from orchestration.work.notify import send

_TIME: Final = "at"


def notifications(
    *,
    every: Annotated[bool, typer.Option("--all", help="Also those that were sent.")] = False,
    now: Annotated[bool, typer.Option("--send", help="Send what is due first.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what people are to be told and was not sent yet, the oldest first.

    The program that PRECEDE_NOTIFY names is given each as one JSON object. What it does not take is tried again.
    """
    settings = Settings()
    with closing(open_store(settings, create=False)) as store:
        if now:
            send(store, settings, datetime.now(UTC))
        found = _listed(store, every=every)
    if as_json:
        print_json(found)
        return
    if not found:
        Paper().print("Nobody was to be told anything." if every else "Nothing waits to be sent.")
        return
    shown = table("", "kind", "about", "since", "sent", "tried", "what went wrong")
    for one in found:
        sent = plain(one["sent_at"]) if one["sent_at"] else Text("not sent", style="yellow")
        shown.add_row(
            str(one["id"]),
            one["kind"],
            _about(one["body"]),
            plain(one["created_at"]),
            sent,
            f"{one['attempts']} times",
            one["error"],
        )
    Paper().print(shown)
    if not settings.notify:
        Paper().print("PRECEDE_NOTIFY names no program to send them: they are kept.", style="yellow")


def _about(body: dict[str, Any]) -> str:
    """What says most of it: its words, and the number of a stop; times, counts and measurements are left to --json."""
    told = {name: value for name, value in body.items() if name != _TIME and (isinstance(value, str) or name == "stop")}
    return ", ".join(f"{name}={value}" for name, value in told.items() if value)


def _listed(store: Store, *, every: bool) -> list[dict[str, Any]]:
    query = select(notification).order_by(notification.c.notification_id)
    with store.read() as connection:
        rows = connection.execute(query if every else query.where(notification.c.sent_at.is_(None))).mappings()
        return [
            {"id": row["notification_id"], **{k: v for k, v in row.items() if k != "notification_id"}} for row in rows
        ]
