"""`precede erase`: forget a person, and see to it that they do not come back."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console

from orchestration.cli.acting import acting
from orchestration.cli.processes import run_job
from orchestration.cli.progress import Progress
from orchestration.cli.reading import AsJson, Paper, print_json
from orchestration.erasure import erase as erasing
from orchestration.errors import ConfigurationError
from orchestration.identity.person import Role
from orchestration.settings import Settings
from orchestration.store.engine import open_store


def erase(
    person: Annotated[
        str | None, typer.Argument(metavar="PERSON", help="The person's entity id, or the id of a record of theirs.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why, without saying who; it is kept in the ledger.")] = "",
    *,
    finish: Annotated[bool, typer.Option("--finish", help="Finish an erasure that was broken off.")] = False,
    republished: Annotated[
        bool, typer.Option("--republished", help="Insight's job `erase` was run elsewhere: do not run it here.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Erase a person from the store, the evidence, what was landed and made, and every graph.

    The ledger keeps a signed proof of it, and a keyed suppression keeps the next reading from bringing them back. The
    source systems are not touched. It takes an operator.
    """
    if finish is (person is not None):
        raise ConfigurationError("precede erase", "both or neither", "either a person or --finish")
    if person is not None and not reason.strip():
        raise ConfigurationError("--reason", "nothing", "a few words that do not say who it is")
    settings, now = Settings(), datetime.now(UTC)
    progress = Progress(Console(stderr=True), quiet=as_json)
    with closing(open_store(settings, create=False)) as store:
        by = acting(store, settings, Role.OPERATOR).name
        done = None
        if person is not None:
            done = erasing.erase(store, settings, person.strip(), operator=by, reason=reason.strip(), now=now)

        def republish() -> None:
            with progress.stage("Insight makes everything anew without them"):
                run_job("insight", "erase", settings, progress.tell)

        finished = erasing.finish(store, settings, (lambda: None) if republished else republish, datetime.now(UTC))
    if as_json:
        print_json({"erased": done, "finished": finished, "by": by, "note": erasing.REACHES_NOT})
        return
    if done is not None:
        removed = ", ".join(f"{number:,} of {name}" for name, number in done.counts.items()) or "nothing"
        Paper().print(f"{done.erasure_id}: taken out of the store: {removed}. Entry {done.entry} proves it.")
        Paper().print(f"{done.suppressed:,} digests keep them from coming back.")
    Paper().print(f"Finished: {', '.join(finished) or 'nothing was unfinished'}. {erasing.REACHES_NOT}")
