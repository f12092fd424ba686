"""`precede run`: the main job from end to end, each code location's part in a process of its own, then a summary."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Annotated, Final

import typer
from rich.console import Console

from orchestration.cli.example import ensure_example
from orchestration.cli.processes import run_job
from orchestration.cli.progress import Progress
from orchestration.cli.reading import Paper
from orchestration.cli.run_shown import show
from orchestration.cli.summary import as_json, collect, performed_so_far
from orchestration.graph.current import open_current
from orchestration.registry import load_agents
from orchestration.settings import Settings
from orchestration.store.engine import Store, open_store
from orchestration.work import due, watch
from orchestration.work.environment import prepare_home
from orchestration.work.exchange import Exchange

STAGES: Final = (
    ("insight", "reconcile", "Insight reads the sources and publishes one entity graph"),
    ("orchestration", "wake", "The coordinator looks whom the graph wakes"),
    ("action", "propose", "Agents propose"),
    ("orchestration", "act", "The coordinator decides, and delivers what it permits"),
)
"""Code location, its job, and what it is for."""
_EXAMPLE: Final = """
    SELECT name FROM entity WHERE entity_type = 'organisation' AND standing = 'reconciled' AND name IS NOT NULL
    ORDER BY len(systems) DESC, record_count DESC, name LIMIT 1
"""


def run(
    *,
    as_object: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Tell no progress.")] = False,
) -> None:
    """Read the sources, publish the graph, let the agents propose, decide and deliver; then sum it up.

    Without PRECEDE_SOURCES it works on the example company, which it builds first. Running it again changes only what
    the sources changed.
    """
    settings = Settings()
    progress = Progress(Console(stderr=True), quiet=quiet)
    prepare_home(settings)
    if not quiet:
        Console(stderr=True).print(f"Precede keeps everything in {settings.home}", highlight=False, soft_wrap=True)
    ensure_example(settings)
    store = open_store(settings)
    before = performed_so_far(store)
    for number, (location, job, title) in enumerate(STAGES, 1):
        with progress.stage(f"{number}/{len(STAGES)}  {title}"):
            if waits(job, store, settings):
                run_job(location, job, settings, progress.tell)
            else:
                progress.say("nothing waits")
    with open_current(store, settings) as graph:
        summary = collect(graph, store)
        named = graph.rows(_EXAMPLE)
    if as_object:
        sys.stdout.write(json.dumps(as_json(summary), indent=2) + "\n")
        return
    performed_now = summary.actions.performed - before
    example = named[0]["name"] if named else None
    show(summary, Paper(), performed_now=performed_now, link=settings.graph_link, example=example)


def waits(job: str, store: Store, settings: Settings) -> bool:
    """Whether there is anything for a job to do: the question that its sensor asks. The sources are always read."""
    agents, exchange = load_agents(settings.agents), Exchange(settings.exchange)
    with store.read() as connection:
        match job:
            case "wake":
                now = datetime.now(UTC)
                wakes = due.wakes(connection, exchange, agents, settings.business_date, now)
                return bool(wakes or watch.due(connection, settings, now))
            case "propose":
                return any(exchange.waiting(agent) for agent in agents)
            case "act":
                return bool(due.acts(connection, exchange, agents))
    return True
