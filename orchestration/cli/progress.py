"""What a person sees while a job runs: a line for each step that ended, and on a terminal the step that is running.

Everything goes to standard error, so that standard output holds the result alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status

from orchestration.cli.processes import Event

WIDTH = 26
"""Characters that a step's name takes."""


class Progress:
    """Tells how jobs go.

    Args:
        console: Where to; spinners appear only where it is a terminal.
        quiet: Whether to tell failures alone.
    """

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self._console = console
        self._quiet = quiet
        self._status: Status | None = None
        self._assets: dict[str, list[Event]] = {}

    @contextmanager
    def stage(self, title: str) -> Iterator[None]:
        """Tell that a job begins, and how long it took."""
        started = time.monotonic()
        self._assets.clear()
        if self._quiet:
            yield
            return
        self._console.print(f"[bold]{title}[/bold]")
        with self._console.status("starting") as status:
            self._status = status if self._console.is_terminal else None
            try:
                yield
            finally:
                self._status = None
        self._console.print(f"  [dim]{time.monotonic() - started:.1f} s[/dim]", highlight=False)

    def tell(self, event: Event) -> None:
        """Tell one event of the job that runs."""
        if event.kind == "start" and self._status is not None:
            self._status.update(_spoken(event.step))
        elif event.kind == "asset":
            self._assets.setdefault(event.step, []).append(event)
        elif event.kind == "done" and (made := self._assets.get(event.step)):
            self._line(_spoken(event.step), _summary(made), event.seconds)
        elif event.kind == "check" and not event.passed:
            word = "failed" if event.blocking else "noted"
            self._line(f"check {_spoken(event.name)}", f"{word}: {event.summary}")

    def say(self, line: str) -> None:
        """Tell something that is no event."""
        if not self._quiet:
            self._console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)

    def _line(self, name: str, text: str, seconds: float = 0.0) -> None:
        took = f"  ({seconds:.1f} s)" if seconds >= 1 else ""
        self.say(f"{name:{WIDTH}} {text}{took}".rstrip())


def _spoken(step: str) -> str:
    """A step's name for a person; one inside a graph is told by the graph's."""
    return step.partition(".")[0].replace("__", " ").replace("_", " ")


def _summary(assets: list[Event]) -> str:
    """What came of a step, from what it materialised."""
    unchanged = sum(asset.unchanged for asset in assets)
    if len(assets) == 1:
        text = assets[0].summary or f"{assets[0].rows:,} rows"
    else:
        text = f"{len(assets)} tables, {sum(asset.rows for asset in assets):,} rows"
    if unchanged == len(assets):
        return f"{text}, unchanged"
    return f"{text}, {unchanged} of them unchanged" if unchanged else text
