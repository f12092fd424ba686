"""What holds of every command: quick help, and one sentence where something is missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import typer

from orchestration.cli import main as command_line
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from tests.graph_fixture import publish_graph
from tests.integration.cli.conftest import Precede

READING = [
    ("find", "acme"),
    ("show", "org_acme"),
    ("why", "crm:company:1", "erp:customer:101"),
    ("conflicts",),
    ("review", "pairs"),
    ("actions",),
    ("trace", "act_1"),
    ("policy", "explain", "act_1"),
    ("ledger", "verify"),
    ("credentials", "list"),
]
ON_THE_GRAPH = READING[:5]


@pytest.mark.parametrize(
    "command", [*((name,) for name in command_line.COMMANDS), ("ledger", "verify"), ("review", "pairs")]
)
def test_every_command_says_what_it_does(precede: Precede, command: tuple[str, ...]) -> None:
    result = precede(*command, "--help")
    assert result.code == 0
    assert f"Usage: precede {' '.join(command)}" in result.out


def test_every_command_that_prints_a_result_has_json(precede: Precede) -> None:
    on_one = [("run",), ("find",), ("show",), ("why",), ("conflicts",), ("actions",), ("trace",), ("ledger", "verify")]
    judging = [("review", name) for name in ("pairs", "show", "judge", "settle", "judgements")]
    who = [("people", name) for name in ("list", "add", "rotate", "remove")]
    acting = [("stop",), ("start",), ("credentials", "list"), ("credentials", "revoke"), ("ledger", "checkpoint")]
    policy = [("policy", name) for name in ("check", "explain", "try")]
    for command in [*on_one, *judging, *who, *acting, *policy]:
        assert "--json" in precede(*command, "--help").out, command


def test_help_loads_nothing_that_is_slow() -> None:
    script = """
import sys
from orchestration.cli.main import main
sys.argv = ["precede", "--help"]
try:
    main()
finally:
    slow = {"dagster", "duckdb", "sqlalchemy", "pyarrow", "pydantic", "networkx", "splink", "numpy", "rigour"}
    print(sorted(slow & set(sys.modules)), file=sys.stderr)
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "Usage: precede" in ended.stdout
    assert ended.stderr == "[]\n"


@pytest.mark.parametrize("command", READING)
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_where_nothing_has_run_every_command_says_so_and_leaves_nothing_behind(
    precede: Precede, home: Path, command: tuple[str, ...], options: tuple[str, ...]
) -> None:
    result = precede(*command, *options)
    assert result.code == 1
    assert result.out == ""
    assert one_sentence(result.err) if not options else json.loads(result.err)["error"] in {"NoGraph", "StoreError"}
    assert "precede run" in result.err
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("command", ON_THE_GRAPH)
def test_where_no_graph_was_published_commands_on_it_say_so(
    precede: Precede, home: Path, command: tuple[str, ...]
) -> None:
    open_store(Settings(home=home)).close()
    result = precede(*command)
    assert result.code == 1
    assert one_sentence(result.err)
    assert "No graph has been published yet" in result.err


@pytest.mark.parametrize("command", ON_THE_GRAPH)
@pytest.mark.parametrize("damage", ["gone", "not a graph"])
def test_where_the_graph_cannot_be_read_commands_on_it_say_so(
    precede: Precede, home: Path, command: tuple[str, ...], damage: str
) -> None:
    settings = Settings(home=home)
    with closing(open_store(settings)) as store, publish_graph(store, settings) as graph:
        path = graph.path
    path.unlink()
    if damage == "not a graph":
        path.write_text("no database at all")
    result = precede(*command)
    assert result.code == 1
    assert one_sentence(result.err)
    assert str(path) in result.err


@pytest.mark.parametrize("command", READING)
def test_where_the_store_cannot_be_read_every_command_says_so(
    precede: Precede, home: Path, command: tuple[str, ...]
) -> None:
    (home / "store.db").write_bytes(b"this is no database, whatever its name says" * 100)
    result = precede(*command)
    assert result.code == 1
    assert result.out == ""
    assert one_sentence(result.err)
    assert "store.db" in result.err


@pytest.mark.parametrize("command", READING)
def test_where_the_store_has_lost_a_table_every_command_says_so(
    precede: Precede, home: Path, command: tuple[str, ...]
) -> None:
    with closing(open_store(Settings(home=home))) as store, store.begin() as connection:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        for table in (
            "outbox",
            "agent_credential",
            "pointer",
            "ledger_payload",
            "ledger_entry",
            "permit",
            "evidence",
            "decision",
            "proposal",
        ):
            connection.exec_driver_sql(f"DROP TABLE {table}")
    result = precede(*command)
    assert result.code == 1
    assert one_sentence(result.err)
    assert "store" in result.err


def test_an_unknown_command_is_named_with_what_was_probably_meant(precede: Precede) -> None:
    result = precede("finde", "acme")
    assert result.code == 2
    assert "No such command 'finde'" in result.err
    assert "'find'" in result.err


def test_a_missing_argument_is_named(precede: Precede) -> None:
    result = precede("review", "judge", "crm:company:1")
    assert result.code == 2
    assert "RECORD_B" in result.err


def test_a_team_brings_commands_of_its_own(precede: Precede, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_line, "entry_points", lambda group: [FakePoint("greet", _greet)])  # noqa: ARG005
    assert precede("greet", "Ada").out == "hello Ada\n"
    assert "greet" in precede("--help").out


def test_a_team_that_cannot_be_loaded_takes_no_other_command_away(
    precede: Precede, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = EntryPoint("broken", "orchestration.no_such_module:commands", command_line.TEAMS)
    monkeypatch.setattr(command_line, "entry_points", lambda group: [broken])  # noqa: ARG005
    listed = precede("--help")
    assert listed.code == 0
    assert "find" in listed.out
    assert "orchestration.no_such_module" in listed.err
    missing = precede("sources", "check")
    assert missing.code == 1
    assert one_sentence(missing.err)


def test_the_script_itself_ends_with_one_sentence_and_no_traceback(tmp_path: Path) -> None:
    ended = subprocess.run(
        [Path(sys.executable).parent / "precede", "find", "acme"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "PRECEDE_HOME": str(tmp_path)},
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert one_sentence(ended.stderr)


class FakePoint:
    """An entry point that has its commands at hand."""

    def __init__(self, name: str, command: object) -> None:
        self.name, self.value, self._command = name, "fake:commands", command

    def load(self) -> dict[str, object]:
        return {self.name: self._command}


def _greet(name: str) -> None:
    """Greet someone."""
    typer.echo(f"hello {name}")


def one_sentence(text: str) -> bool:
    """Whether a person who reads it is told something, on one line, without a traceback."""
    return text.startswith("precede: ") and text.count("\n") == 1 and text.endswith(".\n") and "Traceback" not in text
