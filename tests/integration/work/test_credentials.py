"""What an agent was given for one batch, and everything else that somebody could try to answer with."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import stat
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from orchestration.contracts import Proposal, ProposalSet
from orchestration.gate.keys import CREDENTIAL
from orchestration.gate.stopping import start, stop
from orchestration.gate.stops import Scope
from orchestration.identity import credentials, session
from orchestration.identity.session import Claims, CredentialRefused
from orchestration.ledger.verify import verify
from orchestration.store import tables
from orchestration.work.due import wakes
from tests.agents import write_agent
from tests.graph_fixture import BUSINESS_DATE
from tests.waking import NOW, World, reminders

HOUR = timedelta(hours=1)


def offered(world: World, agent: str = "finance") -> str:
    """The id of a batch that waits for an agent."""
    return next(wake.batch.batch_id for wake in world.wake() if wake.batch and wake.agent == agent)


def token_of(world: World, batch_id: str, agent: str = "finance") -> str:
    return world.exchange.read_credential(agent, batch_id)


def problems(world: World) -> list[str]:
    """What the ledger says is wrong; the fixture's graph was published without its pin."""
    return [one for one in verify(world.store, None).problems if "the pin of snapshot" not in one]


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def signed(claims: dict[str, Any], key: Ed25519PrivateKey, **header: Any) -> str:
    return jwt.encode(claims, key, algorithm="EdDSA", headers={"typ": "precede-agent+jwt", **header})


def part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def unsigned(claims: dict[str, Any]) -> str:
    return f"{part({'alg': 'none', 'typ': 'precede-agent+jwt'})}.{part(claims)}."


def with_the_public_key(claims: dict[str, Any], secret: bytes) -> str:
    """HS256 with what everybody may read as its secret."""
    said = f"{part({'alg': 'HS256', 'typ': 'precede-agent+jwt'})}.{part(claims)}"
    mac = hmac.digest(secret, said.encode(), hashlib.sha256)
    return f"{said}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def answered(world: World, batch_id: str, token: str, now: datetime = NOW) -> tuple[str, bool]:
    """Answer a batch with a token; the refusal's code, and whether the batch waits on."""
    answer = reminders(world.exchange.read_batch("finance", batch_id)).model_copy(update={"credential": token})
    folder = world.exchange.root / "finance" / batch_id
    (folder / "proposals.json").write_text(answer.model_dump_json())
    [done] = world.take_in(now)
    return done.code, world.exchange.waiting("finance") == [batch_id]


Forge = Callable[[dict[str, Any], World], str]
FORGED: dict[str, tuple[str, Forge]] = {
    "none": ("no_credential", lambda _, __: ""),
    "no token": ("bad_credential", lambda _, __: "Bearer letmein"),
    "of another audience": (
        "another_audience",
        lambda claims, world: signed(claims | {"aud": "precede:tools"}, world.key),
    ),
    "of another issuer": ("another_audience", lambda claims, world: signed(claims | {"iss": "idp"}, world.key)),
    "unsigned": ("bad_credential", lambda claims, _: unsigned(claims)),
    "unsigned, with a full stop less": ("bad_credential", lambda claims, _: unsigned(claims).rstrip(".")),
    "unsigned, as nOnE": (
        "bad_credential",
        lambda claims, _: f"{part({'alg': 'nOnE'})}.{part(claims)}.{part({})}",
    ),
    "algorithm swapped, with the public key": (
        "bad_credential",
        lambda claims, world: with_the_public_key(
            claims, world.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        ),
    ),
    "algorithm swapped, with the raw public key": (
        "bad_credential",
        lambda claims, world: with_the_public_key(claims, world.key.public_key().public_bytes_raw()),
    ),
    "of another key": ("bad_credential", lambda claims, _: signed(claims, Ed25519PrivateKey.generate())),
    "with a key of its own in it": (
        "bad_credential",
        lambda claims, _: signed(claims, Ed25519PrivateKey.generate(), jwk={"kty": "OKP"}, kid="../../dev/null"),
    ),
    "of another type": ("bad_credential", lambda claims, world: signed(claims, world.key, typ="JWT")),
    "of another agent": ("another_agent", lambda claims, world: signed(claims | {"sub": "sales"}, world.key)),
    "of another batch": ("another_batch", lambda claims, world: signed(claims | {"sid": "b-2"}, world.key)),
    "signed, and never minted": (
        "unknown_credential",
        lambda claims, world: signed(claims | {"jti": "cred_0"}, world.key),
    ),
    "signed, and lasting longer than it was minted for": (
        "unknown_credential",
        lambda claims, world: signed(claims | {"exp": claims["exp"] + 60}, world.key),
    ),
    "lasting for ever": ("bad_credential", lambda claims, world: signed(claims | {"exp": 2**53}, world.key)),
    "without an end": (
        "bad_credential",
        lambda claims, world: signed({k: v for k, v in claims.items() if k != "exp"}, world.key),
    ),
    "with an end that is no number": (
        "bad_credential",
        lambda claims, world: signed(claims | {"exp": True}, world.key),
    ),
    "with more than a credential says": (
        "bad_credential",
        lambda claims, world: signed(claims | {"admin": True}, world.key),
    ),
}


