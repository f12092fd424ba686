"""`precede report`: what the agents did in a period, as tables, as JSON, as one page, or as CSV."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli.reading import AsJson, Paper, print_json, reading_store, refuse_unknown
from orchestration.errors import PrecedeError
from orchestration.settings import Settings

if TYPE_CHECKING:
    from orchestration.ledger.verify import Verification
    from orchestration.store.engine import Store

LISTED = 10
"""Actions of each agent that a terminal shows."""
LISTED_ON_A_PAGE = 100


def report(  # noqa: PLR0913  what is asked for, and in which form
    *,
    since: Annotated[
        str | None, typer.Option(help="From this date or time on; the beginning of last month by default.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Up to this date or time, itself not included; the end of that month by default.")
    ] = None,
    zone: Annotated[str, typer.Option(help="The zone in which days begin, such as Europe/Berlin.")] = "UTC",
    agent: Annotated[str | None, typer.Option(help="Only of this agent.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write it to this file as one page.")] = None,
    csv: Annotated[
        Path | None, typer.Option(help="Write its tables into this folder as CSV; it is made where it is not there.")
    ] = None,
    actions: Annotated[int | None, typer.Option(min=1, help="How many actions of each agent to list.")] = None,
    names: Annotated[bool, typer.Option("--names", help="Name the entities, people among them.")] = False,
    verify: Annotated[bool, typer.Option(help="Verify the record first, and say whether it is sound.")] = True,
    as_json: AsJson = False,
) -> None:
    """Say what the agents did: what they proposed, what was decided and why, what was done and undone, who was asked.

    Ends with exit code 1 where the record does not verify; the report is made all the same, and says so.
    """
    from orchestration.report.make import make  # noqa: PLC0415  it loads the store and the graph
    from orchestration.report.period import period  # noqa: PLC0415  it belongs to that

    for path in (html, csv):
        _refuse_unplaced(path)
    settings, now = Settings(), datetime.now(UTC)
    asked = period(since, until, zone, now)
    pages = html is not None or csv is not None or as_json
    most = (LISTED_ON_A_PAGE if pages else LISTED) if actions is None else actions
    with reading_store() as store:
        refuse_unknown(agent, store)
        found = _verified(store, settings) if verify else None
        made = make(store, settings, asked, found, now, agent=agent, most=most, names=names)
    if html is not None:
        from orchestration.report.page import page  # noqa: PLC0415  it takes a second to import

        _write(html, page(made))
    if csv is not None:
        from orchestration.report.cells import tables  # noqa: PLC0415  few ask for it

        for name, text in tables(made).items():
            _write(csv / name, text)
    if as_json:
        print_json(made.model_dump(mode="json"))
    elif html is None and csv is None:
        from orchestration.cli.report_shown import show  # noqa: PLC0415  it belongs to that

        show(made, Paper())
    else:
        for path in (html, csv):
            if path is not None:
                Paper().print(f"Written: {path}", soft_wrap=True)
    if made.basis.verified is False:
        raise typer.Exit(1)


def _verified(store: Store, settings: Settings) -> Verification:
    """What `precede ledger verify` finds."""
    from orchestration.ledger.lineage import instance_at  # noqa: PLC0415  Dagster takes a second to import
    from orchestration.ledger.verify import verify as verified  # noqa: PLC0415  it belongs to that

    with instance_at(settings.dagster_home) as instance:
        return verified(store, instance, settings)


def _refuse_unplaced(path: Path | None) -> None:
    """Refuse a place in a folder that is not there: it may be mistyped, and the report takes a while."""
    if path is not None and not path.resolve().parent.is_dir():
        raise PrecedeError(
            f"The folder {path.parent} is not there; needed one that is, to write {path.name} into; make it, or name "
            "another one."
        )


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(exist_ok=True)  # that of the tables, which is named for them
        path.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise PrecedeError(
            f"{path} cannot be written ({problem.strerror}); needed a file for the report; name another one."
        ) from problem
