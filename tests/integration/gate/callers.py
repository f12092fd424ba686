"""Callers of tools for tests: the ERP's own code without a process between, and callers that lose answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from examples.northgate.tools.reminders import Erp
from orchestration.contracts import SignedPermit, ToolResult
from orchestration.errors import ConfigurationError
from orchestration.gate.keys import public_key
from orchestration.work.tools import ToolUnreachable


class LocalErp:
    """The ERP's tool in this process: it checks and writes exactly as its server does."""

    def __init__(self, home: Path, later: timedelta = timedelta()) -> None:
        self.later = later
        self.erp = Erp(f"sqlite:///{home / 'northgate' / 'erp.db'}", public_key(home / "keys" / "permit.pub"))
        self.calls = 0

    def call(
        self, server: str, tool: str, arguments: Mapping[str, str | int | bool], effect_key: str, permit: SignedPermit
    ) -> ToolResult:
        assert server == "erp"
        tools = {
            "write_payment_reminder": self.erp.write_payment_reminder,
            "withdraw_payment_reminder": self.erp.withdraw_payment_reminder,
        }
        self.calls += 1
        return tools[tool](arguments, effect_key, permit, lambda: datetime.now(UTC) + self.later)


class Losing(LocalErp):
    """Writes, and loses that many answers on their way back."""

    def __init__(self, home: Path, lost: int) -> None:
        super().__init__(home)
        self.lost = lost

    def call(
        self, server: str, tool: str, arguments: Mapping[str, str | int | bool], effect_key: str, permit: SignedPermit
    ) -> ToolResult:
        result = super().call(server, tool, arguments, effect_key, permit)
        if self.calls <= self.lost:
            raise ToolUnreachable("The connection closed.")
        return result


class Unregistered:
    """A tool that is not the registered one."""

    def call(self, *_: object) -> ToolResult:
        raise ConfigurationError("erp/write_payment_reminder", "another schema", "the registered one")


class Silent:
    """A tool server that never answers, and has done nothing."""

    calls = 0

    def call(self, *_: object) -> ToolResult:
        self.calls += 1
        raise ToolUnreachable("The connection closed.")