def test_what_an_agent_is_given_says_who_may_answer_what_and_until_when(world: World) -> None:
    batch_id = offered(world)
    path = world.exchange.root / "finance" / batch_id / "credential.jwt"
    claims = claims_of(token_of(world, batch_id))
    [row] = world.rows(tables.agent_credential)
    assert claims == {
        "iss": "precede",
        "aud": "precede:coordinator",
        "sub": "finance",
        "sid": batch_id,
        "scopes": ["propose:send_payment_reminder"],
        "jti": row["credential_id"],
        "iat": int(NOW.timestamp()),
        "exp": int((NOW + HOUR).timestamp()),
    }
    assert (row["agent"], row["batch_id"], row["expires_at"]) == ("finance", batch_id, NOW + HOUR)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not [each for each in row.values() if each == path.read_text()]


def test_a_folder_that_hands_its_group_on_lets_that_group_read(world: World) -> None:
    (world.exchange.root / "finance").mkdir(parents=True)
    (world.exchange.root / "finance").chmod(0o2770)
    path = world.exchange.root / "finance" / offered(world) / "credential.jwt"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_an_answer_with_its_credential_is_taken_once_and_the_ledger_names_it(world: World) -> None:
    batch_id = offered(world)
    assert answered(world, batch_id, token_of(world, batch_id)) == ("", False)
    [row] = world.rows(tables.agent_credential)
    assert (row["ended"], row["ended_at"]) == ("answered", NOW)
    told = [json.loads(one["body"]) for one in world.rows(tables.ledger_entry) if one["kind"] == "answer"]
    assert [one["credential"] for one in told] == [row["credential_id"]]
    with world.store.read() as connection:
        held = credentials.held(connection, [batch_id, "another"])
    assert {
        key: (one.covers("send_payment_reminder"), one.covers("refund"), one.revoked) for key, one in held.items()
    } == {batch_id: (True, False, False)}


