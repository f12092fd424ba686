"""The whole way from proposals to the ERP, and what came of it: what attacks on the gate have in common."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from orchestration.contracts import Pin
from orchestration.gate.gate import Gate
from orchestration.ledger.verify import verify
from orchestration.work.act import act
from tests.integration.gate.callers import LocalErp
from tests.integration.gate.world import World

AGENTS = ("finance", "collections")


def believed(_pin: Pin) -> bool:
    """The event log has every materialisation: what stands in it is another group's to attack."""
    return True


def finish(
    world: World, *, holds: Callable[[Pin], bool] = believed, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> None:
    """Do all there is to do for every agent, as the coordinator's runs do it, to the ERP's own code."""
    with Gate(world.store, world.settings, world.rules, holds=holds):
        pass  # the key is there before the ERP asks for its public half
    for agent in AGENTS:
        act(
            world.store,
            world.settings,
            agent,
            clock=clock,
            tools=LocalErp(world.settings.home),
            rules=world.rules,
            holds=holds,
        )


def came(world: World, action: str, **how: Any) -> str:
    """What an action came to after all that there is to do: its effect in the ERP, or what was said against it."""
    finish(world, **how)
    return stands(world, action)


def stands(world: World, action: str) -> str:
    """What an action has come to: an effect that stands in the ERP counts before anything that was said."""
    [key] = [row["effect_key"] for row in world.rows("outbox", action=action)] or [None]
    if key is not None and key in {row[0] for row in world.reminders()}:
        return "effect"
    verdict, *codes = world.said(action)
    told = ", ".join(dict.fromkeys(codes))
    return f"{_SAID.get(verdict, verdict)}: {told}" if verdict != "allow" or key is None else f"failed: {told}"


def noticed(world: World, *parts: str) -> str:
    """Whether verification says each of these of the record."""
    problems = verify(world.store, None, world.settings).problems
    missing = [part for part in parts if not any(part in problem for problem in problems)]
    if not problems:
        return "unnoticed"
    return f"otherwise: {problems[0]}" if missing else "noticed"


_SAID = {"deny": "denied", "review": "held", "allow": "allowed"}
