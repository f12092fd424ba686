"""Insight's commands of `precede`; the command line finds them by entry point.

What a command needs is loaded when it is called: this module is loaded for the help of every other.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Look at source folders before they are run.")
linkage = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Try a linkage model before it is used, and promote it."
)


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


Type = Annotated[str | None, typer.Option("--type", help="Only this record type: organisation or person.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


def tune(  # noqa: PLR0913  one option for each thing to ask for
    type_: Type = None,
    sample: Annotated[int, typer.Option(min=0, help="Draw so many pairs of each type for people to judge.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Which sample.")] = 1,
    *,
    promote: Annotated[bool, typer.Option("--promote", help="Make the candidates the current models.")] = False,
    judgements: Annotated[
        bool, typer.Option("--judgements", help="Tell precision and recall from the judged sample; train nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Train and calibrate linkage on your own records, and keep what comes of it as a candidate.

    With --sample, draw pairs to judge instead; with --judgements, say how good the linkage is by those judged.
    """
    from rich.console import Console  # noqa: PLC0415

    from insight.linkage.tuning import command  # noqa: PLC0415
    from orchestration.settings import Settings  # noqa: PLC0415

    settings, types = Settings(), command.chosen(type_)
    with Console(stderr=True).status("Tuning") as status:
        if judgements:
            page = command.judged(settings, types)
        elif sample:
            page = command.sampled(settings, types, sample, seed, status.update)
        else:
            page = command.tuned(settings, types, status.update, promote=promote)
    command.show(page, as_json=as_json)


@linkage.callback()
def about_linkage() -> None:
    """Try a linkage model before it is used, and promote it."""


@linkage.command("try")
def try_(
    model: Annotated[str, typer.Argument(help="A model's id, or its file; shipped/person is the one that came along.")],
    *,
    limit: Annotated[int, typer.Option(min=1, help="How many altered entities to list.")] = 20,
    as_json: Json = False,
) -> None:
    """Show which entities, standings and waiting actions of the current graph a model would alter. Nothing is kept."""
    from rich.console import Console  # noqa: PLC0415

    from insight.linkage.tuning import command  # noqa: PLC0415
    from orchestration.settings import Settings  # noqa: PLC0415

    with Console(stderr=True).status("Linking with the other model"):
        page = command.tried(Settings(), model, limit)
    command.show(page, as_json=as_json)


@linkage.command()
def promote(model: Annotated[str, typer.Argument(help="A model's id, or its file.")], *, as_json: Json = False) -> None:
    """Make a model the current one: from the next run on, everything of its record type is linked with it."""
    from insight.linkage.tuning import command  # noqa: PLC0415
    from orchestration.settings import Settings  # noqa: PLC0415

    command.show(command.promoted(Settings(), model), as_json=as_json)


def resolve(
    record: Annotated[
        str, typer.Argument(metavar="[FILE|-]", help="A file with one record as JSON; - for standard input.")
    ] = "-",
    type_: Annotated[str, typer.Option("--type", help="organisation or person.")] = "organisation",
    region: Annotated[
        str | None, typer.Option(help="The country of numbers that do not name theirs; GB if unsaid.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Say of which entity a record is, or of which it may be, or that it is of none. Nothing is kept.

    The record is a JSON object of fields of its type, such as {"name": "Acme Ltd", "postcode": "LS1 4AP"}.
    """
    import sys  # noqa: PLC0415

    from insight.unladen import load_arrow  # noqa: PLC0415

    load_arrow()

    from insight import resolving  # noqa: PLC0415
    from insight.resolved_shown import show  # noqa: PLC0415
    from orchestration.settings import Settings  # noqa: PLC0415

    text = sys.stdin.read() if record == "-" else resolving.read_file(Path(record))
    show(resolving.resolve(resolving.read_record(text), type_, Settings(), region), as_json=as_json)


commands: Final[dict[str, Any]] = {"sources": app, "tune": tune, "linkage": linkage, "resolve": resolve}
"""Name of a command to what runs it."""
