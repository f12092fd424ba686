"""What insight's assets share: the folder they work in, and how one step becomes an asset with a page.

A step is a plain function of the settings; which asset it is, what it depends on and what its page shows is said in
`assets.py`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Protocol, TypeVar

import dagster as dg

from insight.columns import Column
from insight.handed import hand_on, handed_before
from insight.pages import Page
from orchestration.settings import Settings
from orchestration.work.alone import alone
from orchestration.work.events import kept_open

TEAM = "team:insight"
REBUILD = "precede/rebuild"
"""The tag of a run that makes everything anew."""
ERASING = "precede/erasing"
"""The tag of a run that leaves nothing of people who were erased: what is needed no more goes at once."""
WORKBENCH = "workbench"
"""The resource that every step asks for."""


class Versioned(Protocol):
    """A step's result."""

    @property
    def version(self) -> str:
        """Digest of what it was made from."""


_Made = TypeVar("_Made", bound=Versioned)


@dg.resource(description="The folder that insight works in, held by one run at a time.")
def workbench(context: dg.InitResourceContext) -> Iterator[Settings]:
    """Hold it for the whole run, and say where things are."""
    settings = Settings()
    with alone(settings.home, "reconcile"), ExitStack() as held:
        if context.instance is not None and context.run is not None:
            held.enter_context(kept_open(context.instance.event_log_storage, context.run.run_id))
        yield settings


def settings_of(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> Settings:
    """Where things are, as the run's workbench says."""
    settings: Settings = context.resources.workbench
    return settings


def is_full(context: dg.AssetExecutionContext) -> bool:
    """Whether the run makes everything anew, and goes on from nothing."""
    return context.run.tags.get(REBUILD) == "true"


def is_erasing(context: dg.AssetExecutionContext) -> bool:
    """Whether nothing of people who were erased may be left by the run."""
    return context.run.tags.get(ERASING) == "true"


def stage(  # noqa: PLR0913  an asset has that many sides
    key: Sequence[str],
    kind: type[_Made],
    make: Callable[[Settings, _Made | None], _Made],
    page: Callable[[_Made], Page],
    *,
    apart: Callable[[_Made, _Made], Mapping[str, float]] | None = None,
    deps: Iterable[Sequence[str]],
    group: str,
    description: str,
    kinds: Iterable[str] = ("duckdb", "parquet"),
    shown: Iterable[Column] = (),
) -> dg.AssetsDefinition:
    """An asset that is one step.

    Args:
        key: The asset's key.
        kind: What the step returns.
        make: The step, with what it returned last, from which it may go on; None where it must begin from the start. It
            does nothing where its result is there.
        page: What is shown of its result.
        apart: How far what was made from the start is from what was there; asked when everything is made anew.
        deps: Keys of the assets that it reads.
        group: Its group.
        description: What it is.
        kinds: What it is made with.
        shown: Its columns, where they are worth showing.
    """

    @dg.asset(
        key=list(key),
        deps=[dg.AssetKey(list(dep)) for dep in deps],
        group_name=group,
        kinds=set(kinds),
        owners=[TEAM],
        description=description,
        metadata=schema(shown),
        required_resource_keys={WORKBENCH},
    )
    def step(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        settings = settings_of(context)
        last = next(iter(handed_before(settings, key, kind)), None)
        full = is_full(context)
        made = make(settings, None if full else last)
        hand_on(settings, key, made)
        shown = page(made)
        if full and apart is not None and last is not None:
            shown.numbers.update(apart(last, made))
        unchanged = last is not None and last.version == made.version
        return materialised(key, made.version, shown, unchanged=unchanged)

    return step


def materialised(key: Sequence[str], version: str, page: Page, *, unchanged: bool) -> dg.MaterializeResult[None]:
    """A materialisation with its data version and what its page shows."""
    return dg.MaterializeResult(
        asset_key=list(key),
        data_version=dg.DataVersion(version),
        metadata={
            "summary": page.summary,
            "dagster/row_count": page.rows,
            "unchanged": unchanged,
            **page.numbers,
            **{name: dg.MetadataValue.md(text) for name, text in page.texts.items()},
        },
    )


def schema(columns: Iterable[Column]) -> dict[str, Any]:
    """The metadata by which Dagster shows a table's columns; nothing where there are none to show."""
    shown = [
        dg.TableColumn(
            column.name,
            column.kind,
            description=column.description,
            constraints=dg.TableColumnConstraints(nullable=column.nullable),
        )
        for column in columns
    ]
    return {"dagster/column_schema": dg.TableSchema(shown)} if shown else {}
