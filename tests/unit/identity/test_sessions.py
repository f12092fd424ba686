"""What an agent's side asks of its own credential: whether there is any use in answering with it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from orchestration.identity.session import AUDIENCE, ISSUER, Claims, seems_over, sign

TOKEN = sign(
    Claims(iss=ISSUER, aud=AUDIENCE, sub="finance", sid="b", scopes=[], jti="cred_1", iat=100, exp=200),
    Ed25519PrivateKey.generate(),
)


@pytest.mark.parametrize(("at", "over"), [(0, False), (199, False), (200, True), (10**9, True)])
def test_it_is_over_when_it_says_so(at: int, over: bool) -> None:  # noqa: FBT001  the answer
    assert seems_over(TOKEN, datetime.fromtimestamp(at, UTC)) is over


@pytest.mark.parametrize("said", ["", "a.b.c", "{}", TOKEN.split(".", maxsplit=1)[0], "\0", "é"])
def test_what_cannot_be_read_is_of_no_use(said: str) -> None:
    assert seems_over(said, datetime.fromtimestamp(0, UTC))
