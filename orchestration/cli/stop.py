"""`precede stop`, `start` and `stops`: keep agents from acting and prove it, let them act again, and see what is so."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.text import Text
from sqlalchemy import select

from orchestration.cli.acting import acting
from orchestration.cli.reading import AsJson, Paper, because, known_agents, plain, print_json, reading_store, table
from orchestration.errors import ConfigurationError, NotFound, PrecedeError
from orchestration.gate import stopping
from orchestration.gate.stopping import Stop
from orchestration.gate.stops import Scope, ScopeKind, Stopped
from orchestration.identity.person import Role
from orchestration.settings import Settings
from orchestration.store.engine import Store, open_store
from orchestration.store.tables import proposal
from orchestration.store.tables import stop as stop_table
from orchestration.work.exchange import Exchange
from orchestration.work.notify import send
from orchestration.work.proving import Proof, Runs, agents_of, prove

Agent = Annotated[str | None, typer.Argument(help="The agent's name.")]
All = Annotated[bool, typer.Option("--all", help="Every agent.")]
ActionType = Annotated[str | None, typer.Option("--action-type", help="One type of action, whoever proposes it.")]
Why = Annotated[str, typer.Option("--reason", help="Why, in a sentence; it is kept in the ledger.")]
Timeout = Annotated[float, typer.Option(min=0, help="Seconds to wait until nothing of it runs any more.")]
_TOLD = (
    ("credentials", "credential", "revoked"),
    ("batches", "batch", "halted"),
    ("permits", "unused permit", "refused"),
    ("effects", "effect", "not sent and given up"),
    ("sending", "effect", "on the way to its tool: whether it happened is not known yet"),
)


class StopNotProven(PrecedeError):  # noqa: N818  reads as the sentence it is
    """Something still ran at the end of the wait; the stop is in force nevertheless."""


def stop(  # noqa: PLR0913  what to stop, and how
    reason: Why,
    agent: Agent = None,
    action_type: ActionType = None,
    timeout: Timeout = 90.0,
    *,
    every: All = False,
    as_json: AsJson = False,
) -> None:
    """Stop an agent, a type of action or everything, and prove that nothing of it runs or delivers any more.

    Credentials are revoked, permits refused, effects that were not sent given up, runs of Dagster cancelled, and people
    told (PRECEDE_NOTIFY). It ends with an error where something still runs after the wait, and says what; the stop is
    in force all the same. It takes an operator.
    """
    scope, said = _scope(agent, action_type, every=every), because(reason)
    settings = Settings()
    with closing(open_store(settings)) as store:
        by = acting(store, settings, Role.OPERATOR).name
        known = _known(scope, store, settings)
        done, began = stopping.stop(store, scope, said, operator=by, now=datetime.now(UTC)), time.monotonic()
        if not as_json:
            Paper().print(f"{scope.are} stopped, says {by}: {said}")
            _halted(done)
        with store.read() as connection:
            agents = agents_of(connection, scope, known)
        with _telling(store, settings), _runs(settings, agents) as runs:
            proof = prove(store, Exchange(settings.exchange), done, agents, runs, timeout=timeout, began=began)
        _tell(store, settings)
    if as_json:
        print_json(_as_json(done, proof, said, by))
    elif proof.proven:
        Paper().print(f"Nothing of it runs or delivers any more. That took {proof.milliseconds / 1000:.1f} seconds.")
    if not proof.proven:
        raise StopNotProven(
            f"After {proof.milliseconds / 1000:.1f} seconds still there: {'; '.join(proof.still)}. {scope.are} stopped "
            "nevertheless: no permit is given, and nothing is sent. End what is left, then stop it again for a proof."
        )


def start(
    reason: Why, agent: Agent = None, action_type: ActionType = None, *, every: All = False, as_json: AsJson = False
) -> None:
    """Let something go on that was stopped. It takes an operator.

    What the stop halted does not go on by itself: its rows wake their agent again, and pass the gate anew. What another
    stop covers stays stopped.
    """
    scope, said = _scope(agent, action_type, every=every), because(reason)
    settings = Settings()
    with closing(open_store(settings)) as store:
        by = acting(store, settings, Role.OPERATOR).name
        _known(scope, store, settings)
        done = stopping.start(store, scope, said, operator=by, now=datetime.now(UTC))
        with store.read() as connection:
            left = stopping.stopped(connection)
        _tell(store, settings)
    if as_json:
        print_json({
            "scope": scope.kind.value, "name": scope.name, "changed": done is not None, "reason": said, "operator": by,
            "state": "stopped" if _covers(left, scope) else "running",
            "stops": list(done.lifted) if done else [], "batches": list(done.batches) if done else [],
            "effects": list(done.effects) if done else [],
        })  # fmt: skip
        return
    paper = Paper()
    if done is None:
        paper.print(f"{scope.are} not stopped; nothing is recorded.")
    else:
        paper.print(f"{scope.are} started again, says {by}: {said}")
        if done.effects:
            number = len(done.effects)
            paper.print(f"  {number:,} effects that were given up come again with the next snapshot, through the gate.")
    if _covers(left, scope):
        paper.print(f"It stays stopped, since {_others(left, scope)}.", style="yellow")


def stops(
    *,
    every: Annotated[bool, typer.Option("--all", help="Also those that were lifted.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what is stopped, since when, why, and how long it took until nothing of it ran."""
    query = select(stop_table).order_by(stop_table.c.number)
    with reading_store() as store, store.read() as connection:
        found = connection.execute(query if every else query.where(stop_table.c.lifted_at.is_(None))).mappings()
        rows = [dict(row) for row in found]
    if as_json:
        print_json(rows)
        return
    if not rows:
        Paper().print("Nothing was ever stopped." if every else "Nothing is stopped.")
        return
    shown = table("", "what", "since", "by", "why", "proven after", "lifted")
    for row in rows:
        what = str(Scope(ScopeKind(row["scope"]), row["name"]))
        cells = (str(row["number"]), what, plain(row["at"]), row["operator"], row["reason"])
        shown.add_row(*cells, _proven(row["proof"]), plain(row["lifted_at"]))
    Paper().print(shown)


