"""The units of `deploy/systemd`, until a reminder stands in the ERP by itself; then the hostile agent tries."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from examples.northgate.build import Targets, build
from examples.northgate.plan import Plan
from tests.integration.deploy.conftest import books, engage, install
from tests.integration.deploy.machine import Machine
from tests.integration.deploy.test_isolation import KEYS, REFUSALS

SOCKETS = ("insight/code.sock", "orchestration/code.sock", "erp/tool.sock", "crm/tool.sock")
SECONDS = 400.0
pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="module")
def company(bare: Machine) -> Iterator[Machine]:
    """Northgate in three Postgres databases, and every unit started."""
    machine = bare
    install(machine)
    systems = ("crm", "erp", "support")
    for system in systems:
        machine.ask(f"CREATE DATABASE {system}")
    build(
        Plan(records=600),
        Targets(machine.root / "northgate", urls={one: machine.url("postgres", one) for one in systems}),
    )
    for system in systems:
        machine.sql("reader.sql", "postgres", system)
    for system in ("erp", "crm"):
        machine.sql(f"tool-{system}.sql", "postgres", system)
        machine.place(
            f"env/write-{system}.env", f"/etc/precede/tools/{system}.env", owner=f"precede-tool-{system}", mode=0o600
        )
    engage(machine)
    machine.told = {
        "PRECEDE_SCHEDULE": "* * * * *", "PRECEDE_SENSOR_SECONDS": "1", "PRECEDE_BUSINESS_DATE": "2026-11-02",
    }  # fmt: skip
    machine.prepare("precede-prepare")
    for unit in ("insight", "orchestration", "tool@erp", "tool@crm"):
        machine.start(f"precede-{unit}")
    for socket in SOCKETS:
        machine.wait_for(f"/run/precede/{socket}", 120)
    for unit in ("daemon", "agent@finance"):
        machine.start(f"precede-{unit}")
    yield machine
    for log in sorted(machine.root.glob("*.log")):
        sys.stdout.write(f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}\n")


def within(seconds: float, what: Callable[[], Any]) -> Any:
    until = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < until, "it did not happen"
        time.sleep(1)
    return found


def owner(process: Path) -> int | None:
    """Whose a process is; nobody's where it ended meanwhile."""
    try:
        return process.stat().st_uid
    except FileNotFoundError:
        return None


def precede(machine: Machine, *arguments: str) -> Any:
    """A command as the coordinator's user."""
    program = "import sys; from orchestration.cli.main import main; sys.argv[0] = 'precede'; main()"
    said = machine.run("precede-coordinator", "orchestration", machine.python, "-c", program, *arguments, "--json")
    return json.loads(said)


def test_a_reminder_is_sent_by_itself_and_everything_is_proved(company: Machine) -> None:
    begun = time.monotonic()
    reminded = "SELECT count(*) FROM customrecord_dunning WHERE custrecord_created_by = 'precede'"
    within(SECONDS, lambda: books(company, reminded)[0][0])
    sys.stdout.write(f"first reminder after {time.monotonic() - begun:.0f} s\n")
    closed = company.url("precede_coordinator", "precede")
    with psycopg.connect(closed, autocommit=True) as store:
        within(SECONDS, lambda: store.execute("SELECT 1 FROM batch WHERE state = 'closed'").fetchall())
    verified = precede(company, "ledger", "verify")
    assert (verified["ok"], verified["lineage"], verified["problems"]) == (True, True, [])
    performed = [one for one in precede(company, "actions") if one["outcome"] == "done"]
    assert len(performed) == books(company, reminded)[0][0]


def test_an_agents_user_gets_to_no_socket_process_or_secret(company: Machine) -> None:
    others = set(company.users.values()) - {company.users["precede-agent-finance"]}
    processes = [each.name for each in Path("/proc").iterdir() if each.name.isdigit() and owner(each) in others]
    assert len(processes) >= 8
    targets = {
        "call": [str(company.path(f"/run/precede/{socket}")) for socket in SOCKETS],
        "read": [company.here(key) for key in KEYS]
        + [str(path) for path in company.path("/var/lib/precede").rglob("*") if path.suffix in {".duckdb", ".parquet"}],
        "append": [str(path) for path in company.path("/etc/precede").rglob("*") if path.is_file()],
        "secrets": [" ".join(company.passwords.values())],
    } | dict.fromkeys(("environment", "memory", "handles", "end"), processes)  # fmt: skip
    said = company.path("/etc/precede/targets.json")
    said.write_text(json.dumps(targets))
    besieger = Path(__file__).parents[2] / "fixtures" / "agents" / "besieger" / "agent.py"
    command = (company.python, str(besieger))
    found = json.loads(company.run("precede-agent-finance", "agent-finance", *command, TARGETS=str(said)))
    assert len(found) > 50
    gone = {"FileNotFoundError", "ProcessLookupError"}  # a process that ended, or a graph that expired, meanwhile
    assert {name: outcome for name, outcome in found.items() if outcome not in {*REFUSALS, *gone}} == {}
