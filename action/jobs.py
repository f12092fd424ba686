"""The agents' job: `propose` answers every batch that waits."""

from __future__ import annotations

import dagster as dg

from orchestration.work.sensors import JOB

propose = dg.define_asset_job(
    "propose",
    selection=dg.AssetSelection.groups("proposals"),
    tags={JOB: "propose"},
    description="Let each agent answer the batches that wait for it. It has no effect; running it again does no harm.",
)
