"""A code location's job in a child process: started with only the variables it may see, and listened to.

What the child tells is an `Event`; everything else it says goes to a log file of its job. The child runs
`orchestration/cli/dagster.py`; this module never imports Dagster.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from orchestration.errors import PrecedeError
from orchestration.settings import PROJECT, Settings
from orchestration.work.environment import location_environment


class JobFailed(PrecedeError):  # noqa: N818  reads as the sentence it is
    """A job of a code location failed; the message is its own sentence and where its log is."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing a running job told.

    Attributes:
        kind: `start`, `done`, `asset`, `check`, `error` or `end`.
        step: The step it is about; empty where it is about the whole job.
        name: The asset or check.
        summary: What came of it, in a few words; of an error its sentence.
        rows: Of an asset, how many rows it has, where it is a table.
        seconds: Of a step's end, how long it took.
        passed: Of a check, whether it passed; of the end, whether the job succeeded.
        unchanged: Of an asset, that nothing was to do.
        blocking: Of a check, that nothing is published when it fails.
    """

    kind: str
    step: str = ""
    name: str = ""
    summary: str = ""
    rows: int = 0
    seconds: float = 0.0
    passed: bool = True
    unchanged: bool = False
    blocking: bool = False


def locations() -> dict[str, str]:
    """Code location to the module of its definitions, as the installed entry points name them."""
    return {point.name: point.value for point in entry_points(group="precede.locations")}


def run_job(location: str, job: str, settings: Settings, tell: Callable[[Event], None]) -> None:
    """Run a job of a code location in a process of its own, and wait for it.

    Args:
        location: The code location, whose environment the process gets.
        job: The job's name.
        settings: Where things are.
        tell: Called with each event as it comes.

    Raises:
        JobFailed: The job failed, or the process died.
    """
    module = locations().get(location)
    if module is None:
        raise PrecedeError(
            f"No code location {location!r} is installed; `make` installs the project with all of its entry points."
        )
    log = settings.home / "logs" / f"{job}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("w", encoding="utf-8") as stream,
        subprocess.Popen(  # noqa: S603  our own interpreter and our own module
            [sys.executable, "-m", "orchestration.cli.dagster", "run", module, job],
            env=location_environment(location, settings, os.environ),
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stream,
            text=True,
            encoding="utf-8",
        ) as child,
    ):
        errors = _listen(child, tell)
    if child.returncode:
        raise JobFailed(f"{errors or _last_words(log, job)} The log is {log}.")


def _listen(child: subprocess.Popen[str], tell: Callable[[Event], None]) -> str:
    """The sentences of what failed, once the process has ended."""
    failed: dict[str, list[str]] = {}  # step to the sentences of its failed checks, or else of its error
    try:
        for line in child.stdout or ():
            told = json.loads(line)
            event = _event(told)
            if event.kind == "check" and event.blocking and not event.passed:
                failed.setdefault(event.step, []).append(f"The check {event.name} failed: {event.summary}")
            elif event.kind == "error":
                failed.setdefault(event.step, [event.summary])
            tell(event)
        child.wait()
    except BaseException:
        child.terminate()
        child.wait()
        raise
    sentences = [sentence for of_step in failed.values() for sentence in of_step]
    return " ".join(dict.fromkeys(sentences))


def _event(told: dict[str, Any]) -> Event:
    return Event(
        kind=str(told["event"]),
        step=str(told.get("step") or ""),
        name=str(told.get("asset") or told.get("check") or ""),
        summary=str(told.get("message") or told.get("summary") or ""),
        rows=int(told.get("rows") or 0),
        seconds=float(told.get("seconds") or 0.0),
        passed=bool(told.get("passed", told.get("succeeded", True))),
        unchanged=bool(told.get("unchanged")),
        blocking=bool(told.get("blocking")),
    )


def _last_words(log: Path, job: str) -> str:
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return f"The process of the job {job!r} ended early: {lines[-1] if lines else 'it said nothing'}."
