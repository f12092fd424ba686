"""`precede ui`: Dagster on the loopback address, with each code location in a process of its own."""

from __future__ import annotations

import signal
import time
from types import FrameType
from typing import Annotated, Final

import typer
from rich.console import Console

from orchestration.cli.example import ensure_example
from orchestration.cli.servers import LOOPBACK, serving
from orchestration.settings import Settings
from orchestration.work.environment import prepare_home

_ENDS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def ui(
    port: Annotated[int, typer.Option(help="Port of the web page, on the loopback address.")] = 3000,
    *,
    read_only: Annotated[bool, typer.Option("--read-only", help="Refuse to launch, wipe and report events.")] = False,
) -> None:
    """Open Dagster with the three code locations, their schedule and their sensors on, until Ctrl-C.

    Each location is a server of its own that sees only its own variables. The page listens on this machine alone.
    """
    settings = Settings()
    every = settings.sensor_seconds  # refused here, rather than by three servers
    console = Console(stderr=True)
    prepare_home(settings)
    ensure_example(settings)
    for number in _ENDS:
        signal.signal(number, _interrupt_once)
    console.print(f"Starting three code locations, the daemon and the web page; sensors look every {every} s ...")
    try:
        with serving(settings, web_port=port, read_only=read_only) as servers:
            console.print(f"Dagster is at http://{LOOPBACK}:{port} (Ctrl-C ends it)", highlight=False)
            console.print(f"What its processes say stands in {servers.logs}", highlight=False, soft_wrap=True)
            while True:
                servers.check()
                time.sleep(1)
    except KeyboardInterrupt:
        console.print("Ended.")


def _interrupt_once(_number: int, _frame: FrameType | None) -> None:
    """End, and let nothing interrupt that: a process left behind would keep its port."""
    for number in _ENDS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
