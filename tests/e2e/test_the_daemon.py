"""Dagster as it runs for good: a row changes in the CRM, and the one action that follows from it happens by itself.

The code locations are servers of their own, the schedule reads every minute, and nobody starts a run.
"""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pytest

from orchestration.settings import PROJECT

LOADED = """{ workspaceOrError { ... on Workspace { locationEntries { name locationOrLoadError {
    __typename
    ... on RepositoryLocation { repositories {
        sensors { name sensorState { status } } schedules { name scheduleState { status } }
    } }
} } } } }"""
RUNS = """{ runsOrError(limit: 100) { ... on Runs { results { jobName status } } } }"""
LOOP = 5
"""The schedules and sensors without which nothing goes round: two that read, three that wake, propose and act."""
ENDED = {"SUCCESS", "FAILURE", "CANCELED"}
_T = TypeVar("_T")


class Company:
    """A small Northgate with Precede beside it, in a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PRECEDE_", "DAGSTER_"))},
            "PRECEDE_HOME": str(home),
            "PRECEDE_BUSINESS_DATE": "2026-11-02",
            "PRECEDE_SCHEDULE": "* * * * *",
            "PRECEDE_SENSOR_SECONDS": "1",
        }

    def do(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [str(Path(sys.executable).with_name(program)), *arguments],
            env=self.environment, cwd=PROJECT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def precede(self, *arguments: str) -> Any:
        return json.loads(self.do("precede", *arguments, "--json"))

    def actions(self) -> dict[str, dict[str, Any]]:
        return {action["action"]: action for action in self.precede("actions")}

    def graph(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.home / "graph.duckdb"), read_only=True) as graph:
            return graph.execute(query, list(parameters)).fetchall()

    def snapshot(self) -> str:
        return str(self.graph("SELECT snapshot_id FROM snapshot")[0][0])

    def change(self, statement: str, *parameters: object) -> None:
        with closing(sqlite3.connect(self.home / "northgate" / "crm.db")) as crm, crm:
            assert crm.execute(statement, parameters).rowcount

    def ask(self, query: str) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql",
            data=json.dumps({"query": query}).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  our own address
            return json.load(answer)["data"]

    def report(self, asset: str, version: str) -> None:
        """What anyone who reaches the web server may say."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/report_asset_materialization/{asset}",
            data=json.dumps({"data_version": version}).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  our own address
            assert answer.status == 200

    def runs(self) -> list[tuple[str, str]]:
        return [(run["jobName"], run["status"]) for run in self.ask(RUNS)["runsOrError"]["results"]]

    @contextmanager
    def served(self) -> Iterator[None]:
        """`precede ui`, until the block ends."""
        with subprocess.Popen(
            [str(Path(sys.executable).with_name("precede")), "ui", "--port", str(self.port)],
            env=self.environment, cwd=PROJECT, stderr=subprocess.PIPE, text=True,
        ) as server:  # fmt: skip
            try:
                assert server.stderr is not None
                for line in server.stderr:
                    if "Dagster is at" in line:
                        break
                assert server.poll() is None, "precede ui ended before it served"
                yield
            finally:
                server.terminate()
                server.wait(60)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(found: Callable[[], _T], seconds: float, what: str) -> _T:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := found():
            return value
        time.sleep(1)
    pytest.fail(f"{what} did not come within {seconds:.0f} seconds")


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Northgate, whose contacts all object to being written to, once everything ran and its reminders came back."""
    company = Company(tmp_path_factory.mktemp("company"))
    company.do("python", "-m", "examples.northgate", "--records", "600")
    company.change("UPDATE contact SET property_hs_email_optout = 1")
    company.precede("run")
    company.precede("run")
    return company


def denied_for_an_objection(company: Company) -> tuple[dict[str, Any], str]:
    """A customer's only action, denied for its contact's objection alone, and that contact's one row in the CRM."""
    actions = company.actions().values()
    per_entity = Counter(action["entity"] for action in actions)
    for action in actions:
        if per_entity[action["entity"]] == 1 and [reason["code"] for reason in action["reasons"]] == ["opted_out"]:
            rows = company.graph(
                "SELECT split_part(record_id, ':', 3) FROM crosswalk "
                "WHERE entity_id = ? AND starts_with(record_id, 'crm:contact:')",
                action["reasons"][0]["subject"],
            )
            if len(rows) == 1:
                return action, rows[0][0]
    pytest.fail("no action was denied for an objection alone")


@pytest.mark.timeout(600)
def test_a_changed_row_in_the_crm_becomes_a_new_snapshot_and_exactly_the_new_action(
    company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    before, snapshot = company.actions(), company.snapshot()
    denied, contact = denied_for_an_objection(company)
    with company.served():
        entries = company.ask(LOADED)["workspaceOrError"]["locationEntries"]
        assert {entry["name"]: entry["locationOrLoadError"]["__typename"] for entry in entries} == dict.fromkeys(
            ("insight", "action", "orchestration"), "RepositoryLocation"
        )
        told = json.dumps(entries)
        assert told.count('"RUNNING"') == told.count('"status"') >= LOOP

        company.report("entity_graph", "snap_forged")
        company.change("UPDATE contact SET property_hs_email_optout = 0 WHERE id = ?", contact)
        started = time.monotonic()
        until(lambda: company.snapshot() != snapshot, 180, "a new snapshot")
        published = time.monotonic() - started
        until(lambda: any(one["outcome"] == "done" for one in new(company, before)), 180, "the new effect")
        performed = time.monotonic() - started
        until(lambda: {status for _, status in company.runs()} <= ENDED, 60, "an idle moment")
        runs = company.runs()

    [action] = new(company, before)
    assert action["entity"] == denied["entity"]
    assert (action["decision"], action["outcome"]) == ("allow", "done")
    assert {status for _, status in runs} == {"SUCCESS"}
    assert company.precede("ledger", "verify")["ok"]
    with capsys.disabled():
        sys.stderr.write(f"\na changed row: published after {published:.0f} s, performed after {performed:.0f} s\n")


def new(company: Company, before: dict[str, Any]) -> list[dict[str, Any]]:
    return [action for name, action in company.actions().items() if name not in before]
