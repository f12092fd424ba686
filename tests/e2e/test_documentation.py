"""Every command, query and program in the documentation is run, as it stands there, on the example company."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from tests.documented import PROJECT, Block, blocks, commands

OURS = ("PRECEDE_", "DAGSTER_", "PYTEST_")


@dataclass(frozen=True)
class Company:
    """A small Northgate that the main job has run on, and names in it that stand for those in the documentation."""

    environment: dict[str, str]
    names: dict[str, str]

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        for name, value in self.names.items():
            command = command.replace(name, value)
        return subprocess.run(  # noqa: S602  a reader types it into a shell
            command,
            shell=True,
            executable="/bin/bash",
            capture_output=True,
            text=True,
            cwd=PROJECT,
            env=self.environment,
            check=False,
            timeout=240,
        )


def answer(environment: dict[str, str], *command: str) -> object:
    done = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT, env=environment, check=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    home = tmp_path_factory.mktemp("documented")
    environment = {
        **{
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PRECEDE_", "DAGSTER_", "PYTEST_"))
        },
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PRECEDE_HOME": str(home),
    }
    subprocess.run(
        [sys.executable, "-m", "examples.northgate", "--records", "1500"],
        env=environment,
        cwd=PROJECT,
        check=True,
        capture_output=True,
    )
    run = answer(environment, "precede", "run", "--json")
    assert isinstance(run, dict)
    with duckdb.connect(run["graph"], read_only=True) as graph:
        found = graph.execute(
            "SELECT record_a, record_b, c.entity_id, e.name FROM link JOIN crosswalk c ON c.record_id = record_a "
            "JOIN entity e USING (entity_id) WHERE status = 'accepted' AND link.entity_type = 'organisation' LIMIT 1"
        ).fetchall()[0]
    add = ("precede", "people", "add", "--json", "--role", "operator", "--role", "reviewer", "--role", "auditor")
    reader = answer(environment, *add, "Olive Otis")
    assert isinstance(reader, dict)
    environment["PRECEDE_TOKEN"] = reader["token"]
    answer(environment, *add, "Ben Wright")  # whom the documentation changes and removes
    actions = answer(environment, "precede", "actions", "--json")
    assert isinstance(actions, list)
    performed = [action["action"] for action in actions if action["outcome"] == "done"]
    names = {
        "RECORD_A": found[0],
        "RECORD_B": found[1],
        "ENTITY": found[2],
        "TEXT": next(word for word in found[3].split() if word.isalpha()),
        "ACTION": performed[0],
        "EFFECT": performed[-1],
    }
    return Company(environment, names)


COMMANDS = [(where, command) for where, command in commands() if not where.startswith("docs/runbooks/")]
ONCE = {command: where for where, command in reversed(COMMANDS)}
"""Where each command stands first: what stands elsewhere word for word is run there."""
COMMANDS = [(where, command) for where, command in COMMANDS if ONCE[command] == where]


@pytest.mark.parametrize(("where", "command"), COMMANDS, ids=[f"{where} {line}" for where, line in COMMANDS])
def test_a_documented_command_works(where: str, command: str, company: Company) -> None:
    if command == "make test":
        if os.environ.get("PRECEDE_TEST_COMMAND") != command:
            pytest.skip("`make test` is shown by running it: this test was started in another way")
        return  # it is what runs now
    if command == "make ui":
        served_until_interrupted(company)
        return
    done = company.run(command)
    assert done.returncode == 0, f"{where}: {command}\n{done.stdout}\n{done.stderr}"


def test_the_runbook_of_an_incident_prints_what_it_says(company: Company) -> None:
    told = ""
    for block in (each for each in blocks("sh", "text") if each.where.startswith("docs/runbooks/incident.md")):
        text = block.text.replace("ACTION", company.names["EFFECT"])
        if block.language == "sh":
            told = ""
            for command in text.splitlines():
                done = company.run(command)
                assert done.returncode == 0, f"{block.where}: {command}\n{done.stdout}\n{done.stderr}"
                told += done.stdout
        else:
            lines = (".*".join(re.escape(part.strip()) for part in line.split("…")) for line in text.splitlines())
            assert re.search("(?s:.*)".join(lines), told), f"{block.where} says\n{text}\nand it printed\n{told}"


def served_until_interrupted(company: Company) -> None:
    with subprocess.Popen(
        ["make", "ui"],
        stderr=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
        env=company.environment,
        start_new_session=True,
    ) as server:
        assert server.stderr is not None
        until = time.monotonic() + 90
        said = ""
        while time.monotonic() < until and "Dagster is at" not in said:
            line = server.stderr.readline()
            assert line, f"make ui ended before it served:\n{said}"
            said += line
        os.killpg(server.pid, signal.SIGINT)
        rest = server.communicate(timeout=60)[1]
        assert "Dagster is at" in said
        assert "Ended." in rest


@pytest.mark.parametrize("block", blocks("sql"), ids=lambda block: block.where)
def test_a_documented_query_works(block: Block, company: Company) -> None:
    text = block.text
    for name, value in company.names.items():
        text = text.replace(name, value)
    with duckdb.connect(str(Path(company.environment["PRECEDE_HOME"]) / "graph.duckdb"), read_only=True) as graph:
        for statement in graph.extract_statements(text):
            graph.execute(statement).fetchall()


@pytest.mark.parametrize("block", blocks("python"), ids=lambda block: block.where)
def test_a_documented_program_works(block: Block, company: Company) -> None:
    text = block.text
    for name, value in company.names.items():
        text = text.replace(name, value)
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, cwd=PROJECT, env=company.environment, check=False
    )
    assert done.returncode == 0, f"{block.where}\n{done.stderr}"
