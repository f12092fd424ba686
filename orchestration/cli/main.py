"""`precede`: the command line. Commands are loaded when they are called, so that `--help` is quick.

Each command is a function in a module of its own; a team's commands are found by entry point, so that the coordinator
imports neither team. A `PrecedeError` becomes one sentence on standard error and exit code 1; with `--json` an object
with `error` and `message` instead.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, Final, NoReturn

import click
import typer
from typer.core import TyperCommand, TyperGroup

from orchestration.errors import ConfigurationError, NoGraph, PrecedeError, StoreError

TEAMS: Final = "precede.commands"
"""The entry points under which teams bring commands: each a dictionary of name to Typer application or function."""

JSON: Final = "--json"
"""The option with which every command prints JSON, also of what went wrong."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command: where it is, what it is for, and which group of the help it stands in."""

    target: str
    help: str
    panel: str


COMMANDS: Final = {
    "run": Command("orchestration.cli.run:run", "Run the main job from the sources to effects, and sum it up.", "Work"),
    "ui": Command("orchestration.cli.ui:ui", "Open Dagster with schedule and sensors on.", "Work"),
    "stop": Command("orchestration.cli.stop:stop", "Stop an agent, an action type or all, and prove it.", "Work"),
    "start": Command("orchestration.cli.stop:start", "Let go on what was stopped.", "Work"),
    "stops": Command("orchestration.cli.stop:stops", "List what is stopped, why, and that it holds.", "Work"),
    "erase": Command("orchestration.cli.erase:erase", "Forget a person, and keep them from coming back.", "Work"),
    "object": Command(
        "orchestration.cli.objections:object_", "Record that somebody objects to being contacted.", "Work"
    ),
    "objections": Command("orchestration.cli.objections:app", "List objections, withdraw one.", "Work"),
    "notifications": Command(
        "orchestration.cli.notifications:notifications", "List what people were told, and what was not sent.", "Work"
    ),
    "undo": Command("orchestration.cli.undo:undo", "Take the effect of an action back.", "Work"),
    "find": Command("orchestration.cli.find:find", "Find an entity by name, identifier, mailbox, phone or id.", "Look"),
    "show": Command(
        "orchestration.cli.show:show", "Show all that is known of an entity, and from which record.", "Look"
    ),
    "why": Command(
        "orchestration.cli.why:why", "Show why two records are one or are not, and why an entity is what it is.", "Look"
    ),
    "conflicts": Command("orchestration.cli.conflicts:conflicts", "List where records of one entity disagree.", "Look"),
    "review": Command(
        "orchestration.cli.review:app", "Answer what is in review: proposals, pairs and values.", "Judge"
    ),
    "policy": Command("orchestration.cli.policy:app", "Check, explain and try out policies.", "Judge"),
    "actions": Command(
        "orchestration.cli.actions:actions", "List what agents proposed and what became of it.", "Prove"
    ),
    "trace": Command("orchestration.cli.trace:trace", "Walk from an effect back to its source rows.", "Prove"),
    "report": Command("orchestration.cli.report:report", "Say what the agents did in a period.", "Prove"),
    "effects": Command(
        "orchestration.cli.effects:app", "See what became of effects, and settle what no tool can say.", "Prove"
    ),
    "ledger": Command("orchestration.cli.ledger:app", "Prove that nobody edited the record.", "Prove"),
    "people": Command("orchestration.cli.people:app", "Say who may review, operate and audit.", "Identify"),
    "credentials": Command(
        "orchestration.cli.credentials:app", "Look at agents' credentials, revoke them.", "Identify"
    ),
    "dagster": Command("orchestration.cli.check:app", "Check that Dagster loads the project.", "Work"),
}
DESCRIPTION: Final = """Insight precedes action: systems become one published graph, and agents act only on it.

Everything is kept in PRECEDE_HOME, the folder .precede of the project where it is not set."""


class Precede(TyperGroup):
    """The commands of the coordinator and of the teams, each loaded when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, ours first."""
        ours = super().list_commands(ctx)
        try:
            return [*ours, *(name for name, _ in _teams() if name not in COMMANDS)]
        except ConfigurationError as error:  # a team that cannot be loaded takes no other command away
            sys.stderr.write(f"precede: {error}\n")
            return ours

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command as the help lists it; `resolve_command` loads the one that is called."""
        return super().get_command(ctx, cmd_name) or _team_command(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is called, and its arguments."""
        name = args[0]
        if name in COMMANDS:
            return name, _command(name, _load(COMMANDS[name].target)), args[1:]
        return super().resolve_command(ctx, args)


def command_line() -> Precede:
    """The whole command line as a Click group."""
    listed = {name: TyperCommand(name=name, help=one.help, rich_help_panel=one.panel) for name, one in COMMANDS.items()}
    return Precede(
        name="precede",
        help=DESCRIPTION,
        commands=dict(listed),
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )


def main() -> None:
    """Run the command line; the entry point of the script `precede`."""
    as_json = JSON in sys.argv[1:]
    try:
        code = command_line().main(prog_name="precede", standalone_mode=not as_json)
        sys.exit(code if isinstance(code, int) else 0)
    except click.ClickException as error:  # only met with --json: a command that was called wrongly
        _fail(error, error.format_message(), error.exit_code)
    except click.Abort as error:
        _fail(error, "It was broken off.")
    except PrecedeError as error:
        _fail(error)
    except Exception as error:
        known = _known(error)
        if known is None:
            raise
        _fail(known)


def _fail(error: Exception, message: str = "", code: int = 1) -> NoReturn:
    sys.stdout.flush()
    said = message or str(error)
    if JSON in sys.argv[1:]:
        sys.stderr.write(json.dumps({"error": type(error).__name__, "message": said}, ensure_ascii=False) + "\n")
    else:
        sys.stderr.write(f"precede: {said}\n")
    sys.exit(code)


def _known(error: Exception) -> PrecedeError | None:
    """A database's own error as one that says what to do; nothing is imported for it that was not there."""
    cause = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    database, graph = sys.modules.get("sqlalchemy.exc"), sys.modules.get("duckdb")
    if database and isinstance(error, database.SQLAlchemyError):
        return StoreError(f"The store could not be read: {cause}; needed one that Precede made; see PRECEDE_STORE_URL.")
    if graph and isinstance(error, graph.Error):
        return NoGraph(f"The graph could not be read: {cause}; needed one that Precede published; run `precede run`.")
    return None


def _teams() -> Iterator[tuple[str, Any]]:
    """Name and target of each team's commands."""
    for point in entry_points(group=TEAMS):
        try:
            commands = point.load()
        except (ImportError, AttributeError) as error:
            where = f"the entry point {point.name} of {TEAMS}"
            raise ConfigurationError(where, f"{point.value}, which cannot be loaded ({error})", "commands") from error
        yield from commands.items()


def _team_command(name: str) -> click.Command | None:
    target = next((target for found, target in _teams() if found == name), None)
    if target is None:
        return None
    command = _command(name, target)
    if isinstance(command, TyperCommand | TyperGroup):
        command.rich_help_panel = "Teams"
    return command


def _load(target: str) -> Any:  # noqa: ANN401  a Typer application or a function
    module, attribute = target.split(":")
    return getattr(importlib.import_module(module), attribute)


def _command(name: str, target: typer.Typer | Callable[..., Any]) -> click.Command:
    """A Typer application, or a function, as a Click command."""
    if not isinstance(target, typer.Typer):
        application = typer.Typer(add_completion=False)
        application.command(name)(target)
        target = application
    command = typer.main.get_command(target)
    command.name = name
    return command
