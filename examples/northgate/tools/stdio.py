"""How a tool server begins: its credential and the coordinator's public key first, then MCP over stdio."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from mcp.server import MCPServer

from examples.northgate.tools.credentials import write_url
from orchestration.errors import ConfigurationError
from orchestration.gate.keys import public_key


class Closing(Protocol):
    """What holds a connection to the system."""

    def close(self) -> None:
        """Let it go."""


_Tools = TypeVar("_Tools", bound=Closing)


def over_stdio(
    system: str, tools: Callable[[str, Ed25519PublicKey], _Tools], server: Callable[[_Tools], MCPServer]
) -> None:
    """Serve over stdio until the client goes away; without credential or key, say so in one line and end with 1.

    Args:
        system: What the variables of its credential begin with, such as `ERP`.
        tools: Makes the tools from the system's URL and the coordinator's public key.
        server: Makes the server of those.
    """
    try:
        made = tools(write_url(system), public_key(Path(os.environ.get("PRECEDE_PERMIT_PUBLIC_KEY", ""))))
    except ConfigurationError as lacking:
        sys.exit(f"The tool server of the {system} does not start: {lacking}")
    try:
        server(made).run("stdio")
    finally:
        made.close()
