"""Writing a right VAT number into the CRM: only over the one that the decision rested on.

The permit is checked before anything is read. A number that stands there already is not written again, so that whoever
lost the answer can ask again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import create_engine, make_url, text

from orchestration.contracts import OutcomeState, SignedPermit, ToolResult
from orchestration.errors import PermitRefused
from orchestration.gate.permits import covers, in_time, read

SERVER: Final = "crm"
TOOL: Final = "write_vat_number"

_STATED: Final = "SELECT property_vat_number FROM company WHERE id = :company AND is_deleted IS NOT TRUE"
_CORRECT: Final = """
    UPDATE company SET property_vat_number = :right, _fivetran_synced = :synced
    WHERE id = :company AND property_vat_number = :stated
"""


class Crm:
    """The CRM, open for correcting VAT numbers and nothing else.

    Args:
        url: SQLAlchemy URL with the CRM's write credential: SQLite or Postgres.
        public_key: What permits are verified with.
    """

    def __init__(self, url: str, public_key: Ed25519PublicKey) -> None:
        named = make_url(url)
        postgres = named.drivername in {"postgres", "postgresql"}
        self._engine = create_engine(named.set(drivername="postgresql+psycopg") if postgres else named)
        self._public_key = public_key

    def write_vat_number(
        self,
        arguments: Mapping[str, str | int | bool],
        effect_key: str,
        permit: SignedPermit,
        clock: Callable[[], datetime],
    ) -> ToolResult:
        """Write a number that a permit covers.

        Args:
            arguments: company, the number that was found there, and the right one.
            effect_key: What the permit is for.
            permit: The coordinator's leave for this very call.
            clock: The server's own.

        Returns:
            Done, with the row's id; or failed, where it is known that nothing was written.

        Raises:
            SQLAlchemyError: The CRM did not answer: what became of the write is not known.
        """
        try:
            granted = read(permit, self._public_key)
            covers(granted, tool_server=SERVER, tool=TOOL, arguments=arguments, effect_key=effect_key)
        except PermitRefused as refused:
            return ToolResult(state=OutcomeState.FAILED, detail=str(refused))
        values = {**arguments, "company": int(arguments["company"])}
        with self._engine.begin() as connection:
            stated = connection.execute(text(_STATED), values).scalar_one_or_none()
            reference = f"company:{values['company']}"
            if stated is not None and _same(stated, str(arguments["right"])):
                return ToolResult(state=OutcomeState.DONE, reference=reference, repeated=True)
            now = clock()
            try:
                in_time(granted, now)
            except PermitRefused as refused:
                return ToolResult(state=OutcomeState.FAILED, detail=str(refused))
            if stated is None or not _same(stated, str(arguments["found"])):
                return ToolResult(state=OutcomeState.FAILED, detail="The CRM states another number by now.")
            synced = now.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
            written = connection.execute(text(_CORRECT), {**values, "stated": stated, "synced": synced})
            if written.rowcount != 1:
                return ToolResult(state=OutcomeState.FAILED, detail="The CRM states another number by now.")
        return ToolResult(state=OutcomeState.DONE, reference=reference)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()


def _same(stated: str, number: str) -> bool:
    """Whether the CRM states a number, which people write there with and without the country, blanks and dots."""
    one, other = ("".join(filter(str.isalnum, each)).upper() for each in (stated, number))
    return one in {other, other[2:]}
