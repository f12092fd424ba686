"""`precede dagster check`: whether Dagster can load every code location, as its own `dg check defs` sees them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.processes import locations
from orchestration.errors import PrecedeError
from orchestration.settings import PROJECT, Settings
from orchestration.work.environment import location_environment

app = typer.Typer(no_args_is_help=True)


@app.callback()
def dagster() -> None:
    """Look after the Dagster side of the project."""


@app.command()
def check(
    *, quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing where all is well.")] = False
) -> None:
    """Load every code location with `dg check defs`, each with the variables it may see: loading runs its code.

    One `dg` project has one root module, so that each location is shown to it as a project of its own.
    """
    settings, names = Settings(), sorted(locations())
    refused = [said for name in names if (said := _refusal(name, settings))]
    if refused:
        sys.stderr.write("".join(refused))
        raise PrecedeError("Dagster cannot load the code locations; why stands above.")
    if not quiet:
        typer.echo(f"Dagster loads {', '.join(names)}.")


def _refusal(location: str, settings: Settings) -> str:
    """What Dagster says against a code location; empty where it loads."""
    with tempfile.TemporaryDirectory() as folder:
        project = write_project(Path(folder), location)
        done = subprocess.run(  # noqa: S603  the environment's own program
            [str(Path(sys.executable).with_name("dg")), "check", "defs", "--use-active-venv"],
            cwd=project,
            env={**location_environment(location, settings, os.environ), "DAGSTER_HOME": folder},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    return done.stdout + done.stderr if done.returncode else ""


def write_project(folder: Path, location: str) -> Path:
    """Lay a code location out as a `dg` project; where it is."""
    project = folder / location
    project.mkdir()
    (project / location).symlink_to(PROJECT / location, target_is_directory=True)
    declared = f'directory_type = "project"\n[project]\nroot_module = "{location}"\n'
    (project / "dg.toml").write_text(declared, encoding="utf-8")
    return project
