"""A process that tells what it does line by line, and how long and how much memory each of its steps took.

The most memory of a step is what the kernel saw of the whole process between the step's start and its end: its high
mark is put back when a step starts (`/proc/<pid>/clear_refs`). Processor time says what a loaded machine does not: how
much a step computed, however long it waited for a core.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Final

from orchestration.errors import PrecedeError
from orchestration.settings import PROJECT

_FORGET: Final = "5"


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        name: Its name.
        seconds: How long it took.
        processor: Seconds that its process, and those it waited for, computed meanwhile, on all cores together; 0 where
            the kernel does not tell.
        peak: The most memory that its process held meanwhile, in bytes; 0 where the kernel does not tell.
    """

    name: str
    seconds: float
    processor: float
    peak: int


@dataclass(frozen=True)
class Watched:
    """What a process did.

    Attributes:
        start: Seconds before its first step: starting Python, loading Dagster, making the run.
        work: Seconds from the start of its first step to the end of its last.
        steps: Its steps, in their order.
        told: Every other line.
    """

    start: float
    work: float
    steps: list[Step]
    told: list[dict[str, Any]]

    @property
    def peak(self) -> int:
        """The most memory of any step, in bytes."""
        return max((step.peak for step in self.steps), default=0)

    @property
    def processor(self) -> float:
        """Seconds that all steps computed, on all cores together."""
        return sum(step.processor for step in self.steps)

    def seconds(self, *starts: str) -> float:
        """Seconds of all steps whose names start with one of these."""
        return sum(step.seconds for step in self.steps if step.name.startswith(starts))


def watch(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Watched:
    """Run a command that tells `{"event": "start" | "done", "step": …, "seconds": …}` a line, and wait for it.

    Args:
        command: What to run.
        environment: Its whole environment.
        log: Where everything else that it says goes.

    Raises:
        PrecedeError: It failed.
    """
    begun = monotonic()
    first = last = begun
    computed = 0.0
    steps: list[Step] = []
    told: list[dict[str, Any]] = []
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("a", encoding="utf-8") as stream,
        subprocess.Popen(  # noqa: S603  our own commands
            command, env=dict(environment), cwd=PROJECT, stdout=subprocess.PIPE, stderr=stream, text=True
        ) as child,
    ):
        for line in child.stdout or ():
            said = json.loads(line)
            match said.get("event"):
                case "start":
                    first = monotonic() if first == begun else first
                    computed = _computed(child.pid)
                    _forget(child.pid)
                case "done":
                    processor = max(_computed(child.pid) - computed, 0.0)
                    steps.append(Step(str(said["step"]), float(said["seconds"]), processor, _high(child.pid)))
                    last = monotonic()
                case _:
                    told.append(said)
        child.wait()
    if child.returncode:
        words = " ".join(str(said.get("message") or said.get("summary") or "") for said in told[-3:])
        raise PrecedeError(f"{' '.join(command[1:])} ended with {child.returncode}: {words} The log is {log}.")
    return Watched(first - begun, last - first, steps, told)


def _forget(pid: int) -> None:
    try:
        Path(f"/proc/{pid}/clear_refs").write_text(_FORGET, encoding="ascii")
    except OSError:
        return  # then a step's figure is the most so far, which is no less


def _computed(pid: int) -> float:
    """Seconds that a process, and those it waited for, computed so far."""
    try:
        stated = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0.0
    counted = stated.rpartition(")")[2].split()[11:15]  # behind the name, which may hold anything: user and system time
    return sum(map(int, counted)) / os.sysconf("SC_CLK_TCK")


def _high(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)
