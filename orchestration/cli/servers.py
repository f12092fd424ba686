"""Dagster as it runs for good: a code server for each location, the daemon and the webserver, a process each.

Every code server gets only the variables its location may see; the webserver and the daemon get none of ours but
`DAGSTER_HOME`. All listen on the loopback address alone. They end together: when the block ends, when one of them dies,
and when this process is asked to stop.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

from orchestration.cli.processes import locations
from orchestration.errors import PrecedeError
from orchestration.settings import PROJECT, Settings
from orchestration.work.alone import alone
from orchestration.work.environment import BASICS, DAGSTER_URL, location_environment

LOOPBACK: Final = "127.0.0.1"
START_SECONDS: Final = 120
STOP_SECONDS: Final = 20
GRPC_MAX_WORKERS: Final = 8


@dataclass
class Servers:
    """Processes that run and end together, by name, and where each writes its log."""

    logs: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, command: list[str], environment: Mapping[str, str]) -> None:
        """Start one in a session of its own, so that its own children end with it."""
        with self.log(name).open("wb") as stream:
            self.processes[name] = subprocess.Popen(  # noqa: S603  our own interpreter and Dagster's own programs
                command,
                env=dict(environment),
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def log(self, name: str) -> Path:
        """Where a process writes what it says."""
        return self.logs / f"server-{name}.log"

    def check(self) -> None:
        """Raise where one has ended.

        Raises:
            PrecedeError: It says which one, and where its log is.
        """
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise PrecedeError(
                    f"The process {name!r} ended with code {process.returncode}; why stands in {self.log(name)}."
                )

    def wait_for_port(self, name: str, port: int) -> None:
        """Return once the process listens.

        Raises:
            PrecedeError: One of the processes ended, or this one did not listen in time.
        """
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self.check()
            with socket.socket() as probe:
                if probe.connect_ex((LOOPBACK, port)) == 0:
                    return
            time.sleep(0.1)
        raise PrecedeError(
            f"The process {name!r} did not listen on port {port} within {START_SECONDS} seconds; what it said "
            f"stands in {self.log(name)}."
        )

    def stop(self) -> None:
        """End every process, the last started first, and what they started."""
        for process in reversed(self.processes.values()):
            _signal_group(process, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in self.processes.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal_group(process, signal.SIGKILL)
                process.wait()
            _signal_group(process, signal.SIGKILL)


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


@contextmanager
def serving(settings: Settings, *, web_port: int | None = None, read_only: bool = False) -> Iterator[Servers]:
    """Code servers and the daemon, and the webserver where a port is given, for as long as the block runs.

    Args:
        settings: Where things are.
        web_port: The webserver's port on the loopback address; none is started without it.
        read_only: Whether the webserver refuses to launch, wipe and report.

    Raises:
        PrecedeError: One of them did not start.
    """
    servers = Servers(logs=settings.home / "logs")
    environment = {name: os.environ[name] for name in (*BASICS, DAGSTER_URL) if name in os.environ}
    environment["DAGSTER_HOME"] = str(settings.dagster_home)
    with alone(settings.home, "ui", wait=0.0):
        _make_instance(environment)
        yield from _serving(settings, servers, environment, web_port, read_only=read_only)


def _serving(
    settings: Settings, servers: Servers, environment: Mapping[str, str], web_port: int | None, *, read_only: bool
) -> Iterator[Servers]:
    try:
        ports = {location: _free_port() for location in locations()}
        for location, port in ports.items():
            command = [
                *(sys.executable, "-m", "dagster", "code-server", "start", "-m", locations()[location]),
                *("-h", LOOPBACK, "-p", str(port), "--location-name", location),
                *("-n", str(GRPC_MAX_WORKERS), "--use-python-environment-entry-point"),
            ]
            servers.start(location, command, location_environment(location, settings, os.environ))
        for location, port in ports.items():
            servers.wait_for_port(location, port)
        workspace = _write_workspace(settings, ports)
        servers.start("daemon", [sys.executable, "-m", "dagster._daemon", "run", "-w", str(workspace)], environment)
        if web_port is not None:
            command = [sys.executable, "-m", "dagster_webserver", "-h", LOOPBACK, "-p", str(web_port)]
            command += ["-w", str(workspace), *(["--read-only"] if read_only else [])]
            servers.start("webserver", command, environment)
            servers.wait_for_port("webserver", web_port)
        yield servers
    finally:
        servers.stop()


def _make_instance(environment: Mapping[str, str]) -> None:
    """Make Dagster's databases first: processes that start together would each try to, and all but one fail."""
    command = [sys.executable, "-m", "orchestration.cli.dagster", "prepare"]
    done = subprocess.run(command, env=dict(environment), cwd=PROJECT, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise PrecedeError(f"Dagster's instance in {environment['DAGSTER_HOME']} could not be opened: {said}.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _write_workspace(settings: Settings, ports: Mapping[str, int]) -> Path:
    workspace = settings.dagster_home / "workspace.yaml"
    entries = [
        {"grpc_server": {"host": LOOPBACK, "port": port, "location_name": location}} for location, port in ports.items()
    ]
    workspace.write_text(yaml.safe_dump({"load_from": entries}), encoding="utf-8")
    return workspace
