"""The example company, found by entry point, so that the coordinator does not import it."""

from __future__ import annotations

import contextlib
import sys
from importlib.metadata import entry_points

from orchestration.settings import Settings


def ensure_example(settings: Settings) -> None:
    """Build the example company's systems where they are missing, unless `PRECEDE_SOURCES` names others.

    What it says goes to standard error.
    """
    if not settings.example:
        return
    for point in entry_points(group="precede.examples"):
        with contextlib.redirect_stdout(sys.stderr):
            point.load()(settings.home)
