"""The asset checks of a candidate graph: blocking ones, and figures that plot over time."""

from collections.abc import Iterator, Sequence
from contextlib import closing

import dagster as dg

from insight.handed import handed_one
from insight.publication.assets import CANDIDATE
from insight.publication.questions import (
    BLOCKING,
    DRIFT,
    Built,
    blocking_results,
    figures,
    found_again,
    previous_graph,
)
from insight.resources import WORKBENCH, settings_of
from insight.sources.source import Source
from orchestration.store.engine import open_store

_KEY = dg.AssetKey(CANDIDATE)


def checks_of(sources: Sequence[Source]) -> dg.AssetChecksDefinition:
    """Every check of a candidate, made in one step."""

    @dg.multi_asset_check(
        name="graph_checks",
        specs=[
            *(dg.AssetCheckSpec(name, asset=_KEY, blocking=True, description=says) for name, says in BLOCKING.items()),
            *(dg.AssetCheckSpec(name, asset=_KEY, description=says) for name, says in DRIFT.items()),
        ],
        required_resource_keys={WORKBENCH},
    )
    def graph_checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        settings = settings_of(context)
        built = found_again(handed_one(settings, CANDIDATE, Built), settings)
        with closing(open_store(settings)) as store:
            results = blocking_results(built, sources, store, settings.accept_missing)
            drift = figures(built, previous_graph(store, settings))
        for figure in drift:
            yield dg.AssetCheckResult(
                passed=figure.is_usual,
                asset_key=_KEY,
                check_name=figure.name,
                severity=dg.AssetCheckSeverity.WARN,
                description=figure.told,
                metadata={"value": figure.value},
            )
        for result in results:
            yield dg.AssetCheckResult(
                passed=result.passed,
                asset_key=_KEY,
                check_name=result.name,
                description=f"Found {result.found}; needed {result.needed}.",
                metadata={"examples": "\n".join(result.examples)} if result.examples else {},
            )

    return graph_checks
