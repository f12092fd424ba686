"""What insight and the coordinator do in a deployment, a step a process, as the user that it is started as.

`python -m tests.integration.deploy.steps STEP`; what it prints is JSON.
"""

from __future__ import annotations

import json
import sys
from contextlib import closing
from datetime import UTC, datetime

from sqlalchemy import select

from orchestration.contracts import Pin
from orchestration.gate.keys import CREDENTIAL, signing_key
from orchestration.graph.current import open_current
from orchestration.ledger.verify import verify
from orchestration.registry import load_agents
from orchestration.settings import Settings
from orchestration.store import tables
from orchestration.store.engine import open_store
from orchestration.work.act import act
from orchestration.work.exchange import Exchange
from orchestration.work.triggers import run_triggers
from tests.integration.gate.world import World


def publish(settings: Settings) -> object:
    """Insight: publish the debtors."""
    with closing(open_store(settings)) as store:
        snapshot_id = World(settings.home, store).publish()
    path = settings.snapshots / f"{snapshot_id}.duckdb"
    path.chmod(0o440)
    settings.graph_link.hardlink_to(path)
    return snapshot_id


def wake(settings: Settings) -> object:
    """The coordinator: wake the agents, and give each its batch."""
    signing_key(settings.keys)
    with closing(open_store(settings)) as store, open_current(store, settings) as graph:
        pin = Pin(asset_key="entity_graph", storage_id=1, run_id="run", data_version=graph.snapshot_id)
        agents, day = load_agents(settings.agents), settings.business_date
        woken = run_triggers(
            store, Exchange(settings.exchange), graph, agents, business_date=day, now=datetime.now(UTC), pin=pin,
            key=signing_key(settings.keys, CREDENTIAL),
        )  # fmt: skip
    return {one.agent: [str(one.state), one.batch.batch_id if one.batch else one.detail] for one in woken}


def answer(settings: Settings) -> object:
    """The coordinator: take the answers in, decide, deliver, verify."""
    with closing(open_store(settings)) as store:
        done = act(store, settings, "hostile", holds=lambda _: True)
        with store.read() as connection:
            states = connection.execute(select(tables.outbox.c.state)).scalars().all()
        held = verify(store, None, settings)
    reasons = [dict(one.reasons) for one in done.batches]
    return {"states": states, "reasons": reasons, "problems": held.problems, "signatures": held.signatures}


if __name__ == "__main__":
    step = {each.__name__: each for each in (publish, wake, answer)}[sys.argv[1]]
    sys.stdout.write(json.dumps(step(Settings())))
