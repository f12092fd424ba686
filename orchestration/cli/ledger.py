"""`precede ledger verify`: proof that nobody edited the record."""

from __future__ import annotations

import typer

from orchestration.cli.reading import AsJson, Paper, print_json, reading_store
from orchestration.settings import Settings

app = typer.Typer(help="Prove that nobody edited the record.", no_args_is_help=True, add_completion=False)


@app.callback()
def ledger() -> None:
    """Prove that nobody edited the record."""


@app.command()
def verify(*, as_json: AsJson = False) -> None:
    """Check the hash chain, permits and graph files, and that ledger, store and Dagster's event log tell of the same.

    Ends with exit code 1 and a sentence for each problem where one was found.
    """
    from orchestration.ledger.lineage import instance_at  # noqa: PLC0415  Dagster takes a second to import
    from orchestration.ledger.verify import verify as verified  # noqa: PLC0415  it belongs to that

    settings = Settings()
    with reading_store() as store, instance_at(settings.dagster_home) as instance:
        found = verified(store, instance, settings)
    if as_json:
        print_json(found.model_dump(mode="json"))
    elif found.ok:
        Paper().print(f"The ledger is sound: {found.entries:,} entries, each as it was written.")
        if not found.lineage:
            Paper().print("There is no Dagster instance here yet to compare it with.")
        if not found.signatures:
            Paper().print("There is no public key here to verify the signatures of permits with.")
    else:
        Paper().print(f"{len(found.problems):,} problems in {found.entries:,} entries:")
        for problem in found.problems:
            Paper().print(f"  {problem}")
    if not as_json:
        Paper().print(f"Head: entry {found.entries:,}, {found.head}")
    if not found.ok:
        raise typer.Exit(1)
