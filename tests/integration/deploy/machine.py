"""A machine that Precede is deployed on, in a folder: the files of `deploy/` with numbers for users and another root.

Users and groups are numbers that nobody else has; root alone can be them. What `deploy/` says is done as it stands
there: the folders of `tmpfiles.conf`, the memberships of `sysusers.conf`, the environments, the SQL, and each unit.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import pwd
import re
import secrets
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from orchestration.settings import PROJECT

DEPLOY: Final = PROJECT / "deploy"
FIRST: Final = 64_100
"""The first user's number."""
_ROOTS: Final = re.compile(r"/(?:etc|var/lib|run)/precede\b")
_PYTHON: Final = "/opt/precede/.venv/bin/python"


def lines(file: str) -> list[list[str]]:
    """The words of each line of a file of `deploy/`, without comments."""
    read = (DEPLOY / file).read_text().splitlines()
    return [shlex.split(line) for line in read if line.strip() and not line.startswith("#")]


def interpreter() -> list[str] | None:
    """A Python that any user may start, and that finds what this one has installed; none where there is none."""
    places = ":".join([str(PROJECT), *(path for path in sys.path if path.endswith("site-packages"))])
    for python in (sys.executable, "/usr/bin/python3.11", "/usr/local/bin/python3.11"):
        probe = [python, "-c", "import orchestration, pydantic_core, yaml"]
        try:
            done = subprocess.run(
                probe, user=FIRST, group=FIRST, extra_groups=[], env={"PYTHONPATH": places}, cwd="/",
                capture_output=True, check=False,
            )  # fmt: skip
        except OSError:
            continue
        if done.returncode == 0:
            return [python, places]
    return None


