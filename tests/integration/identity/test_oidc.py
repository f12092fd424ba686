"""People by the claims of an issuer, and every way to be somebody else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from orchestration.errors import ConfigurationError, NotIdentified
from orchestration.identity.oidc import person, roles_of
from orchestration.identity.person import Role
from orchestration.identity.who import person as whoever
from orchestration.settings import Oidc, Settings
from tests.identified import token_for

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
AT = int(NOW.timestamp())
CLAIMS: dict[str, Any] = {
    "iss": "https://id.example.com/",
    "aud": ["other", "precede"],
    "sub": "7f3a",
    "iat": AT,
    "exp": AT + 300,
    "roles": ["reviewer", "employee"],
    "email": "ada@example.com",
    "email_verified": True,
}


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()
STRANGER = ec.generate_private_key(ec.SECP256R1())


def keys() -> list[dict[str, Any]]:
    return [
        {**json.loads(RSAAlgorithm.to_jwk(rsa_key().public_key())), "kid": "rsa", "use": "sig"},
        {**json.loads(ECAlgorithm.to_jwk(EC_KEY.public_key())), "kid": "ec"},
        {**json.loads(OKPAlgorithm.to_jwk(ED_KEY.public_key())), "kid": "ed"},
        {"kty": "oct", "k": base64.urlsafe_b64encode(b"s" * 64).rstrip(b"=").decode(), "kid": "shared"},
        {**json.loads(ECAlgorithm.to_jwk(STRANGER.public_key())), "kid": "to-encrypt", "use": "enc"},
    ]


@pytest.fixture
def oidc(tmp_path: Path) -> Oidc:
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": keys()}))
    return Oidc("https://id.example.com/", "precede", str(tmp_path / "jwks.json"))


def token(claims: dict[str, Any] | None = None, kid: str | None = "ec", **changed: Any) -> str:
    said = {name: value for name, value in ((claims or CLAIMS) | changed).items() if value is not None}
    key: Any = {"rsa": rsa_key(), "ed": ED_KEY, "to-encrypt": STRANGER}.get(str(kid), EC_KEY)
    algorithm = {"rsa": "RS256", "ed": "EdDSA"}.get(str(kid), "ES256")
    return jwt.encode(said, key, algorithm=algorithm, headers={"kid": kid} if kid else {})


def part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("kid", ["rsa", "ec", "ed"])
def test_a_token_of_the_issuers_names_a_person_with_the_roles_that_are_ours(oidc: Oidc, kid: str) -> None:
    found = person(oidc, token(kid=kid), NOW)
    assert (found.name, found.roles, found.how, found.mailbox) == ("7f3a", {Role.REVIEWER}, "oidc", "ada@example.com")


def test_a_mailbox_that_the_issuer_did_not_verify_is_nobodys(oidc: Oidc) -> None:
    assert person(oidc, token(email_verified=False), NOW).mailbox == ""
    by_mailbox = Oidc(oidc.issuer, oidc.audience, oidc.jwks, name="email")
    assert person(by_mailbox, token(), NOW).name == "ada@example.com"
    with pytest.raises(NotIdentified, match="names nobody in `email`"):
        person(by_mailbox, token(email_verified="true"), NOW)


@pytest.mark.parametrize(
    ("claims", "name", "roles"),
    [
        ({"roles": "reviewer  operator root"}, "roles", {Role.REVIEWER, Role.OPERATOR}),
        ({"realm_access": {"roles": ["auditor"]}}, "realm_access.roles", {Role.AUDITOR}),
        ({"https://x.example/roles": ["operator"]}, "https://x.example/roles", {Role.OPERATOR}),
        ({"roles": {"reviewer": True}}, "roles", set()),
        ({"roles": [["reviewer"], 1, None, "Reviewer", "reviewer "]}, "roles", set()),
        ({"roles": True}, "roles.reviewer", set()),
        ({}, "roles", set()),
    ],
)
def test_roles_are_words_of_the_claim_and_never_guessed(claims: dict[str, Any], name: str, roles: set[Role]) -> None:
    assert roles_of(claims, name) == roles


HEADER = {"typ": "JWT", "kid": "ec"}
REFUSED: dict[str, tuple[str, str]] = {
    "text": ("no token of three parts", "letmein"),
    "of another audience": ("another audience", token(aud="other")),
    "of no audience": ("states no `aud`", token(aud=None)),
    "of another issuer": ("another issuer", token(iss="https://evil.example.com/")),
    "of an issuer with less of a name": ("another issuer", token(iss="https://id.example.com")),
    "expired": ("it ended at 2026-11-02T08:59:59", token(exp=AT - 1)),
    "expired at this moment": ("it ended at", token(exp=AT)),
    "without an end": ("states no `exp`", token(exp=None)),
    "with an end that is true": ("its `exp` is no time", token(exp=True)),
    "with an end in words": ("its `exp` is no time", token(exp=str(AT + 300))),
    "with an end beyond all time": ("its `exp` is no time", token(exp=2**60)),
    "with an end that is no number": ("its `exp` is no time", token(exp=float("nan"))),
    "not begun": ("not valid yet", token(iat=AT + 61)),
    "not to be used yet": ("not valid yet", token(nbf=AT + 61)),
    "without a subject": ("states no `sub`", token(sub=None)),
    "with an empty subject": ("names nobody in `sub`", token(sub="")),
    "with a subject that overwrites a line": ("names nobody in `sub`", token(sub="ada\r\u202e")),
    "of another key": (
        "none of the issuer's",
        token(kid="ec").rsplit(".", 1)[0] + "." + token(kid="rsa").split(".")[2],
    ),
    "of a key that the issuer has not": ("none of the issuer's", token(kid="stranger")),
    "of a key to encrypt with": ("none of the issuer's", token(kid="to-encrypt")),
    "of no key by name, where there are several": ("none of the issuer's", token(kid=None)),
    "unsigned": ("no token of three parts", f"{part({'alg': 'none', **HEADER})}.{part(CLAIMS)}."),
    "unsigned, with something for a signature": (
        "another algorithm",
        f"{part({'alg': 'none', **HEADER})}.{part(CLAIMS)}.AAAA",
    ),
}


@pytest.mark.parametrize("how", REFUSED)
def test_anything_else_names_nobody_and_is_not_repeated(oidc: Oidc, how: str) -> None:
    why, shown = REFUSED[how]
    with pytest.raises(NotIdentified, match=why) as refused:
        person(oidc, shown, NOW)
    said = str(refused.value) + repr(refused.value.__cause__)
    assert not [piece for piece in shown.split(".") if len(piece) > 6 and piece in said]


def test_a_public_key_is_no_shared_secret(oidc: Oidc) -> None:
    """HS256, keyed with what everybody may read: the key set's own bytes, PEM and raw, and the `oct` key by name."""
    public = EC_KEY.public_key()
    secrets = (
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
        Path(oidc.jwks).read_bytes(),
        b"s" * 64,
    )
    for secret in secrets:
        for kid in ("ec", "shared", None):
            header = {"alg": "HS256", "typ": "JWT"} | ({"kid": kid} if kid else {})
            said = f"{part(header)}.{part(CLAIMS)}"
            mac = base64.urlsafe_b64encode(hmac.digest(secret, said.encode(), hashlib.sha256)).rstrip(b"=").decode()
            with pytest.raises(NotIdentified):
                person(oidc, f"{said}.{mac}", NOW)


