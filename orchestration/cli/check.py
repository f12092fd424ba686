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
from orchestration.settings import PROJECT

app = typer.Typer(no_args_is_help=True)


@app.callback()
def dagster() -> None:
    """Look after the Dagster side of the project."""


@app.command()
def check(
    *, quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing where all is well.")] = False
) -> None:
    """Load every code location with `dg check defs`.

    One `dg` project has one root module; the three locations are shown to it as a workspace of three projects.
    """
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        names = sorted(locations())
        write_workspace(workspace, names)
        done = subprocess.run(  # noqa: S603  the environment's own program
            [str(Path(sys.executable).with_name("dg")), "check", "defs", "--use-active-venv"],
            cwd=workspace,
            env={**os.environ, "DAGSTER_HOME": folder},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        raise PrecedeError("Dagster cannot load the code locations; why stands above.")
    if not quiet:
        typer.echo(f"Dagster loads {', '.join(names)}.")


def write_workspace(folder: Path, names: list[str]) -> None:
    """Lay out a `dg` workspace in which each code location is a project."""
    projects = "".join(f'[[workspace.projects]]\npath = "{name}"\n' for name in names)
    (folder / "dg.toml").write_text(f'directory_type = "workspace"\n[workspace]\n{projects}', encoding="utf-8")
    for name in names:
        project = folder / name
        project.mkdir()
        (project / name).symlink_to(PROJECT / name, target_is_directory=True)
        (project / "dg.toml").write_text(
            f'directory_type = "project"\n[project]\nroot_module = "{name}"\n', encoding="utf-8"
        )