@dataclass
class Machine:
    """Where everything is, and who is who."""

    root: Path
    python: str
    places: str
    port: int
    passwords: dict[str, str] = field(default_factory=dict)
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    hired: list[str] = field(default_factory=list)
    woken: dict[str, list[str]] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)
    """What each process is told beside its environment file."""

    def __post_init__(self) -> None:
        said = lines("sysusers.conf")
        self.users = {words[1]: FIRST + at for at, words in enumerate(one for one in said if one[0] == "u")}
        groups = [words[1] for words in said if words[0] == "g"]
        self.groups = self.users | {name: FIRST + 100 + at for at, name in enumerate(groups)}
        self.members = [(words[1], words[2]) for words in said if words[0] == "m"]

    def hire(self, agent: str) -> None:
        """An agent more, by the lines that stand there for finance."""
        self.users[f"precede-agent-{agent}"] = FIRST + 50 + len(self.hired)
        self.groups[f"precede-agent-{agent}"] = self.users[f"precede-agent-{agent}"]
        self.groups[f"precede-exchange-{agent}"] = FIRST + 150 + len(self.hired)
        for member in (f"precede-agent-{agent}", "precede-coordinator"):
            self.members.append((member, f"precede-exchange-{agent}"))
        self.hired.append(agent)

    def here(self, text: str) -> str:
        """A text of `deploy/` with this machine's paths, Python and database server."""
        text = _ROOTS.sub(lambda found: f"{self.root}{found[0]}", text)
        text = text.replace(_PYTHON, self.python).replace("/opt/precede", str(PROJECT))
        return text.replace("@localhost/", f"@127.0.0.1:{self.port}/")

    def path(self, place: str) -> Path:
        return Path(self.here(place))

    def make_folders(self) -> None:
        """What systemd-tmpfiles would do."""
        said = lines("tmpfiles.conf")
        for agent in self.hired:
            of_finance = [line for line in said if any("finance" in word for word in line)]
            said += [[word.replace("finance", agent) for word in line] for line in of_finance]
        for kind, place, *rest in said:
            path = self.path(place)
            path.parent.mkdir(parents=True, exist_ok=True)
            if kind == "L":
                path.symlink_to(self.here(rest[-1]))
                continue
            mode, user, group = rest
            path.mkdir(exist_ok=True)
            os.chown(path, self.users.get(user, 0), self.groups.get(group, 0))
            path.chmod(int(mode, 8))

    def place(self, file: str, at: str, owner: str = "root", mode: int = 0o644) -> Path:
        """Install a file of `deploy/`, with this machine's paths and passwords."""
        text = next(
            (
                (DEPLOY / file.replace(agent, "finance")).read_text().replace("finance", agent)
                for agent in self.hired
                if agent in file
            ),
            "",
        )
        said = self.here(text or (DEPLOY / file).read_text())
        for role, password in self.passwords.items():
            said = said.replace(f"{role}:CHANGE_ME@", f"{role}:{password}@")
        path = self.path(at)
        path.write_text(said)
        path.chmod(mode)
        os.chown(path, self.users.get(owner, 0), self.groups.get(owner, 0))
        return path

    def environment(self, name: str) -> dict[str, str]:
        """What the unit's environment file says, and what any program needs."""
        said = self.path(f"/etc/precede/env/{name}.env").read_text().splitlines()
        stated = dict(line.split("=", 1) for line in said if "=" in line and not line.startswith("#"))
        return {"PATH": "/usr/bin:/bin", "PYTHONPATH": self.places, "LANG": "C.UTF-8"} | stated | self.told

    def as_user(self, user: str) -> dict[str, Any]:
        """What makes a process a user's, with the groups that `sysusers.conf` puts it in."""
        extra = [self.groups[group] for member, group in self.members if member == user]
        return {
            "user": self.users[user],
            "group": self.groups[user],
            "extra_groups": extra,
            "umask": 0o007,
            "cwd": PROJECT,
        }

    def run(self, user: str, environment: str | None, *command: str, fails: bool = False, **told: str) -> str:
        """Run a command as a user, with the environment of a unit and what it is told beside; what it prints."""
        given = self.environment(environment) if environment else {"PATH": "/usr/bin:/bin", "PYTHONPATH": self.places}
        given |= told
        done = subprocess.run(command, env=given, capture_output=True, text=True, check=False, **self.as_user(user))
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
        return done.stdout + done.stderr * fails

    def unit(self, name: str) -> dict[str, list[str]]:
        """A unit's settings, each with all that is said of it; `precede-tool@erp` is that template's."""
        template, _, instance = name.partition("@")
        file = DEPLOY / "systemd" / f"{template}{'@' * bool(instance)}.service"
        said: dict[str, list[str]] = {}
        for line in file.read_text().replace("%i", instance).splitlines():
            if "=" in line:
                key, value = line.split("=", 1)
                said.setdefault(key, []).append(self.here(value))
        return said

    def start(self, name: str) -> subprocess.Popen[bytes]:
        """Start a unit: its preparation first, and then what it runs for good."""
        unit = self.unit(name)
        [user], [file] = unit["User"], unit["EnvironmentFile"]
        environment = Path(file).stem
        for command in unit.get("ExecStartPre", []):
            self.run(user, environment, *shlex.split(command))
        return self.begin(user, environment, shlex.split(unit["ExecStart"][0]), name)

    def prepare(self, name: str) -> None:
        """Run a unit that ends."""
        unit = self.unit(name)
        self.run(unit["User"][0], Path(unit["EnvironmentFile"][0]).stem, *shlex.split(unit["ExecStart"][0]))

    def serve(self, user: str, environment: str, place: str, *command: str) -> subprocess.Popen[bytes]:
        """Serve a program at a socket, as a user."""
        serving = [self.python, "-m", "orchestration.work.sockets", "serve", str(self.path(place)), *command]
        return self.begin(user, environment, serving, user)

    def begin(self, user: str, environment: str, command: list[str], name: str) -> subprocess.Popen[bytes]:
        """Start a process that ends with the machine; what it says stands in a log of that name."""
        with (self.root / f"{name}.log").open("wb") as said:
            process = subprocess.Popen(
                command, env=self.environment(environment), stdin=subprocess.DEVNULL, stdout=said,
                stderr=subprocess.STDOUT, start_new_session=True, **self.as_user(user),
            )  # fmt: skip
        self.running.append(process)
        return process

    def wait_for(self, place: str, seconds: float = 60) -> None:
        """Return once somebody serves at a socket."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(str(self.path(place))) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError(f"nobody serves at {place}")

    def url(self, role: str, database: str) -> str:
        return f"postgresql://{role}:{self.passwords[role]}@127.0.0.1:{self.port}/{database}"

    def sql(self, file: str, role: str, database: str) -> None:
        """Run a file of `deploy/sql` as a role, as its first lines say."""
        self.ask((DEPLOY / "sql" / file).read_text(), role, database)

    def ask(self, statements: str, role: str = "postgres", database: str = "postgres") -> str:
        """Run statements with psql; what it prints."""
        return with_psql(self, statements, role, database)

    def stop(self) -> None:
        for process in reversed(self.running):
            with_group(process)


def with_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and what it started."""
    for number in (15, 9):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def with_psql(machine: Machine, statements: str, role: str, database: str) -> str:
    """Run statements with psql; what it prints."""
    at = ["-h", "127.0.0.1", "-p", str(machine.port), "-U", role, "-d", database]
    done = subprocess.run(
        [programs() / "psql", "-qAtX", "-v", "ON_ERROR_STOP=1", *at], input=statements, capture_output=True, text=True,
        env={"PGPASSWORD": machine.passwords.get(role, "")}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def programs() -> Path:
    """Where the programs of the Postgres server of the tests are; the package itself would make a folder of its own."""
    found = importlib.util.find_spec("pgserver")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "pginstall" / "bin"


@contextmanager
def postgres(folder: Path, password: str) -> Iterator[int]:
    """A Postgres server that asks everybody for a password; its port on the loopback address."""
    nobody = pwd.getpwnam("nobody")  # the server wants a user with a name, and refuses root
    run = functools.partial(
        subprocess.run,
        user=nobody.pw_uid,
        group=nobody.pw_gid,
        extra_groups=[],
        check=True,
        capture_output=True,
        cwd="/",
    )
    data, secret, port = folder / "data", folder / "password", free_port()
    secret.write_text(password)
    for path in (folder, secret):
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    folder.chmod(0o700)
    initdb = [programs() / "initdb", "-D", data, "-U", "postgres", "-A", "scram-sha-256", "--pwfile", secret, "-N"]
    run([*initdb, "-E", "utf8"])
    control = [programs() / "pg_ctl", "-D", data, "-w", "-l", folder / "log"]
    run(
        [
            *control,
            "-o",
            f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off",
            "start",
        ]
    )
    try:
        yield port
    finally:
        run([*control, "-m", "immediate", "stop"])


def password() -> str:
    return secrets.token_hex(12)
