from __future__ import annotations

import base64
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from orchestration.canonical import canonical
from orchestration.contracts import Permit, SignedPermit
from orchestration.errors import PermitRefused
from orchestration.gate.permits import sign, verify
from tests.unit.gate.case import NOW, Scene

KEY = Ed25519PrivateKey.generate()


def a_permit(**changes: Any) -> Permit:
    permit = Scene().decide().decision.permit
    assert permit is not None
    return permit.model_copy(update=changes)


def check(signed: SignedPermit, **changes: Any) -> Permit:
    permit = a_permit()
    call = {
        "tool_server": "erp",
        "tool": "write_payment_reminder",
        "arguments": dict(permit.tool_arguments),
        "effect_key": permit.effect_key,
        "now": NOW,
    }
    return verify(signed, KEY.public_key(), **{**call, **changes})


def test_a_permit_covers_the_call_that_it_was_minted_for() -> None:
    assert check(sign(a_permit(), KEY)) == a_permit()


def test_another_key_signs_nothing() -> None:
    with pytest.raises(PermitRefused, match="does not verify"):
        check(sign(a_permit(), Ed25519PrivateKey.generate()))


def test_a_payload_that_was_changed_is_refused() -> None:
    signed = sign(a_permit(), KEY)
    edited = base64.b64encode(canonical(a_permit(agent="rival"))).decode()
    with pytest.raises(PermitRefused, match="does not verify"):
        check(signed.model_copy(update={"payload": edited}))


@pytest.mark.parametrize("text", ["", "é", "not base64!", "AAAA", base64.b64encode(b"{}").decode()])
def test_what_is_no_permit_is_refused(text: str) -> None:
    with pytest.raises(PermitRefused):
        check(SignedPermit(payload=text, signature=text))


def test_what_was_signed_with_the_key_but_is_no_permit_is_refused() -> None:
    payload = b'{"permit_id": "1"}'
    signed = SignedPermit(
        payload=base64.b64encode(payload).decode(), signature=base64.b64encode(KEY.sign(payload)).decode()
    )
    with pytest.raises(PermitRefused, match="not a permit"):
        check(signed)


def test_a_permit_lasts_from_its_first_moment_until_before_its_last() -> None:
    signed = sign(a_permit(), KEY)
    end = NOW + timedelta(minutes=15)
    assert check(signed, now=end - timedelta(microseconds=1))
    with pytest.raises(PermitRefused, match="expired at"):
        check(signed, now=end)
    with pytest.raises(PermitRefused, match="not valid before"):
        check(signed, now=NOW - timedelta(seconds=1))


@pytest.mark.parametrize(
    "call",
    [
        {"tool": "delete_invoice"},
        {"tool_server": "crm"},
        {"effect_key": "reminder:erp:transaction:100:2"},
        {"arguments": {}},
    ],
)
def test_a_permit_is_for_no_other_call(call: dict[str, Any]) -> None:
    with pytest.raises(PermitRefused, match=r"for another|for other|is for"):
        check(sign(a_permit(), KEY), **call)


@pytest.mark.parametrize(
    "change",
    [{"recipient": "eve@acme.example"}, {"stage": 2}, {"stage": True}, {"stage": "1"}, {"copy_to": "eve@acme.example"}],
)
def test_a_permit_is_for_no_other_argument(change: dict[str, Any]) -> None:
    with pytest.raises(PermitRefused, match="other arguments"):
        check(sign(a_permit(), KEY), arguments={**a_permit().tool_arguments, **change})


def test_whoever_verifies_loads_neither_store_nor_graph_nor_policy() -> None:
    code = (
        "import sys, orchestration.gate.permits\n"
        "loaded = [name for name in sys.modules if name.startswith("
        "('orchestration.store', 'orchestration.graph', 'orchestration.settings', 'orchestration.gate.'))"
        " and name != 'orchestration.gate.permits']\n"
        "loaded += [name for name in ('sqlalchemy', 'duckdb', 'cedarpy', 'dagster') if name in sys.modules]\n"
        "print(loaded)"
    )
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert out.strip() == "[]"
