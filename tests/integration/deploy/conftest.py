from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from orchestration.settings import PROJECT
from orchestration.store.__main__ import main as store_main
from tests.integration.deploy.machine import Machine, interpreter, password, postgres
from tests.integration.gate.world import ERP

FINANCE = PROJECT / "action" / "agents" / "finance"
BESIEGER = PROJECT / "tests" / "fixtures" / "agents" / "besieger" / "agent.py"
ENVIRONMENTS = ("insight", "orchestration", "dagster", "agent-finance", "tool-erp", "tool-crm")


@pytest.fixture(scope="module")
def bare() -> Iterator[Machine]:
    """A machine with a database server and nothing else."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("isolation is not tested: only root on Linux can be several users")
    found = interpreter()
    if found is None:
        pytest.skip("isolation is not tested: no Python 3.11 here that another user may start")
    with TemporaryDirectory(prefix="precede-machine-") as folder:
        root = Path(folder)
        root.chmod(0o711)
        secret = password()
        (root / "postgres").mkdir()
        with postgres(root / "postgres", secret) as port:
            made = Machine(root, *found, port=port, passwords={"postgres": secret})
            try:
                yield made
            finally:
                made.stop()


@pytest.fixture(scope="module")
def machine(bare: Machine) -> Machine:
    """The machine with its users, folders and roles, a small ERP, and a second agent, who is hostile."""
    bare.hire("hostile")
    install(bare)
    bare.ask("CREATE DATABASE erp")
    erp = ERP.replace("_fivetran_deleted INTEGER", "_fivetran_deleted BOOLEAN")
    bare.ask(erp.replace("_fivetran_synced TEXT", "_fivetran_synced TIMESTAMPTZ"), database="erp")
    bare.sql("reader.sql", "postgres", "erp")
    bare.sql("tool-erp.sql", "postgres", "erp")
    bare.place("env/write-erp.env", "/etc/precede/tools/erp.env", owner="precede-tool-erp", mode=0o600)
    bare.place("env/agent-hostile.env", "/etc/precede/env/agent-hostile.env", mode=0o600)
    engage(bare)
    hostile = bare.path("/etc/precede/agents/hostile")
    shutil.copytree(FINANCE, hostile)
    for part in ("agent.yml", "policy.cedar"):
        file = hostile / part
        file.write_text(file.read_text().replace("finance", "hostile"))
    shutil.copy(BESIEGER, hostile / "agent.py")
    with (hostile / "agent.yml").open("a") as card:
        card.write("\ncredentials: {env: [TARGETS]}\n")
    return bare


def install(machine: Machine) -> None:
    """Folders, and the roles of Precede's own databases: `docs/how-to/deploy.md`, before the systems' roles."""
    machine.make_folders()
    names = ("owner", "coordinator", "insight", "dagster", "reader", "tool_erp", "tool_crm")
    machine.passwords |= {f"precede_{name}": password() for name in names}
    machine.sql("roles.sql", "postgres", "postgres")


def engage(machine: Machine) -> None:
    """The rest of that page: passwords, environments, configuration, and the store's tables with who may do what."""
    for role in machine.ask("SELECT rolname FROM pg_roles WHERE rolname LIKE 'precede%'").split():
        machine.ask(f"ALTER ROLE {role} PASSWORD '{machine.passwords[role]}'")
    for name in ENVIRONMENTS:
        machine.place(f"env/{name}.env", f"/etc/precede/env/{name}.env", mode=0o600)
    machine.place("servers.yml", "/etc/precede/tools/servers.yml")
    for name in ("dagster", "workspace"):
        machine.place(f"{name}.yaml", f"/etc/precede/dagster/{name}.yaml")
    shutil.copytree(FINANCE, machine.path("/etc/precede/agents/finance"))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PRECEDE_STORE_URL", machine.url("precede_owner", "precede"))
        assert store_main() == 0
    machine.sql("store.sql", "precede_owner", "precede")
    machine.sql("dagster.sql", "precede_dagster", "precede_dagster")


def books(machine: Machine, statement: str, *values: object) -> list[tuple[object, ...]]:
    """Ask the ERP, as its owner."""
    with psycopg.connect(machine.url("postgres", "erp"), autocommit=True) as erp:
        done = erp.execute(statement.encode(), values)
        return done.fetchall() if done.description else []
