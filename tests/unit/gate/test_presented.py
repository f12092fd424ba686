"""A permit at the moment of effect: whatever was allowed, anything that speaks against it now voids it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from orchestration.contracts import Decision, Permit, Verdict
from orchestration.errors import PermitRefused
from orchestration.gate.decide import Moment
from orchestration.gate.limits.usage import Usage
from orchestration.gate.permits import sign
from orchestration.gate.presented import Presented, still, unused
from tests.unit.gate.case import NOW, Scene
from tests.unit.gate.test_decide import OBJECTIONS

KEY, ANOTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()


def minted(**changes: Any) -> Permit:
    permit = Scene().decide().decision.permit
    assert permit is not None
    return permit.model_copy(update=changes)


def row_of(permit: Permit, key: Ed25519PrivateKey = KEY) -> dict[str, Any]:
    signed = sign(permit, key)
    row = {"permit_id": permit.permit_id, "payload": signed.payload, "signature": signed.signature}
    times = {"issued_at": permit.issued_at, "counted_at": permit.issued_at, "expires_at": permit.expires_at}
    return {**row, **times, "halted_by": None}


PERMIT = minted()


@dataclass(frozen=True)
class Effect:
    """What a permit is presented with."""

    scene: Scene = field(default_factory=Scene)
    row: dict[str, Any] = field(default_factory=lambda: row_of(PERMIT))
    usage: Usage = field(default_factory=lambda: Usage(batch=1, day=1))
    taken: frozenset[str] = frozenset()
    at_least: datetime = NOW

    def still(self) -> Permit | Decision:
        scene = self.scene
        moment = Moment(scene.rules, scene.graph, scene.store, scene.now)
        one = Presented.of(scene.ask, self.row, KEY.public_key(), moment)
        return still(one, moment, usage=self.usage, taken=self.taken | scene.taken, at_least=self.at_least)


AGAINST: dict[str, Effect] = {
    "permit_expired": Effect(at_least=PERMIT.expires_at),
    "permit_halted": Effect(row={**row_of(PERMIT), "halted_by": 3}),
    "permit_forged": Effect(row=row_of(PERMIT, ANOTHER)),
    "permit_of_another": Effect(row=row_of(minted(action="act_2"))),
    "read_set_changed": Effect(row=row_of(minted(read_set_digest="0" * 64))),
    "tool_call_changed": Effect(row=row_of(minted(tool_arguments={**PERMIT.tool_arguments, "stage": 3}))),
    "effect_exists": Effect(taken=frozenset({PERMIT.effect_key})),
    "approval_void": Effect(row=row_of(minted(approval="appr_1"))),
    "batch_limit": Effect(usage=Usage(batch=41)),
}


def test_a_permit_that_nothing_speaks_against_holds() -> None:
    assert Effect().still() == PERMIT


@pytest.mark.parametrize(("said", "effect"), AGAINST.items(), ids=AGAINST)
def test_what_speaks_against_a_permit_is_named_and_voids_it(said: str, effect: Effect) -> None:
    void = effect.still()
    assert isinstance(void, Decision)
    assert (void.verdict, {reason.code for reason in void.reasons}) == (Verdict.DENY, {said})


@pytest.mark.parametrize("before", [timedelta(seconds=1), timedelta(days=1)])
def test_no_permit_holds_before_it_was_minted(before: timedelta) -> None:
    void = Effect(scene=replace(Scene(), now=NOW - before)).still()
    assert isinstance(void, Decision)
    assert "permit_expired" in {reason.code for reason in void.reasons}


@given(since=st.lists(st.sampled_from(sorted(OBJECTIONS)), min_size=1, max_size=6), of=st.sampled_from(sorted(AGAINST)))
def test_any_objection_since_voids_a_permit_whatever_else_does(since: list[str], of: str) -> None:
    scene = Scene()
    for change in since:
        scene = OBJECTIONS[change](scene)
    for effect in (Effect(scene=scene), replace(AGAINST[of], scene=scene)):
        void = effect.still()
        assert isinstance(void, Decision)
        assert void.verdict is Verdict.DENY
        assert void.permit is None
        assert void.reasons


Refusal = Callable[[], Any]
REFUSED: dict[str, Refusal] = {
    "not decided yet": lambda: unused("act_1", None, row_of(PERMIT)),
    "was not allowed": lambda: unused("act_1", "review", row_of(PERMIT)),
    "has no permit": lambda: unused("act_1", "allow", None),
    "was used at": lambda: unused("act_1", "allow", {**row_of(PERMIT), "consumed_at": NOW}),
}


@pytest.mark.parametrize("said", REFUSED)
def test_what_is_no_unused_permit_of_an_allow_is_refused(said: str) -> None:
    with pytest.raises(PermitRefused, match=said):
        REFUSED[said]()
