"""`precede policy`: what policies say, whether they are right, and what a change of them would have altered."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.canonical import plain as jsonable
from orchestration.cli.explained import explained
from orchestration.cli.reading import AsJson, Paper, headed, print_json, reading_store, table, told
from orchestration.errors import AgentError, NotFound
from orchestration.settings import Settings

if TYPE_CHECKING:
    from orchestration.gate.replay import Again, Asked, Kept
    from orchestration.registry import Agent

app = typer.Typer(help="Check, explain and try out policies.", no_args_is_help=True, add_completion=False)
_SHOWN = 50

AgentName = Annotated[
    str | None, typer.Option("--agent", help="Whose policies they are; the file's folder where it is not given.")
]


@app.callback()
def policy() -> None:
    """Check, explain and try out policies."""


@app.command()
def check(
    file: Annotated[Path | None, typer.Argument(help="A file in the place of an agent's policy.cedar.")] = None,
    agent: AgentName = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Validate the core's policies and every agent's, or one file, against what policies may speak of."""
    from orchestration.action_types import load_action_types  # noqa: PLC0415  Cedar takes a moment to load
    from orchestration.gate.policy_files import load_vocabulary, policies_of  # noqa: PLC0415  it belongs to that
    from orchestration.registry import load_agents  # noqa: PLC0415  it belongs to that

    settings = Settings()
    words, agents = load_vocabulary(load_action_types(settings.actions)), load_agents(settings.agents)
    if file is None:
        found = {name: policies_of(each, words) for name, each in agents.items()}
    else:
        whose = _whose(agents, file, agent)
        found = {whose.card.name: policies_of(whose, words, file)}
    sets = [
        {
            "agent": name,
            "digest": each.digest,
            "policies": sorted(each.whole.named.keys() - words.core.keys()),
            "review": sorted(each.review),
            "core": sorted(words.core),
        }
        for name, each in sorted(found.items())
    ]
    if as_json:
        print_json(sets)
        return
    shown = table("agent", "policies", "sent to review", "set")
    for name, one in sorted(found.items()):
        own = sorted(one.whole.named.keys() - words.core.keys())
        shown.add_row(name, "\n".join(own), "\n".join(sorted(one.review)), one.digest[:12])
    Paper().print(shown)
    Paper().print(f"Sound, each with the core's {len(words.core)} policies.")


@app.command()
def explain(
    action: Annotated[str, typer.Argument(help="An action's id, or the beginning of it.")], *, as_json: AsJson = False
) -> None:
    """Decide an action again from what was kept of its last decision, by the policies of then.

    Says whether it comes to the same, and of each policy whether it was satisfied and which facts it saw. Ends with
    exit code 1 where it comes to something else, or cannot be told.
    """
    from orchestration.gate.replay import again, differences, each_asked  # noqa: PLC0415  Cedar takes a moment to load
    from orchestration.gate.replayed import last_decision, policies_of_then  # noqa: PLC0415  it belongs to that

    with reading_store() as store, store.read() as connection:
        kept = last_decision(connection, action)
        policies = policies_of_then(connection, kept)
    comes_to = None if policies is None else again(kept, policies)
    asked = [] if policies is None else list(each_asked(kept, policies))
    problems = _problems(kept, known=policies is not None)
    if comes_to is not None:
        problems += differences(kept, comes_to)
    if as_json:
        print_json(jsonable(_explained(kept, comes_to, asked, problems)))
    else:
        explained(kept, asked, problems)
    if problems:
        raise typer.Exit(1)


@app.command(name="try")
def try_out(
    file: Annotated[Path, typer.Argument(help="The changed policy.cedar.")],
    agent: AgentName = None,
    days: Annotated[int, typer.Option(min=1, help="How many days of proposals to look at.")] = 30,
    *,
    as_json: AsJson = False,
) -> None:
    """Show which decisions of the last month a changed policy file would alter, before anyone deploys it.

    Decides from what was kept of each decision alone: standing, limits and the effects of then are taken as they were.
    """
    from orchestration.action_types import load_action_types  # noqa: PLC0415  Cedar takes a moment to load
    from orchestration.gate.policy_files import load_vocabulary, policies_of  # noqa: PLC0415  it belongs to that
    from orchestration.gate.replayed import tried  # noqa: PLC0415  it belongs to that
    from orchestration.registry import load_agents  # noqa: PLC0415  it belongs to that

    settings = Settings()
    words, agents = load_vocabulary(load_action_types(settings.actions)), load_agents(settings.agents)
    whose = _whose(agents, file, agent)
    changed = policies_of(whose, words, file, listed=False)
    try:
        standing = policies_of(whose, words, listed=False)
    except AgentError:
        standing = None  # the file as it stands does not load: what it would say is not known
    with reading_store() as store, store.read() as connection:
        trial = tried(connection, changed, standing, datetime.now(UTC) - timedelta(days=days))
    if as_json:
        print_json(jsonable(trial))
        return
    out = Paper()
    out.print(
        f"{trial.decided:,} proposals of {trial.agent} were decided since {trial.since:%Y-%m-%d}; policy was asked of "
        f"{trial.asked:,}, and {len(trial.altered):,} would be decided otherwise."
    )
    for (was, would_be), number in Counter((each.was, each.would_be) for each in trial.altered).most_common():
        out.print(f"  {number:,} from {was.value} to {would_be.value}")
    if trial.already:
        out.print(f"  {trial.already:,} of them would be by the policies as they stand, too.")
    shown = table("action", "entity", "was", "would be", "why")
    for each in trial.altered[:_SHOWN]:
        why = "\n".join(map(told, each.reasons))
        shown.add_row(each.action, each.entity, each.was.value, each.would_be.value, why)
    if trial.altered:
        out.print(headed("What would be otherwise", shown))
    if len(trial.altered) > _SHOWN:
        out.print(f"and {len(trial.altered) - _SHOWN:,} more; --json lists them all")
    if changed.review != set(whose.card.review):
        out.print(f"The card's `review` would have to say: [{', '.join(sorted(changed.review))}].")


def _whose(agents: dict[str, Agent], file: Path, agent: str | None) -> Agent:
    """The agent whose policies a file is to be."""
    name = agent or file.resolve().parent.name
    if name not in agents:
        found = f"No agent is called {agent!r}" if agent else f"{file} is in no agent's folder"
        raise NotFound(
            f"{found}; needed an agent whose policies it is to be; name one of {', '.join(sorted(agents))} "
            "with --agent."
        )
    return agents[name]


def _problems(kept: Kept, *, known: bool) -> list[str]:
    """Why a decision cannot be made again as it was, where it cannot."""
    if not kept.request_digest:
        return ["No facts are kept of it: policy was not asked, or it is older than facts are kept with decisions."]
    if kept.policy_request is None:
        return ["The facts that it was decided on are not kept any more."]
    found = []
    if kept.edited:
        found.append("The facts that are kept are not those that it was decided on: they were edited.")
    if not known:
        found.append("The policies that it was decided by are not in the store as they were.")
    return found


def _explained(kept: Kept, comes_to: Again | None, asked: list[Asked], problems: list[str]) -> dict[str, Any]:
    return {
        "action": kept.action,
        "agent": kept.agent,
        "verdict": kept.verdict,
        "reasons": [reason.model_dump() for reason in kept.reasons],
        "policy_set": kept.policy_digest,
        "comes_to": comes_to and comes_to.verdict,
        "same": comes_to is not None and not problems,
        "problems": problems,
        "policies": asked,
        "saw": kept.policy_request,
    }
