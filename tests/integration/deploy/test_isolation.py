"""Users, folders and roles of `deploy/` as they stand there, and a hostile agent that knows where everything is.

The agent's code runs in the very process that the unit of an agent starts runs in. The same attempts, made by the
coordinator's user, show that they are attempts that succeed for whom they may.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from orchestration.settings import PROJECT
from tests.integration.deploy.conftest import BESIEGER, books
from tests.integration.deploy.machine import Machine

Report = dict[str, Any]
REFUSALS = (
    *("PermissionError", "OperationalError", "CalledProcessError", "SubprocessError", "ConfigurationError"),
    "StopIteration",
)
"""By whom an attempt is refused: the system, the database, a program that ended, or there is nothing to be found."""
SOCKETS = ("/run/precede/erp/tool.sock", "/run/precede/orchestration/code.sock")
KEYS = tuple(f"/var/lib/precede/keys/{name}.key" for name in ("permit", "credential"))


def step(machine: Machine, user: str, environment: str, name: str, **told: str) -> Any:
    command = (machine.python, "-m", "tests.integration.deploy.steps", name)
    told |= {"PRECEDE_BUSINESS_DATE": "2026-11-02"}
    return json.loads(machine.run(f"precede-{user}", environment, *command, **told))


def targets(machine: Machine, batch: str) -> dict[str, list[str]]:
    """All that an agent should not get at, by the attempt that would."""
    others = [f"/var/lib/precede-exchange/finance/{batch}/{name}" for name in ("batch.json", "credential.jwt")]
    configured = [
        f"/etc/precede/{name}" for name in ("dagster/dagster.yaml", "dagster/workspace.yaml", "tools/servers.yml")
    ]
    environments = [f"/etc/precede/env/{name}.env" for name in ("insight", "orchestration", "dagster", "tool-erp")]
    graphs = [str(path) for path in machine.path("/var/lib/precede").rglob("*.duckdb")]
    code = [PROJECT / "orchestration" / "gate" / "gate.py", *(machine.path("/etc/precede/agents")).rglob("*.*")]
    named = {
        "read": [*KEYS, *environments, "/etc/precede/tools/erp.env", *others, *graphs],
        "listing": [
            f"/var/lib/precede/{name}" for name in ("keys", "landing", "stages", "graph", "checkpoints", "locks")
        ]
        + [
            "/var/lib/precede",
            "/var/lib/precede-exchange/finance",
            "/run/precede/orchestration",
            "/run/precede/insight",
        ],
        "append": [*KEYS, "/var/lib/precede/keys/permit.pub", *configured, *graphs, *others, *map(str, code)],
        "make": [
            f"/var/lib/precede/{name}" for name in (".", "keys", "landing", "stages", "graph", "checkpoints", "locks")
        ]
        + ["/var/lib/precede-exchange", "/var/lib/precede-exchange/finance", "/etc/precede", "/etc/precede/dagster"]
        + [
            "/etc/precede/tools",
            "/run/precede",
            "/run/precede/erp",
            str(machine.path("/etc/precede/agents") / "hostile"),
        ],
        "replace": [*configured, *KEYS, "/var/lib/precede/keys/permit.pub", "/run/precede/erp", *graphs],
        "loosen": [*KEYS, *graphs, *configured, "/var/lib/precede/keys", "/etc/precede/tools/erp.env"],
        "call": list(SOCKETS),
        "connect": [
            f"postgresql://{role}{secret}@127.0.0.1:{machine.port}/{database}"
            for role in (*machine.passwords, "precede-agent-hostile")
            for secret in ("", ":CHANGE_ME", f":{role}")
            for database in ("precede", "erp")
        ],
        "become": [
            "0",
            *(str(machine.users[f"precede-{one}"]) for one in ("coordinator", "tool-erp", "agent-finance")),
        ],
        "serve_myself": ["/etc/precede/tools/erp.env"],
        "sign": ["/var/lib/precede/keys"],
        "secrets": [" ".join(machine.passwords.values())],
    } | {
        name: [str(process.pid) for process in machine.running] for name in ("environment", "memory", "handles", "end")
    }
    here = str(machine.root)
    return {
        name: [target if target.startswith(here) else machine.here(target) for target in each]
        for name, each in named.items()
    }


@pytest.fixture(scope="module")
def served(machine: Machine) -> Machine:
    """The machine with the ERP's tool server, a socket where a code server's is, and a graph that woke both agents."""
    machine.start("precede-tool@erp")
    machine.serve("precede-coordinator", "orchestration", SOCKETS[1], "/bin/cat")
    books(machine, "INSERT INTO \"transaction\" SELECT n, 'CustInvc', n, false FROM generate_series(1, 3) AS n")
    books(machine, "INSERT INTO transaction_line SELECT n, 'T', '120.00' FROM generate_series(1, 3) AS n")
    step(machine, "insight", "insight", "publish")
    machine.woken = step(machine, "coordinator", "orchestration", "wake")
    for socket in SOCKETS:
        machine.wait_for(socket)
    return machine


@pytest.fixture(scope="module")
def report(served: Machine) -> Report:
    """What the hostile agent reports, once its process has answered."""
    said = served.path("/etc/precede/targets.json")
    said.write_text(json.dumps(targets(served, served.woken["finance"][1])))
    unit = served.unit("precede-agent@hostile")
    run = (served.python, "-m", "orchestration.cli.dagster", "run", "action.definitions", "propose")
    assert unit["ExecStart"][0].endswith("-m action.definitions")
    served.run(unit["User"][0], Path(unit["EnvironmentFile"][0]).stem, *run, TARGETS=str(said))
    found: Report = json.loads(served.path("/var/lib/precede-exchange/hostile/report.json").read_text())
    return found


def test_nothing_that_the_hostile_agent_tries_succeeds(served: Machine, report: Report) -> None:
    assert report["user"] == served.users["precede-agent-hostile"]
    assert {name for name, outcome in report["attempts"].items() if outcome == "done"} == set()
    assert len(report["attempts"]) > 100
    assert {name: outcome for name, outcome in report["attempts"].items() if outcome not in REFUSALS} == {}


def test_its_process_was_told_of_no_secret(served: Machine, report: Report) -> None:
    told = json.dumps(report["environment"])
    assert not [secret for secret in served.passwords.values() if secret in told]
    assert not report["environment"].keys() & {
        "PRECEDE_STORE_URL",
        "PRECEDE_DAGSTER_URL",
        "PRECEDE_TOOLS",
        "PRECEDE_SOURCES",
    }


def test_what_it_may_propose_is_decided_delivered_and_recorded(served: Machine, report: Report) -> None:
    assert report
    done = step(served, "coordinator", "orchestration", "answer")
    assert done == {"states": ["done"] * 3, "reasons": [{}], "problems": [], "signatures": True}
    written = books(served, "SELECT custrecord_recipient, custrecord_created_by FROM customrecord_dunning ORDER BY 1")
    assert written == [(f"{number}@debtor.example", "precede") for number in (1, 2, 3)]


def test_the_same_attempts_succeed_for_whom_they_may(served: Machine, report: Report) -> None:
    assert report
    of = str(served.path("/etc/precede/targets.json"))
    mine = json.loads(served.run("precede-coordinator", "orchestration", served.python, str(BESIEGER), TARGETS=of))
    done = {name for name, outcome in mine.items() if outcome == "done"}
    for name in (f"sign {served.here('/var/lib/precede/keys')}", f"call {served.here(SOCKETS[0])}"):
        assert name in done
    assert {name.split()[0] for name in done} >= {
        "read",
        "listing",
        "append",
        "make",
        "environment",
        "end",
        "call",
        "sign",
    }
    tools = {name for name in mine if "tools/erp.env" in name}
    assert tools
    assert not tools & done
    assert not [name for name in done if "/etc/precede" in name]


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("coordinator", "UPDATE ledger_entry SET body = ''"),
        ("coordinator", "DELETE FROM ledger_entry"),
        ("coordinator", "TRUNCATE ledger_entry CASCADE"),
        ("coordinator", "DELETE FROM checkpoint"),
        ("coordinator", "UPDATE policy_set SET schema = ''"),
        ("coordinator", "UPDATE pin_set SET digest = ''"),
        ("coordinator", "ALTER TABLE proposal ADD COLUMN more text"),
        ("coordinator", "CREATE TABLE more (more text)"),
        ("insight", "SELECT * FROM proposal"),
        ("insight", "SELECT * FROM trigger_row"),
        ("insight", "SELECT * FROM ledger_payload"),
        ("insight", "SELECT * FROM agent_credential"),
        ("insight", "SELECT tool_arguments FROM outbox"),
        ("insight", "UPDATE outbox SET state = 'done'"),
        ("insight", "INSERT INTO judgement (number) VALUES (1)"),
        ("insight", "INSERT INTO permit (permit_id) VALUES ('permit')"),
        ("insight", "UPDATE ledger_entry SET body = ''"),
    ],
)
def test_a_role_of_the_store_can_do_its_part_and_no_more(machine: Machine, role: str, statement: str) -> None:
    with pytest.raises(AssertionError, match=r"permission denied|must be owner"):
        machine.ask(statement, f"precede_{role}", "precede")


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("reader", "INSERT INTO customrecord_dunning (id) VALUES (1)"),
        ("reader", "SET default_transaction_read_only = off; UPDATE transaction_line SET mainline = 'F'"),
        ("tool_erp", 'DELETE FROM "transaction"'),
        ("tool_erp", "DELETE FROM customrecord_dunning"),
        ("tool_erp", "UPDATE transaction_line SET foreignamountunpaid = '0'"),
    ],
)
def test_a_role_of_the_erp_can_do_its_part_and_no_more(machine: Machine, role: str, statement: str) -> None:
    with pytest.raises(AssertionError, match="permission denied"):
        machine.ask(statement, f"precede_{role}", "erp")


def test_a_socket_is_not_served_where_others_may_enter(machine: Machine) -> None:
    folder = machine.path("/run/precede/crm")
    folder.chmod(0o2755)
    command = (machine.python, "-m", "orchestration.work.sockets", "serve", str(folder / "tool.sock"), "/bin/cat")
    begun = time.monotonic()
    said = machine.run("precede-tool-crm", None, *command, fails=True)
    folder.chmod(0o2750)
    assert "needed a folder that others may not enter (2750)" in said
    assert time.monotonic() - begun < 30