@pytest.mark.parametrize("how", FORGED)
def test_an_answer_with_anything_else_is_refused_and_its_batch_waits_on(
    world: World, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    batch_id = offered(world)
    own = token_of(world, batch_id)
    code, forge = FORGED[how]
    token = forge(claims_of(own), world)
    assert answered(world, batch_id, token) == (code, True)
    assert world.rows(tables.proposal) == []
    assert {row["answer"] for row in world.rows(tables.trigger_row)} == {None}
    nowhere(world, own, *([token] if token else []), logged=caplog.text)
    assert answered(world, batch_id, own) == ("", False)
    assert problems(world) == []


def nowhere(world: World, *tokens: str, logged: str = "") -> None:
    """No part of a token that is worth having stands in the store, nor in a log."""
    kept = logged + "".join(json.dumps(world.rows(table), default=str) for table in tables.metadata.sorted_tables)
    for token in tokens:
        assert token not in kept
        for piece in token.split("."):
            assert len(piece) < 16 or piece not in kept


def test_another_agents_own_credential_is_of_no_use(world: World, tmp_path: Path) -> None:
    world.agents |= {"sales": write_agent(tmp_path / "agents", "sales")}
    wakes_ = {wake.agent: wake.batch.batch_id for wake in world.wake() if wake.batch}
    theirs = token_of(world, wakes_["sales"], "sales")
    assert answered(world, wakes_["finance"], theirs) == ("another_agent", True)
    assert {row["ended"] for row in world.rows(tables.agent_credential)} == {None}


def test_the_credential_of_its_own_last_batch_is_of_no_use_for_the_next(world: World) -> None:
    first = offered(world)
    old = token_of(world, first)
    assert answered(world, first, old) == ("", False)
    world.decide("deny", "stale_source", transient=True)
    world.publish()
    second = offered(world)
    assert answered(world, second, old) == ("another_batch", True)


def test_a_credential_is_over_when_its_time_is_and_stays_so_when_the_clock_is_set_back(world: World) -> None:
    batch_id = offered(world)
    token = token_of(world, batch_id)
    assert answered(world, batch_id, token, NOW + HOUR) == ("expired_credential", True)
    assert answered(world, batch_id, token, NOW + timedelta(minutes=30)) == ("expired_credential", True)
    assert answered(world, batch_id, token, NOW - timedelta(days=1)) == ("expired_credential", True)
    assert [row["ended"] for row in world.rows(tables.agent_credential)] == ["expired"]
    assert problems(world) == []


def test_a_clock_set_back_is_found_out_by_the_ledger_alone(world: World) -> None:
    batch_id = offered(world)
    token = token_of(world, batch_id)
    with world.store.begin() as connection:  # the next event comes after its end; nobody looked at credentials then
        credentials.entries.credentials_ended(connection, [], "expired", at=NOW + 2 * HOUR)
    assert answered(world, batch_id, token, NOW + timedelta(minutes=1)) == ("expired_credential", True)


def test_it_is_in_time_until_the_last_moment(world: World) -> None:
    batch_id = offered(world)
    assert answered(world, batch_id, token_of(world, batch_id), NOW + HOUR - timedelta(microseconds=1)) == ("", False)


def test_a_revoked_credential_is_refused_at_once(world: World) -> None:
    batch_id = offered(world)
    token = token_of(world, batch_id)
    with world.store.begin() as connection:
        assert credentials.revoke(connection, "sales", NOW) == []
        assert len(credentials.revoke(connection, None, NOW)) == 1
        assert credentials.revoke(connection, "finance", NOW) == []
    assert answered(world, batch_id, token) == ("revoked_credential", True)
    with world.store.read() as connection:
        assert [one.why for one in wakes(connection, world.exchange, ["finance"], BUSINESS_DATE, NOW)] == [
            "1 batches that were not offered"
        ]
    world.wake()
    assert token_of(world, batch_id) != token
    assert answered(world, batch_id, token) == ("revoked_credential", True)
    assert answered(world, batch_id, token_of(world, batch_id)) == ("", False)
    assert problems(world) == []


def test_what_was_answered_by_a_credential_that_is_revoked_since_is_known(world: World) -> None:
    batch_id = offered(world)
    answered(world, batch_id, token_of(world, batch_id))
    with world.store.begin() as connection:
        assert len(credentials.revoke(connection, "finance", NOW)) == 1
        assert credentials.held(connection, [batch_id])[batch_id].revoked
    assert problems(world) == []


def test_stopping_an_agent_revokes_and_starting_it_gives_it_another(world: World) -> None:
    batch_id = offered(world)
    token = token_of(world, batch_id)
    stop(world.store, Scope.agent("finance"), "too keen", operator="ada", now=NOW)
    assert answered(world, batch_id, token)[0] == "revoked_credential"
    world.wake()
    assert world.exchange.waiting("finance") == []
    start(world.store, Scope.agent("finance"), "told off", operator="ada", now=NOW)
    world.wake()
    assert answered(world, batch_id, token)[0] == "revoked_credential"
    assert answered(world, batch_id, token_of(world, batch_id)) == ("", False)


def test_one_that_ended_is_renewed_by_the_next_look_and_no_other_is(world: World) -> None:
    batch_id = offered(world)
    token = token_of(world, batch_id)
    world.wake(now=NOW + HOUR / 2)
    assert token_of(world, batch_id) == token
    world.wake(now=NOW + HOUR)
    renewed = token_of(world, batch_id)
    assert renewed != token
    assert answered(world, batch_id, renewed, NOW + HOUR) == ("", False)
    assert [row["ended"] for row in world.rows(tables.agent_credential)].count("expired") == 1


def test_one_that_was_replaced_is_refused(world: World) -> None:
    batch_id = offered(world)
    token = token_of(world, batch_id)
    world.exchange.clear("finance", batch_id)
    world.wake()
    assert answered(world, batch_id, token) == ("ended_credential", True)
    assert answered(world, batch_id, token_of(world, batch_id)) == ("", False)
    assert problems(world) == []


def test_a_proposal_beyond_its_scope_loses_the_whole_answer(world: World) -> None:
    batch_id = offered(world)
    said = reminders(world.exchange.read_batch("finance", batch_id))
    first, *others = said.proposals
    more = Proposal(row_id=first.row_id, action_type="refund", arguments={})
    world.exchange.answer(ProposalSet(batch_id=batch_id, agent="finance", proposals=(more, *others)))
    [done] = world.take_in()
    assert (done.code, done.waits) == ("out_of_scope", False)
    assert "needed none but: send_payment_reminder" in done.refusal
    assert world.rows(tables.proposal) == []
    assert {row["answer"] for row in world.rows(tables.trigger_row)} == {"refused"}
    assert problems(world) == []


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        ("UPDATE agent_credential SET revoked_at = NULL", "no longer holds the revocation of credential"),
        ("UPDATE agent_credential SET ended = NULL, ended_at = NULL", "no longer holds the end of credential"),
        ("UPDATE agent_credential SET ended = 'replaced'", "the end of credential"),
        ("UPDATE agent_credential SET expires_at = '2030-01-01 00:00:00'", "row was edited: the credential"),
        ("UPDATE agent_credential SET scopes = '[\"propose:refund\"]'", "row was edited: the credential"),
        ("DELETE FROM agent_credential", "no longer holds the credential"),
    ],
)
def test_an_edited_credential_is_told_by_the_ledger(world: World, edit: str, told: str) -> None:
    batch_id = offered(world)
    answered(world, batch_id, token_of(world, batch_id))
    with world.store.begin() as connection:
        credentials.revoke(connection, "finance", NOW)
    assert problems(world) == []
    with world.store.begin() as connection:
        connection.execute(text(edit))
    assert any(told in problem for problem in problems(world))


