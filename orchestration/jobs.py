"""The coordinator's jobs: `wake` looks whom the current graph wakes, `act` decides and delivers what was proposed."""

from __future__ import annotations

import dagster as dg

from orchestration.work.sensors import JOB

wake = dg.define_asset_job(
    "wake",
    selection=dg.AssetSelection.groups("triggers", "audit"),
    tags={JOB: "wake"},
    description="Run each agent's trigger on the current snapshot, and leave the rows where the agents find them.",
)
act = dg.define_asset_job(
    "act",
    selection=dg.AssetSelection.groups("effects", "audit"),
    tags={JOB: "act"},
    description="Take proposals in, decide, deliver what is permitted, close the ledger over it. Safe to run again.",
)
