"""Tool servers: how they are started, which of their tools are called, and the session that calls them.

Each is a process of its own that alone holds its system's write credential. It is told what `PRECEDE_TOOLS` names and
nothing of ours; the coordinator sends it a call with a permit and gets an outcome. A tool whose schema is not the one
that was registered is not called.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Annotated, Final, Protocol, Self

import anyio
from anyio.from_thread import start_blocking_portal
from mcp import Client, MCPError, StdioServerParameters
from mcp_types import Tool
from pydantic import Field, ValidationError, field_validator, model_validator

from orchestration.canonical import digest
from orchestration.contracts import Contract, SignedPermit, ToolResult
from orchestration.declarations import Name, read_declaration
from orchestration.errors import ConfigurationError, PrecedeError
from orchestration.settings import PROJECT, Settings
from orchestration.work.environment import DAGSTER_URL, NEVER

CALL_TIMEOUT: Final = 60.0
"""Seconds that a tool may take to answer."""
_OURS: Final = NEVER | {DAGSTER_URL, "PRECEDE_HOME", "PRECEDE_STORE_URL", "PRECEDE_SOURCES", "DAGSTER_HOME"}


class ToolUnreachable(PrecedeError):  # noqa: N818  reads as the sentence it is
    """No answer came: whether the tool did anything is not known."""


class ToolNotReached(ToolUnreachable):
    """Nothing was sent: the tool has done nothing."""


class ToolServer(Contract):
    """How one tool server is started, and what it may be asked."""

    command: str
    arguments: tuple[str, ...] = ()
    folder: str = "{project}"
    variables: dict[str, str] = Field(default_factory=dict)
    """Variables and their values."""
    env: tuple[str, ...] = ()
    """Variables that are passed on from the coordinator's environment."""
    tools: dict[Name, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]] = Field(min_length=1)
    """Tool to the digest of its schema."""
    repeatable: dict[Name, bool] = Field(default_factory=dict)
    """Tool to whether a call may be sent again where no answer came: not where it cannot tell that it wrote already."""

    @model_validator(mode="after")
    def _of_its_tools(self) -> Self:
        if unknown := sorted(self.repeatable.keys() - self.tools.keys()):
            raise ValueError(f"under `repeatable` tools that it has (found {', '.join(unknown)})")
        return self

    @field_validator("env")
    @classmethod
    def _nothing_of_ours(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if ours := sorted(set(names) & _OURS):
            raise ValueError(f"variables that are none of the coordinator's (found {', '.join(ours)})")
        return names


class ToolServers(Contract):
    """Every tool server by name: the file that `PRECEDE_TOOLS` names."""

    servers: dict[Name, ToolServer]


class Caller(Protocol):
    """Whoever can call a tool: a session with its server, or a fake of one."""

    def call(
        self, server: str, tool: str, arguments: Mapping[str, str | int | bool], effect_key: str, permit: SignedPermit
    ) -> ToolResult:
        """What became of the call.

        Raises:
            ToolUnreachable: No answer came.
        """


def load_servers(path: Path) -> dict[str, ToolServer]:
    """The tool servers of a file by name.

    Raises:
        ConfigurationError: It cannot be read, or says something that cannot be.
    """
    return read_declaration(path, ToolServers, ConfigurationError).servers


def sent_once(servers: Mapping[str, ToolServer]) -> frozenset[tuple[str, str]]:
    """Server and name of each tool that a call is never sent to again."""
    stated = ((name, tool, again) for name, server in servers.items() for tool, again in server.repeatable.items())
    return frozenset((name, tool) for name, tool, again in stated if not again)


def schema_digest(tool: Tool) -> str:
    """A digest of everything a tool says of itself."""
    return digest(tool.model_dump(mode="json", by_alias=True, exclude_none=True))


class ToolSession:
    """Sessions with tool servers, each opened at its first call and kept until the end of the batch.

    Args:
        servers: How they are started.
        settings: Where `{home}` is.
        environ: The environment that `env` names variables of.
    """

    def __init__(self, servers: Mapping[str, ToolServer], settings: Settings, environ: Mapping[str, str]) -> None:
        self._servers = servers
        self._places = {"home": str(settings.home), "project": str(PROJECT), "python": sys.executable}
        self._environ = environ
        self._stack = ExitStack()
        self._open: dict[str, tuple[Client, ExitStack]] = {}

    def __enter__(self) -> Self:
        self._portal = self._stack.enter_context(start_blocking_portal())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in list(self._open):
            self._close(name)
        self._stack.close()

    def call(
        self, server: str, tool: str, arguments: Mapping[str, str | int | bool], effect_key: str, permit: SignedPermit
    ) -> ToolResult:
        """Call a tool; see `Caller`.

        Raises:
            ToolUnreachable: The server could not be started, went away, took too long, or answered with no outcome.
            ConfigurationError: There is no such server or tool, or the tool's schema is not the registered one.
        """
        if tool not in self._known(server).tools:
            raise ConfigurationError(
                f"the tool server {server}", f"no tool {tool}", "it under `tools`, with its digest"
            )
        sent = {**arguments, "effect_key": effect_key, "permit": permit.model_dump()}
        try:
            client = self._client(server)
            answer = self._portal.call(client.call_tool, tool, sent, CALL_TIMEOUT)
        except (MCPError, OSError, TimeoutError, anyio.ClosedResourceError, anyio.BrokenResourceError) as problem:
            self._close(server)
            raise ToolUnreachable(
                f"The tool {server}/{tool} gave no answer ({problem or type(problem).__name__})."
            ) from problem
        if answer.is_error or answer.structured_content is None:
            raise ToolUnreachable(f"The tool {server}/{tool} answered with an error instead of an outcome.")
        try:
            return ToolResult.model_validate(answer.structured_content)
        except ValidationError as problem:
            raise ToolUnreachable(f"The tool {server}/{tool} answered with something that is no outcome.") from problem

    def describe(self, server: str) -> dict[str, str]:
        """The tools that a server offers now, with the digests of their schemas."""
        return {tool.name: schema_digest(tool) for tool in self._portal.call(_tools, self._connect(server))}

    def _known(self, server: str) -> ToolServer:
        if server not in self._servers:
            known = ", ".join(sorted(self._servers)) or "none"
            raise ConfigurationError(
                "PRECEDE_TOOLS", f"no tool server {server} (there are {known})", "it under `servers`"
            )
        return self._servers[server]

    def _client(self, server: str) -> Client:
        """The session with a server, whose tools say what they said when they were registered."""
        if server not in self._open:
            self._connect(server)
            try:
                self._refuse_drift(server)
            except BaseException:
                self._close(server)
                raise
        return self._open[server][0]

    def _connect(self, server: str) -> Client:
        if server not in self._open:
            known = self._known(server)
            stack = ExitStack()
            try:
                client = stack.enter_context(self._portal.wrap_async_context_manager(Client(self._parameters(known))))
            except* (MCPError, OSError) as problems:
                raise ToolNotReached(f"The tool server {server} did not start ({_innermost(problems)}).") from problems
            self._open[server] = client, stack
        return self._open[server][0]

    def _parameters(self, server: ToolServer) -> StdioServerParameters:
        passed = {name: self._environ[name] for name in server.env if name in self._environ}
        return StdioServerParameters(
            command=self._filled(server.command),
            args=[self._filled(argument) for argument in server.arguments],
            env=passed | {name: self._filled(value) for name, value in server.variables.items()},
            cwd=self._filled(server.folder),
        )

    def _filled(self, template: str) -> str:
        for name, value in self._places.items():
            template = template.replace(f"{{{name}}}", value)
        return template

    def _refuse_drift(self, server: str) -> None:
        now = self.describe(server)
        for name, registered in self._known(server).tools.items():
            if now.get(name) != registered:
                raise ConfigurationError(
                    f"the tool {server}/{name}",
                    f"the schema {now[name]}" if name in now else "no such tool",
                    f"the registered one, {registered} (read the change, then register it in PRECEDE_TOOLS)",
                )

    def _close(self, server: str) -> None:
        _, stack = self._open.pop(server, (None, ExitStack()))
        stack.close()


def _innermost(problem: BaseException) -> str:
    while isinstance(problem, BaseExceptionGroup):
        problem = problem.exceptions[0]
    return str(problem) or type(problem).__name__


async def _tools(client: Client) -> list[Tool]:
    found: list[Tool] = []
    cursor: str | None = None
    while True:
        page = await client.list_tools(cursor=cursor)
        found += page.tools
        cursor = page.next_cursor
        if cursor is None:
            return found
