"""The CRM's tool server: MCP over stdio, a process of its own with the CRM's write credential.

It is started with three variables and reads one file, and the coordinator sees neither credential nor database:

    PRECEDE_PERMIT_PUBLIC_KEY   file of the coordinator's public key
    CRM_CREDENTIALS             file with `CRM_WRITE_URL=...`, readable by this server's user alone
    CRM_DEFAULT_URL             the example's own database, where there is no such file
"""

from __future__ import annotations

from datetime import UTC, datetime

from mcp.server import MCPServer

from examples.northgate.tools.corrections import SERVER, Crm
from examples.northgate.tools.stdio import over_stdio
from orchestration.contracts import SignedPermit, ToolResult


def serve(crm: Crm) -> MCPServer:
    """The server, with the one tool it has."""
    server = MCPServer(name=SERVER)

    @server.tool()
    def write_vat_number(*, company: str, found: str, right: str, effect_key: str, permit: SignedPermit) -> ToolResult:
        """Write the right VAT number of one company over the one that was found, where a permit covers it."""
        arguments: dict[str, str | int | bool] = {"company": company, "found": found, "right": right}
        return crm.write_vat_number(arguments, effect_key, permit, lambda: datetime.now(UTC))

    return server


def main() -> None:
    """Serve over stdio until the client goes away."""
    over_stdio("CRM", Crm, serve)


if __name__ == "__main__":
    main()
