"""Signing and verifying permits: Ed25519 over RFC 8785 canonical JSON, and nothing else.

A tool server imports this module alone of the gate, so it knows no key file, no store and no graph: whoever verifies
passes the public key and the time.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import ValidationError

from orchestration.canonical import canonical
from orchestration.contracts import Permit, SignedPermit
from orchestration.errors import PermitRefused


def sign(permit: Permit, key: Ed25519PrivateKey) -> SignedPermit:
    """The permit with its signature."""
    payload = canonical(permit)
    return SignedPermit(
        payload=base64.b64encode(payload).decode(), signature=base64.b64encode(key.sign(payload)).decode()
    )


def read(signed: SignedPermit, public_key: Ed25519PublicKey) -> Permit:
    """The permit that a signature covers.

    Raises:
        PermitRefused: It is not base64, not signed by that key, or not a permit.
    """
    try:
        payload = base64.b64decode(signed.payload, validate=True)
        signature = base64.b64decode(signed.signature, validate=True)
    except (binascii.Error, ValueError) as problem:
        raise PermitRefused("The permit is not base64; needed one as the coordinator minted it.") from problem
    try:
        public_key.verify(signature, payload)
    except InvalidSignature as problem:
        raise PermitRefused(
            "The permit's signature does not verify; needed one signed with the coordinator's key."
        ) from problem
    try:
        permit = Permit.model_validate_json(payload)
    except ValidationError as problem:
        raise PermitRefused("What was signed is not a permit; needed one as the coordinator minted it.") from problem
    if permit.issued_at.tzinfo is None or permit.expires_at.tzinfo is None:
        raise PermitRefused("The permit's times have no zone; needed one as the coordinator minted it.")
    return permit


def unverified(signed: SignedPermit) -> Permit:
    """What a permit of the coordinator's own store says; never to be asked of one that came from elsewhere.

    Raises:
        ValueError: It is not a permit at all.
    """
    return Permit.model_validate_json(base64.b64decode(signed.payload, validate=True))


def pending(permit: Permit) -> dict[str, object]:
    """What the row of an effect, or of one taken back, says of the call that a permit is for, before it is made."""
    return {
        "effect_key": permit.effect_key,
        "tool_server": permit.tool_server,
        "tool": permit.tool,
        "tool_arguments": permit.tool_arguments,
        "state": "pending",
        "attempts": 0,
    }


def covers(
    permit: Permit, *, tool_server: str, tool: str, arguments: Mapping[str, str | int | bool], effect_key: str
) -> None:
    """Refuse a call that is not exactly what the permit is for. Whether it is still in time is another question.

    Raises:
        PermitRefused: It names another tool, other arguments or another effect key.
    """
    if (permit.tool_server, permit.tool) != (tool_server, tool):
        raise PermitRefused(
            f"The permit is for {permit.tool_server}/{permit.tool}; needed one for {tool_server}/{tool}."
        )
    if canonical(permit.tool_arguments) != canonical(arguments):
        raise PermitRefused(
            f"The permit of {permit.action} is for other arguments; needed exactly those it was minted for."
        )
    if permit.effect_key != effect_key:
        raise PermitRefused(
            f"The permit of {permit.action} is for another effect key; needed exactly the one it was minted for."
        )


def in_time(permit: Permit, now: datetime) -> None:
    """Refuse a permit outside its time.

    Raises:
        PermitRefused: Its time is over, or has not come.
    """
    if now < permit.issued_at:
        raise PermitRefused(f"The permit of {permit.action} is not valid before {permit.issued_at.isoformat()}.")
    if now >= permit.expires_at:
        raise PermitRefused(f"The permit of {permit.action} expired at {permit.expires_at.isoformat()}.")


def verify(  # noqa: PLR0913  a permit covers that many things
    signed: SignedPermit,
    public_key: Ed25519PublicKey,
    *,
    tool_server: str,
    tool: str,
    arguments: Mapping[str, str | int | bool],
    effect_key: str,
    now: datetime,
) -> Permit:
    """The permit, where it covers this very call now.

    Args:
        signed: What came with the call.
        public_key: The coordinator's.
        tool_server: The server's own name.
        tool: The tool's own name.
        arguments: Everything the tool was called with beside permit and effect key.
        effect_key: What the tool will not do twice.
        now: The time, with its zone.

    Raises:
        PermitRefused: It is forged, malformed, expired, not yet valid, or for another call.
    """
    permit = read(signed, public_key)
    covers(permit, tool_server=tool_server, tool=tool, arguments=arguments, effect_key=effect_key)
    in_time(permit, now)
    return permit
