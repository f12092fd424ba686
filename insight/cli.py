"""Insight's commands of `precede`; the command line finds them by entry point.

What a command needs is loaded when it is called: this module is loaded for the help of every other.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Look at source folders before they are run.")
commands: Final[dict[str, typer.Typer]] = {"sources": app}
"""Name of a command to what runs it."""


@app.callback()
def sources() -> None:
    """Look at source folders before they are run."""


@app.command()
def check(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[DIR]", help="A folder of sources, or one of them; PRECEDE_SOURCES by default."),
    ] = None,
    *,
    rows: Annotated[int, typer.Option(min=1, help="Rows of each .sql and system to conform.")] = 1000,
    every: Annotated[bool, typer.Option("--all", help="Conform every row.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Connect to sources, and show what conforms and what would be quarantined, and why.

    Nothing is kept. The exit code is 1 where a source cannot be read, or has rows that no .sql speaks for.
    """
    from rich.console import Console  # noqa: PLC0415

    from insight.sources import shown  # noqa: PLC0415
    from insight.sources.check import check as look  # noqa: PLC0415
    from insight.sources.loading import load_sources  # noqa: PLC0415
    from orchestration.cli.reading import Paper, print_json  # noqa: PLC0415
    from orchestration.settings import Settings  # noqa: PLC0415

    settings = Settings()
    loaded = load_sources(folder.expanduser().resolve() if folder else settings.sources)
    sample = None if every else rows
    with Console(stderr=True).status("Looking at the sources") as status:
        report = look(loaded, settings, sample, tell=status.update)
    if as_json:
        print_json(report)
    else:
        Paper().print(shown.render(report, sample))
    if any(table.unaccounted for table in report.tables):
        raise typer.Exit(1)
