"""`precede ledger`: prove that nobody edited the record, sign its head, and export proofs for somebody else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli.reading import AsJson, Paper, because, plain, print_json, reading_store
from orchestration.errors import PrecedeError
from orchestration.settings import Settings

if TYPE_CHECKING:
    from orchestration.ledger.verify import Verification

app = typer.Typer(help="Prove that nobody edited the record.", no_args_is_help=True, add_completion=False)
Out = Annotated[Path, typer.Option("--out", help="The file to write the proof to.")]


@app.callback()
def ledger() -> None:
    """Prove that nobody edited the record."""


@app.command()
def verify(*, as_json: AsJson = False) -> None:
    """Check the hash chain against the checkpoints, permits, graph files, the store and Dagster's event log.

    Ends with exit code 1 and a sentence for each problem where one was found.
    """
    from orchestration.ledger.lineage import instance_at  # noqa: PLC0415  Dagster takes a second to import
    from orchestration.ledger.verify import verify as verified  # noqa: PLC0415  it belongs to that

    settings = Settings()
    with reading_store() as store, instance_at(settings.dagster_home) as instance:
        found = verified(store, instance, settings)
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        for line in _told(found):
            Paper().print(line)
    if not found.ok:
        raise typer.Exit(1)


@app.command()
def checkpoint(
    *,
    restore: Annotated[
        bool, typer.Option("--restore", help="Write files that are missing from the folder again, from the store.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Sign the ledger's head and write it to PRECEDE_CHECKPOINTS, where an entry came since the last one.

    Keep that folder where nobody who may write to the store can: on another machine, or in a write-once bucket. Signing
    by hand takes an auditor or an operator; the schedule takes nobody.
    """
    from orchestration.cli.acting import acting  # noqa: PLC0415  it loads the store
    from orchestration.identity.person import Role  # noqa: PLC0415  it belongs to that
    from orchestration.ledger import signing  # noqa: PLC0415  it loads the gate
    from orchestration.store.engine import open_store  # noqa: PLC0415  it belongs to that

    settings = Settings()
    with closing(open_store(settings, create=False)) as store:
        acting(store, settings, Role.AUDITOR, Role.OPERATOR)
        back = signing.restore(store, settings) if restore else []
        made = signing.make(store, settings, datetime.now(UTC))
    if as_json:
        written = {"path": str(made.path), **made.head.model_dump(mode="json")} if made else None
        print_json({"checkpoint": written, "restored": [str(path) for path in back]})
        return
    for path in back:
        Paper().print(f"Written again: {path}")
    if made is None:
        Paper().print("No entry came since the last checkpoint; nothing is written.")
    else:
        Paper().print(f"Signed {made.head.last:,} entries, root {made.head.root}")
        Paper().print(f"in {made.path}", soft_wrap=True)


@app.command()
def clock(
    *,
    reason: Annotated[str, typer.Option("--reason", help="How you know that the clock was ahead.")],
    as_json: AsJson = False,
) -> None:
    """Say that the clock was ahead for a while, where entries of the future end permits, tokens and approvals.

    Takes an operator. What was recorded stays as it is; time is judged by what is recorded from now on.
    """
    from orchestration.cli.acting import acting  # noqa: PLC0415  it loads the store
    from orchestration.identity.clock import set_right  # noqa: PLC0415  it belongs to that
    from orchestration.identity.person import Role  # noqa: PLC0415  it belongs to that
    from orchestration.store.engine import open_store  # noqa: PLC0415  it belongs to that

    said = because(reason)
    settings = Settings()
    with closing(open_store(settings, create=False)) as store:
        operator = acting(store, settings, Role.OPERATOR).name
        with store.begin() as connection:
            found = set_right(connection, operator=operator, reason=said, now=datetime.now(UTC))
    if as_json:
        print_json(None if found is None else {"entry": found.entry, "at": found.at.isoformat()})
    elif found is None:
        Paper().print("No entry is later than it is now; nothing is recorded.")
    else:
        Paper().print(f"Recorded: entry {found.entry:,} of {plain(found.at)} ends nothing any more.")


@app.command()
def prove(
    action: Annotated[str, typer.Argument(help="An action's id.")],
    out: Out,
    *,
    disclose: Annotated[
        bool, typer.Option("--disclose", help="Also say what the entries commit to, personal data included.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Export a proof that the entries about an action stand in the ledger of the last checkpoint.

    `docs/verify_proof.py` verifies it with the checkpoint's file and the public key, and with nothing of Precede.
    """
    from orchestration.ledger.inclusion import prove as proved  # noqa: PLC0415  it loads the gate

    settings = Settings()
    with reading_store() as store:
        proof, signed = proved(store, settings, action, disclose=disclose)
    _write(out, proof.model_dump_json(indent=1))
    if as_json:
        print_json({"proof": str(out), "checkpoint": str(signed), "not_yet": proof.not_yet})
        return
    Paper().print(f"Proved: {len(proof.entries)} entries about {action} stand in checkpoint {proof.checkpoint}.")
    if proof.not_yet:
        Paper().print(f"Signed by no checkpoint yet: {', '.join(map(str, proof.not_yet))}")
    _how("inclusion", out, signed, settings)


@app.command()
def consistency(
    older: Annotated[int, typer.Argument(help="The number of a checkpoint.")],
    newer: Annotated[int, typer.Argument(help="The number of a later one.")],
    out: Out,
    *,
    as_json: AsJson = False,
) -> None:
    """Export a proof that the ledger of a checkpoint begins with that of an earlier one, unchanged."""
    from orchestration.ledger.inclusion import consistent  # noqa: PLC0415  it loads the gate

    settings = Settings()
    with reading_store() as store:
        proof, first, second = consistent(store, settings, older, newer)
    _write(out, proof.model_dump_json(indent=1))
    if as_json:
        print_json({"proof": str(out), "older": str(first), "newer": str(second)})
        return
    Paper().print(f"Proved: the ledger of checkpoint {newer} begins with that of checkpoint {older}.")
    _how("consistency", out, first, second, settings)


def _told(found: Verification) -> Iterator[str]:
    if found.ok:
        yield f"The ledger is sound: {found.entries:,} entries, each as it was written."
    else:
        many = len(found.problems)
        yield f"{many:,} {'problem' if many == 1 else 'problems'} in {found.entries:,} entries:"
        yield from (f"  {problem}" for problem in found.problems)
    if found.covered and found.signed_at:
        signed = f"Checkpoints that hold: {found.checkpoints:,}, the last of {plain(found.signed_at)}"
        yield f"{signed}: up to entry {found.covered:,} this is the ledger that was signed."
    else:
        yield "No checkpoint says that this is the ledger that it was: see `precede ledger checkpoint`."
    if found.ok and not found.lineage:
        yield "There is no Dagster instance here yet to compare it with."
    if found.ok and not found.signatures:
        yield "There is no public key here to verify the signatures of permits with."
    yield f"Head: entry {found.entries:,}, {found.head}"


def _how(what: str, proof: Path, *rest: Path | Settings) -> None:
    """Say how the proof is verified."""
    words = [str(one.keys / "checkpoint.pub") if isinstance(one, Settings) else str(one) for one in rest]
    Paper().print(f"python docs/verify_proof.py {what} {proof} {' '.join(words)}", soft_wrap=True)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as problem:
        raise PrecedeError(
            f"{path} cannot be written ({problem.strerror}); needed a file for the proof; name another with --out."
        ) from problem
