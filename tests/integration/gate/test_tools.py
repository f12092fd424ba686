from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent

import pytest
import yaml

from examples.northgate.tools.credentials import write_url
from orchestration.action_types import load_action_types
from orchestration.contracts import OutcomeState, SignedPermit
from orchestration.errors import ConfigurationError
from orchestration.gate.keys import signing_key
from orchestration.settings import PROJECT
from orchestration.work.act import act
from orchestration.work.outbox import deliver
from orchestration.work.tools import ToolServer, ToolSession, ToolUnreachable, load_servers
from tests.integration.gate.world import World

SERVERS = PROJECT / "examples" / "northgate" / "tools" / "servers.yml"
NO_PERMIT = SignedPermit(payload="e30=", signature="e30=")
CALL = {"invoice": "1", "customer": "1", "stage": 1, "recipient": "a@b.example", "subject": "x"}


@pytest.fixture
def erp(world: World) -> Iterator[ToolSession]:
    """The example's own tool server, a process of its own."""
    world.make_erp()
    signing_key(world.settings.keys)
    with ToolSession(load_servers(SERVERS), world.settings, os.environ) as tools:
        yield tools


def written(folder: Path, code: str) -> ToolServer:
    """A tool server of the test's, with one tool `look`, registered under a digest that is not its own."""
    script = folder / "server.py"
    script.write_text(dedent(code), encoding="utf-8")
    return ToolServer(command=sys.executable, arguments=(str(script),), folder=str(folder), tools={"look": "0" * 64})


LOOKING = """
    import json, os
    from mcp.server import MCPServer
    from orchestration.contracts import OutcomeState, SignedPermit, ToolResult

    server = MCPServer("looking")

    @server.tool()
    def look(effect_key: str, permit: SignedPermit) -> ToolResult:
        if effect_key == "die":
            os._exit(1)
        if effect_key == "raise":
            raise RuntimeError("broken")
        return ToolResult(state=OutcomeState.DONE, detail=json.dumps(dict(os.environ)))

    server.run("stdio")
"""


def test_a_batch_goes_from_proposal_to_the_erp_through_its_tool_server(world: World, erp: ToolSession) -> None:
    batch_id, _ = world.propose_all()
    done = act(world.store, world.settings, "finance", tools=erp, rules=world.rules, holds=lambda _pin: True)
    assert [(batch.batch_id, batch.performed) for batch in done.batches] == [(batch_id, 3)]
    assert world.reminders() == [
        (f"reminder:erp:transaction:{n}:1", f"{n}@debtor.example", "precede") for n in (1, 2, 3)
    ]
    assert deliver(world.store, erp, lambda: datetime.now(UTC)) == []


def test_every_action_type_of_ours_has_a_tool_that_is_the_registered_one(erp: ToolSession) -> None:
    registered = load_servers(SERVERS)
    for action_type in load_action_types(PROJECT / "orchestration" / "actions").values():
        tool = action_type.tool
        assert erp.describe(tool.server)[tool.name] == registered[tool.server].tools[tool.name]


def test_the_crms_server_refuses_what_has_no_permit(erp: ToolSession) -> None:
    call: dict[str, str | int | bool] = {"company": "1", "found": "GB1", "right": "GB2"}
    result = erp.call("crm", "write_vat_number", call, "vat", NO_PERMIT)
    assert result.state is OutcomeState.FAILED


def test_the_erps_server_refuses_what_has_no_permit(world: World, erp: ToolSession) -> None:
    result = erp.call("erp", "write_payment_reminder", CALL, "k", NO_PERMIT)
    assert result.state is OutcomeState.FAILED
    assert world.reminders() == []


def test_the_write_credential_is_read_by_the_server_from_its_own_file(world: World) -> None:
    world.make_erp()
    elsewhere = world.settings.home / "elsewhere.db"
    (world.settings.home / "northgate" / "erp.db").rename(elsewhere)
    credentials = world.settings.home / "tools" / "erp.env"
    credentials.parent.mkdir()
    credentials.write_text(f"# the ERP's\nERP_WRITE_URL=sqlite:///{elsewhere}\n", encoding="utf-8")
    credentials.chmod(0o600)
    world.propose_all()
    with ToolSession(load_servers(SERVERS), world.settings, {}) as tools:
        done = act(world.store, world.settings, "finance", tools=tools, rules=world.rules, holds=lambda _pin: True)
    assert [batch.performed for batch in done.batches] == [3]
    assert not (world.settings.home / "northgate" / "erp.db").exists()


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        ("ERP_WRITE_URL=sqlite:////elsewhere.db", 0o644, "others may read"),
        ("ERP_URL=sqlite:////elsewhere.db", 0o600, "no ERP_WRITE_URL"),
        (None, 0, "needed a file"),
    ],
)
def test_a_credential_that_is_open_to_others_or_missing_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, mode: int, said: str
) -> None:
    file = tmp_path / "erp.env"
    if content is not None:
        file.write_text(content, encoding="utf-8")
        file.chmod(mode)
    monkeypatch.setenv("ERP_CREDENTIALS", str(file))
    monkeypatch.delenv("ERP_DEFAULT_URL", raising=False)
    with pytest.raises(ConfigurationError, match=said):
        write_url("ERP")