def test_the_one_key_of_an_issuer_need_not_be_named(oidc: Oidc) -> None:
    Path(oidc.jwks).write_text(json.dumps({"keys": keys()[1:2]}))
    assert person(oidc, token(kid=None), NOW).name == "7f3a"


class Issuer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/jwks")
            self.end_headers()
            return
        body = json.dumps({"keys": keys()}).encode() if self.path == "/jwks" else b"[]"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def issuer() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Issuer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_issuers_keys_can_be_an_address(oidc: Oidc, issuer: str) -> None:
    at = Oidc(oidc.issuer, oidc.audience, f"{issuer}/jwks")
    assert person(at, token(), NOW).name == "7f3a"
    for path in ("moved", "nothing"):
        with pytest.raises(ConfigurationError, match="found no usable keys at"):
            person(Oidc(oidc.issuer, oidc.audience, f"{issuer}/{path}"), token(), NOW)


@pytest.mark.parametrize("where", ["http://id.example.com/jwks", "/no/such/file", "http://127.0.0.1:1/jwks"])
def test_keys_that_cannot_be_had_let_nobody_in(oidc: Oidc, where: str) -> None:
    with pytest.raises(ConfigurationError, match="PRECEDE_OIDC_JWKS"):
        person(Oidc(oidc.issuer, oidc.audience, where), token(), NOW)


@pytest.fixture
def settings(oidc: Oidc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in [each for each in os.environ if each.startswith("PRECEDE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PRECEDE_HOME", str(tmp_path))
    monkeypatch.setenv("PRECEDE_OIDC_ISSUER", oidc.issuer)
    monkeypatch.setenv("PRECEDE_OIDC_AUDIENCE", oidc.audience)
    monkeypatch.setenv("PRECEDE_OIDC_JWKS", oidc.jwks)
    return Settings()


def test_where_an_issuer_is_set_the_file_says_nothing_any_more(settings: Settings) -> None:
    forgotten = token_for(settings, "Ada", now=NOW)
    with pytest.raises(NotIdentified, match="no token of three parts"):
        whoever(settings, forgotten, NOW)
    assert whoever(settings, token(), NOW).how == "oidc"
    assert whoever(settings, token(), NOW + timedelta(seconds=299)).name == "7f3a"


@pytest.mark.parametrize("name", ["PRECEDE_OIDC_ISSUER", "PRECEDE_OIDC_AUDIENCE", "PRECEDE_OIDC_JWKS"])
def test_half_an_issuer_is_none_and_the_file_does_not_take_its_place(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    known = token_for(settings, "Ada", now=NOW)
    monkeypatch.delenv(name)
    with pytest.raises(ConfigurationError, match=f"{name}: found nothing"):
        whoever(settings, known, NOW)
