"""Insight's code location: it holds the sources' read credentials, and publishes the graph."""

from __future__ import annotations

import dagster as dg

from insight import assets
from insight.jobs import erase, reading, rebuild, rebuilding, reconcile, train
from insight.publication.assets import candidate_of, graph_of
from insight.publication.checks import checks_of
from insight.resources import WORKBENCH, workbench
from insight.sources.loading import load_sources
from orchestration.graph.model import RECORD_TYPES
from orchestration.settings import Settings


@dg.definitions
def defs() -> dg.Definitions:
    """The assets of the sources that `PRECEDE_SOURCES` names.

    Raises:
        ConfigurationError: A source folder, `PRECEDE_SCHEDULE` or `PRECEDE_REBUILD_SCHEDULE` is none that can be.
    """
    settings = Settings()
    sources = load_sources(settings.sources)
    return dg.Definitions(
        assets=[
            *(assets.landing_of(source) for source in sources),
            *(assets.records_of(shape, sources) for shape in assets.stated_shapes(sources)),
            assets.aliases_of(sources),
            assets.rejected_of(sources),
            *(assets.model_of(record_type) for record_type in RECORD_TYPES),
            assets.judgements_of(),
            *(assets.links_of(record_type) for record_type in RECORD_TYPES),
            *(assets.entities_of(record_type, sources) for record_type in RECORD_TYPES),
            assets.relationships_of(),
            candidate_of(sources),
            graph_of(sources),
        ],
        asset_checks=[checks_of(sources)],
        jobs=[reconcile, rebuild, erase, train],
        schedules=[reading(settings.schedule), rebuilding(settings.rebuild_schedule)],
        resources={WORKBENCH: workbench},
        executor=dg.in_process_executor,
    )