def test_a_tool_server_that_lacks_the_key_says_so_in_one_line(tmp_path: Path) -> None:
    environment = {"ERP_DEFAULT_URL": f"sqlite:///{tmp_path}/erp.db", "PRECEDE_PERMIT_PUBLIC_KEY": str(tmp_path / "no")}
    command = [sys.executable, "-m", "examples.northgate.tools.erp"]
    ended = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
    [said] = ended.stderr.splitlines()
    assert ended.returncode == 1
    assert said.startswith("The tool server of the ERP does not start: ")
    assert "needed the coordinator's public key" in said


def test_a_server_is_told_what_its_entry_names_and_nothing_of_ours(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PRECEDE_HOME", "PRECEDE_STORE_URL", "DAGSTER_HOME", "ERP_PASSWORD", "LOOK_AT"):
        monkeypatch.setenv(name, "secret")
    server = written(tmp_path, LOOKING).model_copy(
        update={"variables": {"WHERE": "{home}/x"}, "env": ("LOOK_AT", "MISSING")}
    )
    with ToolSession({"looking": server}, world.settings, os.environ) as tools:
        server = server.model_copy(update={"tools": tools.describe("looking")})
    with ToolSession({"looking": server}, world.settings, os.environ) as tools:
        seen = json.loads(tools.call("looking", "look", {}, "k", NO_PERMIT).detail)
    assert seen["WHERE"] == f"{world.settings.home}/x"
    assert seen["LOOK_AT"] == "secret"
    told = set(seen) - {"HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER", "LC_CTYPE"}
    assert told == {"WHERE", "LOOK_AT"}


def test_a_tool_whose_schema_changed_is_not_called(world: World, tmp_path: Path) -> None:
    server = written(tmp_path, LOOKING)
    with (
        ToolSession({"looking": server}, world.settings, {}) as tools,
        pytest.raises(ConfigurationError, match="the registered one, 0000"),
    ):
        tools.call("looking", "look", {}, "k", NO_PERMIT)


def test_a_tool_or_a_server_that_is_not_registered_is_not_called(world: World, tmp_path: Path) -> None:
    with ToolSession({"looking": written(tmp_path, LOOKING)}, world.settings, {}) as tools:
        with pytest.raises(ConfigurationError, match="no tool delete"):
            tools.call("looking", "delete", {}, "k", NO_PERMIT)
        with pytest.raises(ConfigurationError, match="no tool server elsewhere"):
            tools.call("elsewhere", "look", {}, "k", NO_PERMIT)


def test_a_server_that_dies_or_fails_gives_no_answer_and_is_started_again(world: World, tmp_path: Path) -> None:
    server = written(tmp_path, LOOKING)
    with ToolSession({"looking": server}, world.settings, {}) as tools:
        server = server.model_copy(update={"tools": tools.describe("looking")})
    with ToolSession({"looking": server}, world.settings, {}) as tools:
        with pytest.raises(ToolUnreachable, match="gave no answer"):
            tools.call("looking", "look", {}, "die", NO_PERMIT)
        with pytest.raises(ToolUnreachable, match="an error instead of an outcome"):
            tools.call("looking", "look", {}, "raise", NO_PERMIT)
        assert tools.call("looking", "look", {}, "k", NO_PERMIT).state is OutcomeState.DONE


@pytest.mark.parametrize("command", ["/no/such/program", "/bin/false"])
def test_a_server_that_cannot_be_started_is_named(world: World, command: str) -> None:
    server = ToolServer(command=command, tools={"look": "0" * 64})
    with (
        ToolSession({"looking": server}, world.settings, {}) as tools,
        pytest.raises(ToolUnreachable, match="The tool server looking did not start"),
    ):
        tools.call("looking", "look", {}, "k", NO_PERMIT)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"command": "x", "tools": {"look": "abc"}}, "match pattern"),
        ({"command": "x", "tools": {}}, "at least 1 item"),
        ({"tools": {"look": "0" * 64}}, "field required"),
        ({"command": "x", "tools": {"look": "0" * 64}, "env": ["PRECEDE_STORE_URL"]}, "found PRECEDE_STORE_URL"),
    ],
)
def test_a_wrong_entry_is_refused_in_a_sentence(tmp_path: Path, entry: dict[str, object], said: str) -> None:
    file = tmp_path / "servers.yml"
    file.write_text(yaml.safe_dump({"servers": {"erp": entry}}), encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        load_servers(file)
    assert said in str(refused.value)
    assert "servers.erp" in str(refused.value)
