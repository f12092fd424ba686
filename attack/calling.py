"""The command line, as somebody runs it who is not the one that it takes."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from typing import Final

from attack.ground import Ground
from orchestration.cli.main import main
from orchestration.identity.person import Role
from orchestration.settings import Settings
from tests.identified import signed_in, token_for
from tests.integration.gate.world import World

Identify = Callable[[Ground], None]


def called(ground: Ground, world: World, *arguments: str) -> str:
    """Run a command in a world's home: what refused it, or that it was done."""
    ground.environment.setenv("PRECEDE_HOME", str(world.settings.home))
    ground.environment.setattr(sys, "argv", ["precede", *arguments, "--json"])
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = end.code
        else:
            code = 0
    if code in {0, None}:
        return "done"
    said = err.getvalue().strip()
    return f"refused: {json.loads(said)['error']}" if said.startswith("{") else f"ended with {code}: {said[:100]}"


def nobody(ground: Ground) -> None:
    """Show no token."""
    for name in ("PRECEDE_TOKEN", "PRECEDE_TOKEN_FILE"):
        ground.environment.delenv(name, raising=False)


def forger(ground: Ground) -> None:
    """Show a token that begins as an operator's does, and was never given to anybody."""
    token = token_for(Settings(), "olga", Role.OPERATOR)
    ground.environment.setenv("PRECEDE_TOKEN", token[:-8] + ("A" * 8 if not token.endswith("A" * 8) else "B" * 8))


def having(*roles: Role) -> Identify:
    """Be somebody who has those roles and no other."""
    return lambda ground: signed_in(ground.environment, "rita", *roles)


WITHOUT: Final[Mapping[str, tuple[str, str, Identify]]] = {
    "by-nobody": ("without a token", "NotIdentified", nobody),
    "with-a-forged-token": ("with a forged token", "NotIdentified", forger),
    "by-an-auditor": ("as an auditor", "NotEntitled", having(Role.AUDITOR)),
}
"""Whom nothing is done for: how they are told, what they are told, and how they show who they are."""


def attempt(ground: Ground, world: World, identify: Identify, *arguments: str) -> str:
    """Run a command as somebody."""
    ground.environment.setenv("PRECEDE_HOME", str(world.settings.home))
    identify(ground)
    return called(ground, world, *arguments)
