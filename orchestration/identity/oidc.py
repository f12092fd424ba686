"""People by the claims of an OpenID Connect issuer: whose signature counts, for whom, and which claim holds roles.

The keys are the issuer's own, from the file or address that the settings name; nothing that a token says leads to a
key, and no algorithm with a shared secret is taken. Times are judged here, by the time that is handed in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import jwt
from jwt import PyJWK, PyJWKClient, PyJWKSet

from orchestration.errors import ConfigurationError, NotIdentified
from orchestration.identity.person import ROLES, Person, Role
from orchestration.settings import Oidc

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Those in which only the issuer can sign."""
LONGEST_TOKEN: Final = 16_384
LEEWAY: Final = timedelta(seconds=60)
"""By how much the issuer's clock may be ahead of ours; an end is an end."""
_TIMEOUT: Final = 10.0  # seconds
_LATEST: Final = 2**36  # seconds: in the year 4147
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_LONGEST_NAME: Final = 200
_OPTIONS: Final[Any] = {
    "require": ["iss", "aud", "exp", "iat", "sub"],
    **dict.fromkeys(("verify_exp", "verify_nbf", "verify_iat"), False),  # PyJWT would ask the machine's clock
    "enforce_minimum_key_length": True,
}
_REMEDY: Final = "sign in with the issuer again, and hand the new token over in PRECEDE_TOKEN"


def person(oidc: Oidc, token: str, now: datetime) -> Person:
    """Whom a token is about.

    Args:
        oidc: The issuer.
        token: What was shown.
        now: The time to judge its end by.

    Raises:
        NotIdentified: It is malformed, not the issuer's, for somebody else to read, over, or names nobody.
        ConfigurationError: The issuer's keys cannot be had.
    """
    if len(token) > LONGEST_TOKEN or not _TOKEN.fullmatch(token):
        raise _refused("it is no token of three parts")
    claims = _claims(token, oidc, _keys(oidc.jwks))
    _in_time(claims, now)
    verified = claims.get("email_verified") is True and _usable(claims.get("email"))
    name = claims.get(oidc.name)
    if not _usable(name) or (oidc.name == "email" and not verified):
        raise _refused(f"it names nobody in `{oidc.name}`")
    mailbox = str(claims["email"]) if verified else ""
    return Person(name=str(name), roles=roles_of(claims, oidc.roles), how="oidc", mailbox=mailbox)


def roles_of(claims: Mapping[str, Any], name: str) -> frozenset[Role]:
    """The roles that a claim states, as a list or as words; what it states beside them is left out.

    Args:
        claims: What the token says.
        name: The claim; where there is none of that name, a path such as `realm_access.roles`.
    """
    value: Any = claims
    for step in [name] if name in claims else name.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    stated = value.split() if isinstance(value, str) else value if isinstance(value, list) else []
    return frozenset(Role(each) for each in stated if isinstance(each, str) and each in ROLES)


def _claims(token: str, oidc: Oidc, keys: PyJWKSet) -> dict[str, Any]:
    try:
        kid = jwt.get_unverified_header(token).get("kid")
        key = _key(keys, kid)
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=list(ALGORITHMS),
            audience=oidc.audience,
            issuer=oidc.issuer,
            options=_OPTIONS,
        )
    except jwt.InvalidAudienceError:
        raise _refused("it is for another audience") from None
    except jwt.InvalidIssuerError:
        raise _refused("another issuer made it") from None
    except jwt.InvalidAlgorithmError:
        raise _refused("it names another algorithm than its key's, or none") from None
    except jwt.MissingRequiredClaimError as problem:
        raise _refused(f"it states no `{problem.claim}`") from None
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise _refused("its signature is none of the issuer's, or it cannot be read") from None
    return claims


def _key(keys: PyJWKSet, kid: object) -> PyJWK:
    """The key that a token names; the only one where it names none."""
    usable = [key for key in keys if key.algorithm_name in ALGORITHMS and key.public_key_use in {None, "sig"}]
    found = [key for key in usable if kid is None or key.key_id == kid]
    if len(found) != 1:
        raise jwt.InvalidKeyError
    return found[0]


def _keys(where: str) -> PyJWKSet:
    """The issuer's keys.

    Raises:
        ConfigurationError: There are none to be had there.
    """
    needed = "a file or an https address with the issuer's public keys as a JSON Web Key Set"
    address = urlsplit(where)
    try:
        if address.scheme in {"http", "https"}:
            if address.scheme == "http" and address.hostname not in {"127.0.0.1", "::1", "localhost"}:
                raise ConfigurationError("PRECEDE_OIDC_JWKS", "an address without https", needed)
            return PyJWKClient(where, timeout=_TIMEOUT, cache_jwk_set=False).get_jwk_set()
        return PyJWKSet.from_dict(json.loads(Path(where).expanduser().read_text(encoding="utf-8")))
    except (OSError, ValueError, AttributeError, jwt.PyJWTError) as problem:
        found = getattr(problem, "strerror", None) or type(problem).__name__
        raise ConfigurationError("PRECEDE_OIDC_JWKS", f"no usable keys at {where} ({found})", needed) from problem


def _in_time(claims: Mapping[str, Any], now: datetime) -> None:
    ends, begins = _time(claims, "exp"), max(_time(claims, "iat"), _time(claims, "nbf") if "nbf" in claims else 0)
    if now.timestamp() >= ends:
        raise _refused(f"it ended at {datetime.fromtimestamp(ends, UTC).isoformat()}")
    if begins > (now + LEEWAY).timestamp():
        raise _refused("it is not valid yet")


def _time(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LATEST:
        raise _refused(f"its `{name}` is no time")
    return value


def _usable(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME and value.isprintable() and bool(value.strip())


def _refused(found: str) -> NotIdentified:
    return NotIdentified(f"Nobody is identified: {found}; needed a token of the issuer's for Precede; {_REMEDY}.")
