"""An agent's credential as a token: signing it, reading it, and nothing that a store knows.

A JWT signed with Ed25519, by the coordinator for itself alone: one issuer, one audience, one algorithm, so that a
token says nothing about how it is to be verified. Times are not PyJWT's to judge, since it asks the machine's clock.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import ConfigDict, Field, ValidationError

from orchestration.contracts import Contract, Reason

ISSUER: Final = "precede"
AUDIENCE: Final = "precede:coordinator"
LONGEST: Final = timedelta(hours=24)
"""For how long a credential may last at most."""
LONGEST_TOKEN: Final = 8192
"""Characters that a token may have."""
_ALGORITHM: Final = "EdDSA"
_TYPE: Final = "precede-agent+jwt"
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_SCOPE: Final = "propose:"

Name = Annotated[str, Field(min_length=1, max_length=64)]


class Claims(Contract):
    """What a credential says: who may answer which batch, with what, until when."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    iss: Name
    aud: Name
    sub: Name
    """The agent."""
    sid: Name
    """The batch that it was minted for."""
    scopes: list[Annotated[str, Field(max_length=80)]]
    jti: Name
    iat: int
    exp: int

    @property
    def expires_at(self) -> datetime:
        """When it ends."""
        return datetime.fromtimestamp(self.exp, UTC)


class CredentialRefused(Exception):  # noqa: N818  reads as the sentence it is
    """A credential that does not give leave to what came with it; the reason never repeats the token.

    Args:
        code: Which objection, by its stable name.
        detail: One sentence for a person.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = Reason(code=code, detail=detail)


def scope_of(action_type: str) -> str:
    """The scope that lets an agent propose that type of action."""
    return f"{_SCOPE}{action_type}"


def sign(claims: Claims, key: Ed25519PrivateKey) -> str:
    """The token that says so."""
    return jwt.encode(claims.model_dump(), key, algorithm=_ALGORITHM, headers={"typ": _TYPE})


def read(token: str, key: Ed25519PublicKey) -> Claims:
    """What a token says, where that key signed it for us. Whether it is in time, and whose, is asked elsewhere.

    Raises:
        CredentialRefused: There is none, it is malformed or not ours, or was made for somebody else to read.
    """
    if not token:
        raise CredentialRefused("no_credential", "It carries no credential; needed the one left beside the batch.")
    if len(token) > LONGEST_TOKEN or not _TOKEN.fullmatch(token):
        raise _bad("is no token of three parts")
    try:
        whole = jwt.decode_complete(token, key, algorithms=[_ALGORITHM], options=_SIGNATURE_ALONE)
    except jwt.InvalidAlgorithmError as problem:
        raise _bad("names another algorithm than Ed25519, or none") from problem
    except jwt.InvalidSignatureError as problem:
        raise _bad("is not signed with the coordinator's key, or was changed since") from problem
    except (jwt.PyJWTError, ValueError, RecursionError) as problem:
        raise _bad("cannot be read") from problem
    if whole["header"].get("typ") != _TYPE:
        raise _bad("is signed, and no credential of an agent's")
    try:
        claims = Claims.model_validate(whole["payload"])
    except ValidationError as problem:
        raise _bad("does not say what a credential says") from problem
    if claims.aud != AUDIENCE or claims.iss != ISSUER:
        raise CredentialRefused("another_audience", "Its credential is not for this coordinator to read.")
    if not 0 < claims.exp - claims.iat <= LONGEST.total_seconds():
        raise _bad("would last for longer than a credential may, or for no time")
    return claims


def seems_over(token: str, now: datetime) -> bool:
    """Whether there is no use in answering with a token: what it says of its end, which nobody vouches for here."""
    try:
        said: Any = jwt.decode(token, options={"verify_signature": False}).get("exp")
    except (jwt.PyJWTError, ValueError, RecursionError):
        return True
    return not isinstance(said, int) or now.timestamp() >= said


_SIGNATURE_ALONE: Final[Any] = {
    "verify_signature": True,
    **dict.fromkeys(("verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_iss"), False),
    **dict.fromkeys(("verify_sub", "verify_jti"), False),
}


def _bad(found: str) -> CredentialRefused:
    return CredentialRefused("bad_credential", f"Its credential {found}; needed the one left beside the batch.")
