"""The ERP's tool server: MCP over stdio, a process of its own with the ERP's write credential.

It is started with three variables and reads one file, and the coordinator sees neither credential nor database:

    PRECEDE_PERMIT_PUBLIC_KEY   file of the coordinator's public key
    ERP_CREDENTIALS             file with `ERP_WRITE_URL=...`, readable by this server's user alone
    ERP_DEFAULT_URL             the example's own database, where there is no such file
"""

from __future__ import annotations

from datetime import UTC, datetime

from mcp.server import MCPServer

from examples.northgate.tools.reminders import SERVER, Erp
from examples.northgate.tools.stdio import over_stdio
from orchestration.contracts import SignedPermit, ToolResult


def serve(erp: Erp) -> MCPServer:
    """The server, with the two tools it has."""
    server = MCPServer(name=SERVER)

    @server.tool()
    def write_payment_reminder(  # noqa: PLR0913  what a reminder is made of
        *,
        invoice: str,
        customer: str,
        stage: int,
        recipient: str,
        subject: str,
        effect_key: str,
        permit: SignedPermit,
    ) -> ToolResult:
        """Write one payment reminder that a permit covers, once for each effect key."""
        arguments: dict[str, str | int | bool] = {
            "invoice": invoice,
            "customer": customer,
            "stage": stage,
            "recipient": recipient,
            "subject": subject,
        }
        return erp.write_payment_reminder(arguments, effect_key, permit, lambda: datetime.now(UTC))

    @server.tool()
    def withdraw_payment_reminder(  # noqa: PLR0913  what a reminder is known by
        *,
        reminder: str,
        reminder_key: str,
        invoice: str,
        customer: str,
        recipient: str,
        subject: str,
        effect_key: str,
        permit: SignedPermit,
    ) -> ToolResult:
        """Write to the recipient of one reminder that it was sent in error, where a permit takes it back."""
        arguments: dict[str, str | int | bool] = {
            "reminder": reminder,
            "reminder_key": reminder_key,
            "invoice": invoice,
            "customer": customer,
            "recipient": recipient,
            "subject": subject,
        }
        return erp.withdraw_payment_reminder(arguments, effect_key, permit, lambda: datetime.now(UTC))

    return server


def main() -> None:
    """Serve over stdio until the client goes away."""
    over_stdio("ERP", Erp, serve)


if __name__ == "__main__":
    main()
