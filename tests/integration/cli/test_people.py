"""`precede people` and `precede credentials`: who may do what, and taking back what agents hold."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from orchestration.identity.person import Role
from orchestration.ledger import entries_identity
from orchestration.ledger.verify import verify
from orchestration.settings import Settings
from orchestration.store import tables
from orchestration.store.engine import open_store
from tests.identified import signed_in
from tests.integration.cli.conftest import Precede
from tests.waking import World, world

__all__ = ["world"]


def recorded(home: Path) -> list[tuple[str, str, str]]:
    """What was done to whom by whom, as the ledger has it; and that no token stands in the store."""
    with closing(open_store(Settings(home=home))) as store, store.read() as connection:
        bodies = [json.loads(row.body) for row in connection.execute(tables.ledger_entry.select())]
        payloads = [json.loads(row.payload) for row in connection.execute(tables.ledger_payload.select())]
        assert "precede_" not in json.dumps([bodies, payloads])
        assert verify(store, None).ok
    return [(body["change"], told["name"], told["by"]) for body, told in zip(bodies, payloads, strict=True)]


def test_the_first_adds_themselves_and_from_then_on_it_takes_an_operator(
    precede: Precede, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PRECEDE_TOKEN", raising=False)
    first = precede("people", "add", "Ada", "--role", "operator", "--role", "reviewer", "--json").json
    assert first["roles"] == ["operator", "reviewer"]
    refused = precede("people", "add", "Ben", "--role", "reviewer")
    assert (refused.code, "no token was shown" in refused.err) == (1, True)
    monkeypatch.setenv("PRECEDE_TOKEN", first["token"])
    ben = precede("people", "add", "Ben", "--role", "reviewer", "--mailbox", "ben@example.com", "--json").json
    monkeypatch.setenv("PRECEDE_TOKEN", ben["token"])
    assert "needed operator" in precede("people", "add", "Cat", "--role", "operator").err
    assert "needed operator" in precede("people", "rotate", "Ada").err
    assert "needed operator" in precede("people", "remove", "Ada").err
    monkeypatch.setenv("PRECEDE_TOKEN", first["token"])
    assert precede("people", "rotate", "Ben").code == 0
    assert precede("people", "remove", "Ben").out == "Ben is removed.\n"
    assert recorded(home) == [
        ("added", "Ada", ""),
        ("added", "Ben", "Ada"),
        ("rotated", "Ben", "Ada"),
        ("removed", "Ben", "Ada"),
    ]


def test_a_token_is_shown_once_and_kept_nowhere(precede: Precede, home: Path) -> None:
    shown = precede("people", "add", "Ada", "--role", "operator").out
    token = next(word for word in shown.split() if word.startswith("precede_"))
    listed = precede("people", "list").out + precede("people", "list", "--json").out
    assert "Ada" in listed
    assert token not in listed
    for file in home.rglob("*"):
        assert not file.is_file() or token.encode() not in file.read_bytes(), file


def test_a_token_can_go_straight_into_a_file(precede: Precede, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = home / "ada.token"
    result = precede("people", "add", "Ada", "--role", "operator", "--into", str(file))
    assert file.read_text().strip() not in result.out
    assert file.stat().st_mode & 0o777 == 0o600
    monkeypatch.delenv("PRECEDE_TOKEN", raising=False)
    monkeypatch.setenv("PRECEDE_TOKEN_FILE", str(file))
    assert precede("stop", "finance", "--reason", "a try").code == 0
    refused = precede("people", "add", "Ben", "--role", "reviewer", "--into", str(file))
    assert "needed a file that is not there yet" in refused.err
    assert [one["name"] for one in precede("people", "list", "--json").json] == ["Ada"]


def test_where_an_issuer_is_set_the_file_is_not_changed(
    precede: Precede, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ISSUER", "AUDIENCE", "JWKS"):
        monkeypatch.setenv(f"PRECEDE_OIDC_{name}", "https://id.example.com")
    assert "which says who people are" in precede("people", "add", "Ada", "--role", "operator").err
    assert not (home / "people.yml").exists()


def test_nobody_is_listed_before_there_is_anybody(precede: Precede, home: Path) -> None:
    assert home.is_dir()
    assert precede("people", "list").out.startswith("Nobody yet: `precede people add")
    assert precede("people", "list", "--json").json == []


@pytest.mark.parametrize("option", ["--token", "--by", "--operator"])
def test_a_token_is_no_argument(precede: Precede, home: Path, option: str) -> None:
    assert home.is_dir()
    assert precede("people", "add", "Ada", "--role", "operator", option, "x").code == 2


def test_credentials_are_listed_and_revoked_by_an_operator(
    precede: Precede, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.wake(now=datetime.now(UTC))
    [held] = precede("credentials", "list", "--json").json
    assert (held["agent"], held["state"], held["scopes"]) == ("finance", "valid", ["propose:send_payment_reminder"])
    signed_in(monkeypatch, "rita", Role.REVIEWER)
    assert "needed operator" in precede("credentials", "revoke", "finance", "--reason", "lost").err
    signed_in(monkeypatch, "otto", Role.OPERATOR)
    assert precede("credentials", "revoke", "--reason", "lost").code == 1
    assert precede("credentials", "revoke", "finance", "--all", "--reason", "lost").code == 1
    assert precede("credentials", "revoke", "finance", "--reason", " ").code == 1
    told = precede("credentials", "revoke", "finance", "--reason", "lost", "--json").json
    assert told == {"revoked": [held["credential_id"]], "by": "otto", "reason": "lost"}
    assert "revoked" in precede("credentials", "list", "finance").out
    assert precede("credentials", "revoke", "--all", "--reason", "again", "--json").json["revoked"] == []
    assert precede("credentials", "list", "sales").out == "No agent holds a credential for an open batch.\n"


def test_the_ledgers_head_is_signed_by_hand_by_an_auditor_or_an_operator(
    precede: Precede, told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PRECEDE_TOKEN", raising=False)
    assert "no token was shown" in precede("ledger", "checkpoint").err
    signed_in(monkeypatch, "rita", Role.REVIEWER)
    assert "needed auditor or operator" in precede("ledger", "checkpoint").err
    assert not Settings().checkpoints.exists()
    signed_in(monkeypatch, "aude", Role.AUDITOR)
    assert precede("ledger", "checkpoint").code == 0
    assert len(list((told / "checkpoints").iterdir())) >= 1


def test_a_token_that_ended_stays_so_when_the_clock_is_set_back(
    precede: Precede, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in(monkeypatch, "ada", Role.OPERATOR)  # for a day, by a clock that was set back two
    with closing(open_store(Settings(home=home))) as store, store.begin() as connection:
        entries_identity.credentials_ended(connection, [], "expired", at=datetime.now(UTC) + timedelta(days=2))
    refused = precede("stop", "finance", "--reason", "too keen")
    assert (refused.code, "ada's token ended at" in refused.err) == (1, True)


def test_an_issuer_of_ones_own_says_who_stops_an_agent(
    precede: Precede, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, now = Ed25519PrivateKey.generate(), datetime.now(UTC)
    jwk = json.loads(OKPAlgorithm.to_jwk(key.public_key())) | {"kid": "k"}
    (home / "jwks.json").write_text(json.dumps({"keys": [jwk]}))
    oidc = {"ISSUER": "https://id.example.com", "AUDIENCE": "precede", "JWKS": str(home / "jwks.json")}
    for name, value in oidc.items():
        monkeypatch.setenv(f"PRECEDE_OIDC_{name}", value)
    claims = {"iss": oidc["ISSUER"], "aud": "precede", "sub": "u-17", "iat": now, "exp": now + timedelta(minutes=5)}
    for roles, code in (["reviewer"], 1), (["operator"], 0):
        token = jwt.encode(claims | {"roles": roles}, key, algorithm="EdDSA", headers={"kid": "k"})
        monkeypatch.setenv("PRECEDE_TOKEN", token)
        result = precede("stop", "finance", "--reason", "too keen")
        assert result.code == code
        assert token not in result.out + result.err
    with closing(open_store(Settings())) as store, store.read() as connection:
        [payload] = [json.loads(row.payload) for row in connection.execute(tables.ledger_payload.select())]
    assert (payload["stop"]["operator"], payload["stop"]["reason"]) == ("u-17", "too keen")
