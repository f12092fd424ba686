"""Whom the gate decides about: Northgate, reconciled by insight, and an agent with as many policies as are asked for.

The agent is Northgate's own that reminds of invoices, with a trigger that shows every open invoice at every stage,
limits that let it go on for as long as there are any, and policies that all speak of it: none of them is ruled out by
its agent or its action type before it is evaluated.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from shutil import copytree
from typing import Final

import duckdb
from sqlalchemy import insert, select, update

from bench.reconcile import reconcile
from examples.northgate.build import build, in_home
from examples.northgate.plan import Plan
from orchestration.contracts import GRAPH_ASSET, Pin
from orchestration.errors import PrecedeError
from orchestration.gate.rules import load_rules
from orchestration.ledger import lineage
from orchestration.settings import PROJECT, Settings
from orchestration.store.engine import Store, open_store
from orchestration.store.tables import ledger_entry, ledger_payload, pointer, snapshot, watermark
from orchestration.work.environment import prepare_home

AGENT: Final = "finance"
STAGES: Final = 40
"""How often one invoice may be reminded of, so that there are enough effects to be had."""
_RECORDS_OF_AN_ENTITY: Final = 1.6
_PUBLISHED: Final = (snapshot, pointer, watermark, ledger_entry, ledger_payload)
"""What the store holds once a graph was published, in the order that they may be written in."""
_READY: Final = "reconciled"
_TRIGGER: Final = Path(__file__).parent / "trigger.sql"
_LIMITS: Final = """limits:
  per_batch: 1000000
  per_entity_per_day: 1000000
  per_contact_point_per_day: 1000000
"""
_POLICY: Final = """
@id("bench-{number}")
forbid (
    principal == Agent::"finance",
    action == Action::"send_payment_reminder",
    resource
)
when {{ context.invoice.currency == "{currency}" && context.invoice.amount_open.greaterThan(decimal("{amount}.0")) }};
"""


@dataclass(frozen=True)
class Company:
    """A home with a published graph, and rules to decide by.

    Attributes:
        settings: Where everything is.
        entities: How many entities the graph has.
        policies: How many policies are asked for each decision.
        pin: The materialisation of the graph.
        published_at: When the graph was published: the clock goes on from there, however old the home is.
    """

    settings: Settings
    entities: int
    policies: int
    pin: Pin
    published_at: datetime


def company(folder: Path, entities: int, policies: int, actions: int) -> Company:
    """Northgate with at least as many entities, reconciled; made once for a folder.

    Args:
        folder: Where it is, or is to be.
        entities: At least how many.
        policies: How many policies each decision is to be made by.
        actions: For how many actions there is to be a cause.

    Raises:
        PrecedeError: It cannot be made, or the folder holds a smaller one.
    """
    settings = Settings(home=folder / "home")
    if not (folder / _READY).is_file():
        targets = in_home(settings.home)
        if not targets.out.exists():
            build(Plan(round(entities * _RECORDS_OF_AN_ENTITY)), targets)
        prepare_home(settings)
        reconcile(settings, folder)
        (folder / _READY).touch()
    with duckdb.connect(str(settings.graph_link), read_only=True) as graph:
        held = int(graph.execute("SELECT count(*) FROM entity").fetchall()[0][0])
    if held < entities:
        raise PrecedeError(f"{folder} holds {held:,} entities; needed {entities:,}; name another folder.")
    pinned, published_at = _published(settings)
    settings = _ruled(settings, folder / "rules", policies, actions)
    whole = load_rules(settings).policies[AGENT].whole
    return Company(settings, held, len(whole.named), pinned, published_at)


def copied(company: Company, url: str) -> Store:
    """A new store with what the company's own held once its graph was published.

    Args:
        company: The company.
        url: Where the new store is to be: an empty database, or a file that is not there.
    """
    os.environ.pop("PRECEDE_STORE_URL", None)
    source = open_store(company.settings, create=False)
    with source.read() as connection:
        held = {table: connection.execute(select(table)).mappings().all() for table in _PUBLISHED}
    source.close()
    os.environ["PRECEDE_STORE_URL"] = url
    store = open_store(company.settings)
    with store.begin() as connection:
        for table, rows in held.items():
            if rows:
                connection.execute(insert(table), [dict(row) for row in rows])
        connection.execute(update(snapshot).values(pin=company.pin.model_dump()))
    return store


def _published(settings: Settings) -> tuple[Pin, datetime]:
    os.environ.pop("PRECEDE_STORE_URL", None)
    store = open_store(settings, create=False)
    with store.read() as connection:
        query = select(snapshot).join(pointer, pointer.c.snapshot_id == snapshot.c.snapshot_id)
        row = connection.execute(query).one()
    store.close()
    with lineage.instance_at(settings.dagster_home) as instance:
        found = None if instance is None else lineage.pin(instance, GRAPH_ASSET, row.snapshot_id)
    if found is None:
        raise PrecedeError(f"Dagster's event log in {settings.home} has no materialisation of {row.snapshot_id}.")
    return found, row.published_at


def _ruled(settings: Settings, rules: Path, policies: int, actions: int) -> Settings:
    """The settings with rules of one's own: the project's, for as many policies and actions as are asked for."""
    settings = replace(settings, agents=rules / "agents", actions=rules / "actions")
    agent, action = settings.agents / AGENT, settings.actions / "send_payment_reminder.yml"
    copytree(PROJECT / "action" / "agents", settings.agents, dirs_exist_ok=True)
    copytree(PROJECT / "orchestration" / "actions", settings.actions, dirs_exist_ok=True)
    action.write_text(_replaced(action.read_text(), r"    maximum: 3\n", f"    maximum: {STAGES}\n"))
    card = _replaced((agent / "agent.yml").read_text(), r"limits:\n(  .*\n)+", _LIMITS)
    (agent / "agent.yml").write_text(_replaced(card, r"columns: .*\n", "columns: [invoice, stage, person, mailbox]\n"))
    (agent / "trigger.sql").write_text(f"{_TRIGGER.read_text()}LIMIT {actions}\n")
    ours = len(load_rules(settings).policies[AGENT].whole.named)
    more = [_POLICY.format(number=n, currency=f"X{n:02d}", amount=1000 + n) for n in range(policies - ours)]
    with (agent / "policy.cedar").open("a") as file:
        file.writelines(more)
    return settings


def _replaced(text: str, pattern: str, by: str) -> str:
    changed, times = re.subn(pattern, by, text)
    if times != 1:
        raise PrecedeError(f"Found {pattern!r} {times} times in the rules of the example company; needed it once.")
    return changed
