"""`precede tune --promote` on a set, as a user calls it who has no judgements yet."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from insight.cli import commands
from orchestration.errors import PrecedeError
from orchestration.settings import PROJECT, Settings

COMMAND: Final = "tune"
OPTIONS: Final = ("--promote",)
PRECEDE: Final = Path(sys.executable).with_name("precede")


def tune(settings: Settings) -> bool:
    """Tune the models of a home on its records.

    Returns:
        Whether there is such a command: where there is none, the shipped models stand.

    Raises:
        PrecedeError: It failed.
    """
    if COMMAND not in commands:
        return False
    done = subprocess.run(
        [PRECEDE, COMMAND, *OPTIONS],
        env={**os.environ, "PRECEDE_HOME": str(settings.home), "PRECEDE_SOURCES": str(settings.sources)},
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PrecedeError(f"`precede {COMMAND}` ended with {done.returncode}: {done.stdout}{done.stderr}".strip())
    return True