def test_the_key_of_credentials_signs_nothing_else_and_is_its_owners_alone(world: World) -> None:
    offered(world)
    assert stat.S_IMODE((world.settings.keys / f"{CREDENTIAL}.key").stat().st_mode) == 0o600
    assert not (world.settings.keys / "permit.key").exists()


def test_a_repr_or_an_error_never_shows_a_credential(world: World) -> None:
    batch_id = offered(world)
    token = token_of(world, batch_id)
    answer = ProposalSet(batch_id=batch_id, agent="finance", proposals=(), credential=token)
    assert token not in repr(answer) + str(answer)
    with pytest.raises(CredentialRefused) as refused:
        session.read(token[:-8] + "AAAAAAAA", world.key.public_key())
    assert refused.value.reason.code == "bad_credential"
    said = repr(refused.value) + str(refused.value)
    assert not [piece for piece in token.split(".") if piece[:16] in said]


@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}", fullmatch=True))
def test_no_text_is_a_credential_or_breaks_what_reads_it(said: str) -> None:
    with pytest.raises(CredentialRefused) as refused:
        session.read(said, Ed25519PrivateKey.generate().public_key())
    assert refused.value.reason.code in {"no_credential", "bad_credential"}


@given(place=st.integers(min_value=0), swapped=st.sampled_from("ABCDEFabcdef0123456789-_."))
def test_a_credential_with_any_one_character_changed_is_refused(place: int, swapped: str) -> None:
    key = Ed25519PrivateKey.from_private_bytes(b"\1" * 32)
    claims = Claims(
        iss=session.ISSUER,
        aud=session.AUDIENCE,
        sub="finance",
        sid="b",
        scopes=["propose:x"],
        jti="cred_1",
        iat=1,
        exp=60,
    )
    token = session.sign(claims, key)
    at = place % len(token)
    changed = token[:at] + swapped + token[at + 1 :]
    if changed == token:
        assert session.read(changed, key.public_key()) == claims
        return
    with pytest.raises(CredentialRefused):
        session.read(changed, key.public_key())


def test_the_store_on_postgres_does_the_same(on_postgres: World) -> None:
    world = on_postgres
    batch_id = offered(world)
    token = token_of(world, batch_id)
    assert answered(world, batch_id, token, NOW + HOUR) == ("expired_credential", True)
    world.wake(now=NOW + HOUR)
    with world.store.begin() as connection:
        assert len(credentials.revoke(connection, None, NOW + HOUR)) == 1
    assert answered(world, batch_id, token_of(world, batch_id), NOW + HOUR) == ("revoked_credential", True)
    world.wake(now=NOW + HOUR)
    assert answered(world, batch_id, token_of(world, batch_id), NOW + HOUR) == ("", False)
    assert problems(world) == []
    with world.store.read() as connection:
        assert len(connection.execute(select(tables.agent_credential)).all()) == 3
