"""`precede review list`, `show`, `approve`, `edit` and `reject`: what policy sent to a person, and the answer."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from orchestration.action_parameters import LiteralParameter
from orchestration.action_types import ActionType
from orchestration.approval import answer, queue
from orchestration.approval.current import Held
from orchestration.approval.page import page
from orchestration.approval.waiting import one, waiting
from orchestration.canonical import plain
from orchestration.cli import held_shown as shown
from orchestration.cli.acting import acting
from orchestration.cli.actions import names_of
from orchestration.cli.reading import AsJson, Paper, print_json, reading_store, refuse_unknown
from orchestration.contracts import Arguments, Proposal
from orchestration.errors import ConfigurationError, NoGraph
from orchestration.gate.graphs import Graphs
from orchestration.gate.rules import load_rules
from orchestration.graph.current import open_current
from orchestration.identity.person import Role
from orchestration.settings import Settings
from orchestration.store.engine import Store, open_store
from orchestration.work.answers import fault_of

Action = Annotated[str, typer.Argument(help="The proposal's id, or the beginning of it.")]
Note = Annotated[str, typer.Option(help="Why; kept for ever.")]
_EVERY: Final = (*(queue.WAITING, queue.APPROVED, queue.VOID, queue.REJECTED, queue.EDITED, queue.ALLOWED, queue.DONE),)


def list_(
    agent: Annotated[str | None, typer.Option(help="Only of this agent.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many to list.")] = 50,
    *,
    every: Annotated[bool, typer.Option("--all", help="Also what is in review no more, with why.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the proposals in review, and those that were approved and have no effect yet.

    What waits longest comes first. One that waits again, or no more, says why.
    """
    with reading_store() as store:
        refuse_unknown(agent, store)
        with store.read() as connection:
            found = waiting(connection, _EVERY if every else queue.OPEN, agent=agent, limit=limit)
        names = {} if as_json else names_of(store, {row["entity_id"] for row in found})
    if as_json:
        print_json([plain(row) for row in found])
    else:
        Paper().print(shown.listed(found, names))


def show_(action: str, *, as_json: bool) -> None:
    """Show one proposal that is in review, and keep that an identified reviewer was shown it."""
    settings = Settings()
    known = settings.token or settings.token_file
    with closing(open_store(settings, create=False)) as store:
        person = acting(store, settings, Role.REVIEWER) if known else None
        told = _page(store, settings, action)
        showing = None
        if person is not None and told["state"] in queue.OPEN:
            with store.begin() as connection:
                showing = answer.show(connection, person, told, datetime.now(UTC))
    if as_json:
        print_json({**told, "showing": showing})
        return
    out = Paper()
    for part in shown.parts(told):
        out.print(part)
    out.print(shown.kept(showing, person, told))


def approve_(action: Action, note: Note = "", *, as_json: AsJson = False) -> None:
    """Consent to a proposal as you were shown it. The next run performs it once, unless what it rests on changes first.

    It takes a reviewer who did not write it, and to whom `precede review show` has shown it as it is.
    """
    settings, now = Settings(), datetime.now(UTC)
    rules = load_rules(settings)
    graphs = Graphs(settings.home, rules.action_types)
    means = Held(rules, graphs)
    with closing(graphs), closing(open_store(settings, create=False)) as store:
        person = acting(store, settings, Role.REVIEWER)
        with store.read() as connection:
            means.against(connection, one(connection, action), now)  # opens the graph before anybody waits for it
        with store.begin() as connection:
            row = answer.approve(connection, action, person, means, now, note=note)
    _told(row, shown.approved(row), as_json=as_json)


def edit_(
    action: Action,
    changed: Annotated[
        list[str], typer.Option("--set", help="An argument and its value: name=value; may be repeated.")
    ],
    note: Note = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Put a proposal with other arguments in its place. It is yours, goes through the gate, and others must approve it.

    It takes a reviewer to whom `precede review show` has shown it as it is.
    """
    settings, now = Settings(), datetime.now(UTC)
    types = load_rules(settings).action_types
    with closing(open_store(settings, create=False)) as store:
        person = acting(store, settings, Role.REVIEWER)
        with store.begin() as connection:
            row = one(connection, action)
            arguments = {**row["arguments"], **_given(changed, types.get(row["action_type"]))}
            wished = Proposal(row_id=row["row_id"], action_type=row["action_type"], arguments=arguments)
            made, new = answer.edit(
                connection, action, person, now, arguments=arguments, fault=fault_of(wished), note=note
            )
    _told({**made, "action_new": new}, shown.edited(made, new), as_json=as_json)


def reject_(
    action: Action, note: Annotated[str, typer.Option(help="Why: the agent is told.")], *, as_json: AsJson = False
) -> None:
    """Say no, and why. The agent is shown its row again with your note, as often as its card lets it revise.

    It takes a reviewer to whom `precede review show` has shown it as it is.
    """
    settings, now = Settings(), datetime.now(UTC)
    agents = load_rules(settings).agents
    with closing(open_store(settings, create=False)) as store:
        person = acting(store, settings, Role.REVIEWER)
        with store.begin() as connection:
            agent = agents.get(one(connection, action)["agent"])
            card = None if agent is None else agent.card
            row, batch_id = answer.reject(connection, action, person, card, now, note=note)
    _told({**row, "batch": batch_id}, shown.rejected(row, batch_id), as_json=as_json)


def _page(store: Store, settings: Settings, action: str) -> dict[str, Any]:
    try:
        with open_current(store, settings) as graph, store.read() as connection:
            return page(connection, one(connection, action), graph)
    except NoGraph:
        with store.read() as connection:
            return page(connection, one(connection, action), None)


def _given(changed: list[str], action_type: ActionType | None) -> Arguments:
    """Arguments as they were typed, each in the kind that the action type takes."""
    given: Arguments = {}
    for each in changed:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise ConfigurationError("--set", repr(each), "an argument and its value, such as stage=2")
        if action_type and name not in action_type.arguments:
            raise ConfigurationError("--set", repr(name), f"one of: {', '.join(sorted(action_type.arguments))}")
        parameter = action_type.parameters.get(name) if action_type else None
        kind = parameter.type if isinstance(parameter, LiteralParameter) else "text"
        if kind == "integer" and value.removeprefix("-").isdecimal() and value.isascii():
            given[name] = int(value)
        elif kind == "boolean" and value in {"true", "false"}:
            given[name] = value == "true"
        else:
            given[name] = value
    return given


def _told(row: Any, text: str, *, as_json: bool) -> None:  # noqa: ANN401  what a command has to tell
    if as_json:
        print_json(plain(dict(row)))
    else:
        Paper().print(text)
