"""`python -m bench.stores`: `precede run` with store and Dagster in SQLite, and in a Postgres server of its own.

Each kind begins with the same Northgate, runs twice, and verifies its ledger. What both came to must be the same.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from orchestration.settings import PROJECT
from tests.serving import new_database, postgres

app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True)
class Ran:
    """What one kind of store took and came to.

    Attributes:
        first: Seconds of the first run.
        second: Seconds of the second run.
        verify: Seconds of `precede ledger verify`.
        proved: Whether the ledger verified, Dagster's event log included.
        outcomes: Verdict and outcome of an action to how many there are.
    """

    first: float
    second: float
    verify: float
    proved: bool
    outcomes: dict[str, int]


@app.command()
def main(records: Annotated[int, typer.Option(min=600, help="About how many records Northgate has.")] = 6000) -> None:
    """Run on both kinds of store, and compare."""
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="precede-stores-") as folder, server() as urls:
        ran = {}
        for kind, told in (("SQLite", dict[str, str]()), ("Postgres", urls)):
            console.print(f"{kind}: {records:,} records, twice ...")
            ran[kind] = run(Path(folder, kind.lower()), told, records)
    table = Table("store", "first run", "second run", "verify", "proved", "actions")
    for kind, one in ran.items():
        came_to = ", ".join(f"{number} {name}" for name, number in sorted(one.outcomes.items()))
        table.add_row(
            kind,
            f"{one.first:.1f} s",
            f"{one.second:.1f} s",
            f"{one.verify:.1f} s",
            "yes" if one.proved else "NO",
            came_to,
        )
    Console().print(table)
    same = ran["SQLite"].outcomes == ran["Postgres"].outcomes
    raise typer.Exit(0 if same and all(one.proved for one in ran.values()) else 1)


def run(home: Path, told: dict[str, str], records: int) -> Ran:
    """Build Northgate in a home, run twice, verify."""
    ours = ("PRECEDE_", "DAGSTER_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)} | told
    environment |= {"PRECEDE_HOME": str(home), "PRECEDE_BUSINESS_DATE": "2026-11-02"}
    _timed(environment, "python", "-m", "examples.northgate", "--records", str(records))
    first, _ = _timed(environment, "precede", "run", "--json")
    second, _ = _timed(environment, "precede", "run", "--json")
    verify, said = _timed(environment, "precede", "ledger", "verify", "--json")
    verified = json.loads(said)
    _, said = _timed(environment, "precede", "actions", "--json")
    outcomes: dict[str, int] = {}
    for action in json.loads(said):
        name = " ".join(str(action[part]) for part in ("verdict", "outcome") if action.get(part))
        outcomes[name] = outcomes.get(name, 0) + 1
    return Ran(first, second, verify, bool(verified["ok"] and verified["lineage"]), outcomes)


def _timed(environment: dict[str, str], program: str, *arguments: str) -> tuple[float, str]:
    begun = time.monotonic()
    command = [str(Path(sys.executable).with_name(program)), *arguments]
    done = subprocess.run(command, env=environment, cwd=PROJECT, capture_output=True, text=True, check=False)  # noqa: S603  our own programs
    if done.returncode:
        raise typer.Exit(_told(done.stderr))
    return time.monotonic() - begun, done.stdout


def _told(said: str) -> int:
    sys.stderr.write(said)
    return 1


@contextmanager
def server() -> Iterator[dict[str, str]]:
    """A Postgres server with a database for the store and one for Dagster's record; the variables that name them."""
    with postgres() as url:
        store, record = (new_database(url, name) for name in ("store", "record"))
        yield {"PRECEDE_STORE_URL": store, "PRECEDE_DAGSTER_URL": record.replace("postgresql:", "postgresql+psycopg2:")}


if __name__ == "__main__":
    app()
