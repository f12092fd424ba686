"""`precede actions`: what agents proposed, why it was decided so, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

import typer
from rich.table import Table
from rich.text import Text
from sqlalchemy import Select, exists, func, select

from orchestration.cli.reading import AsJson, Paper, print_json, reading_store, refuse_unknown, spoken, table, told
from orchestration.contracts import Reason, Verdict
from orchestration.errors import NoGraph
from orchestration.graph.current import open_current
from orchestration.settings import Settings
from orchestration.store.engine import Store
from orchestration.store.tables import decision, held, outbox, proposal, undo

SHOWN: Final = 50
"""Actions that are listed for a person who did not say how many."""
STYLES: Final[dict[str, str]] = {Verdict.ALLOW: "green", Verdict.REVIEW: "yellow", Verdict.DENY: "red"}

Action = dict[str, Any]


def actions(
    agent: Annotated[str | None, typer.Option(help="Only of this agent.")] = None,
    entity: Annotated[str | None, typer.Option(help="Only about this entity.")] = None,
    decision: Annotated[Verdict | None, typer.Option(help="Only with this decision.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="How many to list; all of them with --json.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List what agents proposed, newest first: the decision with every reason, and what became of it.

    An action keeps its id through proposal, decision, permit, effect and outcome; `precede trace` walks it.
    """
    with reading_store() as store:
        refuse_unknown(agent, store)
        found = _listed(store, agent, entity, decision)
        if as_json:
            print_json(found[:limit])
            return
        listed = found[: limit or SHOWN]
        names = names_of(store, {one["entity"] for one in listed})
    if not found:
        asked = any((agent, entity, decision))
        Paper().print(
            "No action is of that agent, entity id or decision; `precede actions` lists them all."
            if asked
            else "No agent has proposed anything yet. `precede run` lets them."
        )
        return
    Paper().print(_table(listed, names))
    if len(found) > len(listed):
        Paper().print(f"and {len(found) - len(listed):,} more; --limit lists them, --json all of them")


def _listed(store: Store, agent: str | None, entity: str | None, verdict: Verdict | None) -> list[Action]:
    """Every action that was asked for, newest first."""
    query = _query()
    if agent:
        query = query.where(proposal.c.agent == agent)
    if entity:
        query = query.where(proposal.c.entity_id == entity)
    if verdict:
        query = query.where(decision.c.verdict == verdict.value)
    with store.read() as connection:
        return [_action(row) for row in connection.execute(query).mappings()]


def _query() -> Select[Any]:
    last = select(func.max(decision.c.decision_id)).group_by(decision.c.action)
    decided = decision.c.decision_id.in_(last)
    return (
        select(
            proposal.c.action,
            proposal.c.agent,
            proposal.c.action_type,
            proposal.c.entity_id,
            proposal.c.proposed_at,
            decision.c.verdict,
            decision.c.reasons,
            decision.c.decided_at,
            outbox.c.state,
            outbox.c.settled_at,
            held.c.state.label("review"),
            exists().where(undo.c.action == proposal.c.action, undo.c.state == "done").label("undone"),
        )
        .outerjoin_from(proposal, decision, (decision.c.action == proposal.c.action) & decided)
        .outerjoin(outbox, outbox.c.action == proposal.c.action)
        .outerjoin(held, held.c.action == proposal.c.action)
        .order_by(func.coalesce(outbox.c.settled_at, decision.c.decided_at, proposal.c.proposed_at).desc())
        .order_by(proposal.c.action)
    )


def _action(row: Any) -> Action:  # noqa: ANN401  a row of the query
    return {
        "action": row["action"],
        "agent": row["agent"],
        "type": row["action_type"],
        "entity": row["entity_id"],
        "decision": row["verdict"],
        "reasons": row["reasons"] or [],
        "outcome": row["state"],
        "undone": row["undone"],
        "review": row["review"],
        "at": row["settled_at"] or row["decided_at"] or row["proposed_at"],
    }


def names_of(store: Store, entity_ids: set[str]) -> dict[str, str]:
    """What the current graph calls the entities; nothing where there is no graph."""
    try:
        with open_current(store, Settings()) as graph:
            return {one.entity_id: one.name or "" for one in graph.entities(entity_ids).values()}
    except NoGraph:
        return {}


def _table(listed: Sequence[Action], names: dict[str, str]) -> Table:
    shown = table("action", "at", "decision", "outcome", "about")
    for column in shown.columns[:4]:
        column.no_wrap = True
    for one in listed:
        verdict = one["decision"] or "undecided"
        about = Text(names.get(one["entity"]) or one["entity"])
        about.append(f"\n{spoken(one['type'])} ({one['agent']})", style="dim")
        for reason in one["reasons"]:
            about.append(f"\n{told(Reason.model_validate(reason))}", style=STYLES.get(verdict, ""))
        at = one["at"].strftime("%Y-%m-%d %H:%M")
        shown.add_row(one["action"], at, Text(verdict, style=STYLES.get(verdict, "")), _came_to(one), about)
    return shown


def _came_to(one: Action) -> str:
    """What became of its effect; where it has none, what a person said of it who was asked."""
    if one["undone"]:
        return f"{one['outcome']}, undone"
    asked = one["review"] if one["review"] in {"waiting", "approved", "rejected", "edited"} else None
    return one["outcome"] or asked or ""
