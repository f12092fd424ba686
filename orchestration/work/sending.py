"""One call of a tool, tried some times: what its answer is, and that a stop is heeded between two attempts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import RowMapping
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from orchestration.contracts import SignedPermit, ToolResult
from orchestration.gate.stopping import stopped
from orchestration.store.engine import Store
from orchestration.work.tools import Caller, ToolNotReached, ToolUnreachable

ATTEMPTS: Final = 3
"""How often a call is tried before its outcome is unknown, for this run."""


def send(
    tools: Caller,
    row: RowMapping | Mapping[str, Any],
    permit: SignedPermit,
    longest_wait: float,
    again: type[ToolUnreachable] = ToolUnreachable,
) -> ToolResult:
    """What a tool answers to a call, tried some times.

    Args:
        tools: What calls the tools.
        row: Of `outbox` or `undo`.
        permit: The coordinator's leave for the call.
        longest_wait: Seconds between two attempts, at most.
        again: After what a call is tried again: after a lost answer too, or only where nothing was sent.

    Raises:
        ToolUnreachable: No answer came.
        ConfigurationError: The tool server is not registered, or its tool is not the one that was.
    """
    return Retrying(
        retry=retry_if_exception_type(again),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_exponential(multiplier=0.1, max=longest_wait),
        reraise=True,
    )(tools.call, row["tool_server"], row["tool"], row["tool_arguments"], row["effect_key"], permit)


class Heeding:
    """A caller that asks before each call but the first whether there was a stop meanwhile."""

    def __init__(self, store: Store, tools: Caller, row: RowMapping) -> None:
        """Call for an effect of `outbox`, whose row says whose it is too."""
        self._store, self._tools, self._row = store, tools, row
        self._called = False

    def call(
        self, server: str, tool: str, arguments: Mapping[str, str | int | bool], effect_key: str, permit: SignedPermit
    ) -> ToolResult:
        """Call the tool; see `Caller`."""
        if self._called:
            with self._store.read() as connection:
                if stopped(connection).against(self._row["agent"], self._row["action_type"]):
                    raise ToolNotReached("It was stopped before the tool could be reached again.")
        self._called = True
        return self._tools.call(server, tool, arguments, effect_key, permit)