def _proven(proof: dict[str, Any] | None) -> Text:
    if proof is None or not proof["proven"]:
        return Text("not proven", style="red")
    return Text(f"{proof['milliseconds'] / 1000:.1f} s")


def _scope(agent: str | None, action_type: str | None, *, every: bool) -> Scope:
    named = {"an agent": agent is not None, "--action-type": action_type is not None, "--all": every}
    if sum(named.values()) != 1:
        found = " and ".join(name for name, given in named.items() if given) or "nothing"
        raise ConfigurationError("what to stop or start", found, "one of: an agent, --action-type, --all")
    if agent is not None:
        return Scope.agent(agent)
    return Scope.everything() if action_type is None else Scope.action_type(action_type)


def _halted(done: Stop) -> None:
    for name, what, became in _TOLD:
        ids = list(getattr(done, name))
        if ids:
            plural = what if len(ids) == 1 else f"{what}es" if what.endswith("ch") else f"{what}s"
            listed = f": {', '.join(ids)}" if name == "sending" else ""
            Paper().print(f"  {len(ids):,} {plural} {became}{listed}")


@contextmanager
def _telling(store: Store, settings: Settings) -> Iterator[None]:
    """Let people be told beside the block, so that nothing that is to be ended waits for their program."""
    with ThreadPoolExecutor(1) as beside:
        beside.submit(_tell, store, settings)
        yield


def _tell(store: Store, settings: Settings) -> None:
    """Send what waits; what cannot be sent is kept, and no stop or start fails for it."""
    try:
        said = send(store, settings, datetime.now(UTC)).error
    except PrecedeError as error:
        said = str(error)
    if said:
        typer.echo(f"precede: Not everybody could be told yet, and it is tried again: {said}", err=True)


@contextmanager
def _runs(settings: Settings, agents: list[str]) -> Iterator[Runs | None]:
    from orchestration.ledger.lineage import instance_at  # noqa: PLC0415  Dagster takes a second to import

    with instance_at(settings.dagster_home) as instance:
        if instance is None:
            yield None
            return
        from orchestration.work.runs import AgentRuns  # noqa: PLC0415  Dagster takes a second to import

        yield AgentRuns(instance, agents)


def _as_json(done: Stop, proof: Proof, reason: str, by: str) -> dict[str, Any]:
    scope = {"stop": done.number, "scope": done.scope.kind.value, "name": done.scope.name, "state": "stopped"}
    said = {"reason": reason, "operator": by, "at": done.at}
    halted = {name: list(getattr(done, name)) for name, _, _ in _TOLD}
    return {**scope, **said, **halted, "proof": proof}


def _covers(left: Stopped, scope: Scope) -> bool:
    return left.everything is not None or (scope.kind is ScopeKind.AGENT and scope.name in left.agents)


def _others(left: Stopped, scope: Scope) -> str:
    return "all agents are" if left.everything is not None else f"{scope} is"


def _known(scope: Scope, store: Store, settings: Settings) -> set[str]:
    """The agents that there are, or were.

    Raises:
        NotFound: It is of a name that no agent, or no type of action, has or had.
    """
    with store.read() as connection:
        halted = stopping.stopped(connection)
        types = set(connection.execute(select(proposal.c.action_type).distinct()).scalars())
    agents = known_agents(store, settings) | halted.agents.keys()
    types |= {path.stem for path in settings.actions.glob("*.yml")} | halted.action_types.keys()
    known = types if scope.kind is ScopeKind.ACTION_TYPE else agents
    if scope.name and scope.name not in known:
        what, where = ("action type", settings.actions) if known is types else ("agent", settings.agents)
        names = ", ".join(sorted(known)) or "none"
        raise NotFound(f"There is no {what} {scope.name!r}; needed one of: {names}; see the folder {where}.")
    return agents
