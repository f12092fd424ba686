"""The quick ones of the attacks; `make attack` makes all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from attack.every import ATTACKS, GROUPS
from attack.ground import Grounds
from attack.suite import held, run_all
from examples.northgate.tools import reminders
from orchestration.gate import cedar, policy, seen
from orchestration.ledger import heads
from orchestration.ledger import verify as verification


@pytest.fixture(scope="module")
def grounds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grounds]:
    with Grounds(tmp_path_factory.mktemp("attacks")) as made:
        yield made


@pytest.mark.parametrize("group", [group.name for group in GROUPS])
def test_no_quick_attack_succeeds(grounds: Grounds, group: str) -> None:
    quick = [attack for attack in ATTACKS if attack.quick and attack.name.startswith(f"{group}/")]
    came = {result.attack.name: (result.seen, result.held) for result in run_all(quick, grounds)}
    assert {name: seen for name, (seen, was_held) in came.items() if was_held is False} == {}
    assert len(came) == len(quick)


BROKEN = [
    ("permits/tool-expired", reminders, "in_time", lambda *_: None),
    ("permits/tool-other-recipient", reminders, "covers", lambda *_, **__: None),
    ("permits/expired-and-clock-set-back", seen, "latest", lambda _, now: now),
    ("ledger/cut_off", verification, "_signed", lambda *_: heads.Believed((), ())),
    ("policy/no-decision", policy, "ask", lambda *_: cedar.Said(allowed=True, policies=("nobody",))),
]
"""An attack, and the one defence that stands in its way, taken down."""


@pytest.mark.parametrize(("name", "taken_down"), [(name, rest) for name, *rest in BROKEN])
def test_an_attack_succeeds_where_its_defence_is_taken_down(
    grounds: Grounds, monkeypatch: pytest.MonkeyPatch, name: str, taken_down: list[Any]
) -> None:
    monkeypatch.setattr(*taken_down)
    [result] = run_all([attack for attack in ATTACKS if attack.name == name], grounds)
    assert result.held is False
    assert not result.seen.startswith("error")


def test_every_attack_has_a_name_of_its_own_and_says_what_it_tries() -> None:
    names = [attack.name for attack in ATTACKS]
    assert len(names) == len(set(names))
    assert all(attack.told and attack.expected for attack in ATTACKS)


def test_what_was_expected_is_seen_where_the_verb_and_every_code_is() -> None:
    assert held("denied: no_pin", "denied: stale_source, no_pin")
    assert not held("denied: no_pin", "denied: stale_source")
    assert not held("denied: no_pin", "effect")
    assert not held("denied: no_pin", "review: no_pin")
    assert held("noticed", "noticed")
