"""The ERP's tools in this process, by the clock of the world that they are in."""

from __future__ import annotations

from collections.abc import Mapping

from examples.northgate.tools import reminders
from orchestration.contracts import SignedPermit, ToolResult
from orchestration.gate.keys import public_key
from tests.integration.gate.world import World


class Erp:
    """Writes reminders, and withdraws them."""

    def __init__(self, world: World) -> None:
        key = public_key(world.settings.keys / "permit.pub")
        self.erp = reminders.Erp(f"sqlite:///{world.settings.home / 'northgate' / 'erp.db'}", key)
        self.clock = lambda: world.now

    def call(
        self, server: str, tool: str, arguments: Mapping[str, str | int | bool], effect_key: str, permit: SignedPermit
    ) -> ToolResult:
        assert server == "erp"
        known = {
            "write_payment_reminder": self.erp.write_payment_reminder,
            "withdraw_payment_reminder": self.erp.withdraw_payment_reminder,
        }
        return known[tool](arguments, effect_key, permit, self.clock)
