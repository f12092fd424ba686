"""`python -m examples.northgate`: make the example company's databases."""

from __future__ import annotations

from datetime import UTC, datetime, time
from enum import StrEnum
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from examples.northgate.build import Targets, build, in_home
from examples.northgate.plan import AS_OF, RECORDS, SEED, Plan
from orchestration.errors import PrecedeError
from orchestration.settings import Settings

_AS_OF = datetime.combine(AS_OF, time(), tzinfo=UTC)


class Way(StrEnum):
    """A way of making dirt."""

    A = "A"
    B = "B"


app = typer.Typer(add_completion=False)


@app.command()
def main(  # noqa: PLR0913  one parameter is one option
    *,
    records: Annotated[int, typer.Option(min=100, help="About how many organisation and person rows.")] = RECORDS,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same content.")] = SEED,
    as_of: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day the books stand at.")] = _AS_OF,
    crm: Annotated[str, typer.Option(help="URL of the CRM's database; a SQLite file by default.")] = "",
    erp: Annotated[str, typer.Option(help="URL of the ERP's database; a SQLite file by default.")] = "",
    support: Annotated[str, typer.Option(help="URL of the support desk's database; a SQLite file by default.")] = "",
    out: Annotated[
        Path | None, typer.Option(help="Folder of the SQLite files. [default: PRECEDE_HOME/northgate]")
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="Folder of the truth. [default: beside OUT or PRECEDE_HOME]")
    ] = None,
    dirt: Annotated[Way, typer.Option(help="Which of two independent ways of making dirt.")] = Way.A,
) -> None:
    """Make Northgate, an invented British firm with a CRM, an ERP and a support desk."""
    console = Console(stderr=True)
    urls = {system: url for system, url in (("crm", crm), ("erp", erp), ("support", support)) if url}
    home = in_home(Settings().home)
    targets = Targets(out, urls, truth) if out else Targets(home.out, urls, truth or home.truth)
    begun = monotonic()
    try:
        counts = build(Plan(records, seed, as_of.date(), dirt.value), targets, console)
    except PrecedeError as error:
        console.print(str(error), style="red")
        raise typer.Exit(1) from error
    table = Table("system", "table", "rows", title="Northgate")
    for system, tables in counts.items():
        for name, rows in tables.items():
            table.add_row(system, name, f"{rows:,}")
    Console().print(table)
    console.print(f"Made in {monotonic() - begun:.1f} s in {targets.out}")


if __name__ == "__main__":
    app()
