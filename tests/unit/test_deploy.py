"""What `deploy/` says again of the project, and what it must not say."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from orchestration.settings import PROJECT
from orchestration.store import tables
from orchestration.work.environment import LOCATIONS

DEPLOY = PROJECT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def stated(name: str) -> dict[str, str]:
    said = (DEPLOY / "env" / f"{name}.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in said if "=" in line and not line.startswith("#"))


def settings(unit: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in unit.read_text().splitlines() if "=" in line)


@pytest.mark.parametrize(
    ("environment", "location"),
    [("insight", "insight"), ("orchestration", "orchestration"), ("agent-finance", "action")],
)
def test_an_environment_tells_a_location_only_what_it_may_see(environment: str, location: str) -> None:
    ours = {name for name in stated(environment) if name.startswith(("PRECEDE_", "DAGSTER_")) and "_URL" not in name}
    assert ours <= set(LOCATIONS[location])


def test_an_agent_is_told_of_no_database() -> None:
    assert not [value for value in stated("agent-finance").values() if "://" in value]


def test_insight_holds_no_write_credential_and_no_tool_is_told_of_the_store() -> None:
    assert "precede_tool" not in (DEPLOY / "env" / "insight.env").read_text()
    for file in DEPLOY.glob("env/tool-*.env"):
        assert "postgresql" not in file.read_text()


def test_dagsters_configuration_is_the_projects_and_more() -> None:
    project, deployed = (yaml.safe_load((each / "dagster.yaml").read_text()) for each in (PROJECT, DEPLOY))
    assert {name: deployed[name] for name in project} == project
    assert deployed["storage"] == {"postgres": {"postgres_url": {"env": "PRECEDE_DAGSTER_URL"}}}


def test_the_tools_are_those_that_the_example_registers() -> None:
    example, deployed = (
        {name: server["tools"] for name, server in yaml.safe_load(file.read_text())["servers"].items()}
        for file in (PROJECT / "examples" / "northgate" / "tools" / "servers.yml", DEPLOY / "servers.yml")
    )
    assert deployed == example


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_runs_as_a_user_that_is_made_without_privileges_and_listens_on_no_port(unit: Path) -> None:
    said = settings(unit)
    users = {line.split()[1] for line in (DEPLOY / "sysusers.conf").read_text().splitlines() if line.startswith("u ")}
    user = said["User"].replace("-%i", "-finance" if "agent" in unit.name else "-erp")
    assert user in users
    assert (said["NoNewPrivileges"], said["CapabilityBoundingSet"], said["UMask"]) == ("yes", "", "0007")
    assert (" -p " in said["ExecStart"]) is (unit.name == "precede-web.service")


def test_only_folders_that_are_meant_for_all_may_be_entered_by_all() -> None:
    said = [line.split() for line in (DEPLOY / "tmpfiles.conf").read_text().splitlines() if line.startswith("d ")]
    open_to_all = {path: mode for _, path, mode, *_ in said if int(mode, 8) & 0o007}
    assert open_to_all == {
        "/var/lib/precede": "1771", "/var/lib/precede/keys": "0711", "/var/lib/precede-exchange": "0755",
        "/var/lib/precede-agents": "0755", "/etc/precede": "0755", "/etc/precede/dagster": "0755",
        "/etc/precede/tools": "0755", "/run/precede": "0755",
    }  # fmt: skip


def test_the_roles_name_tables_that_exist() -> None:
    text = (DEPLOY / "sql" / "store.sql").read_text()
    granted = " ".join(line for line in text.splitlines() if not line.startswith("--") and " ALL " not in line)
    named = {name for name in tables.metadata.tables if name in granted.replace(",", " ").split()}
    assert named >= {"ledger_entry", "checkpoint", "policy_set", "snapshot", "pointer", "watermark"}
