"""Requests that are asked at once have the answers that each has alone, whatever stands beside them."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.contracts import Verdict
from orchestration.gate.decide import Moment, asked_together, conclude, weigh
from orchestration.gate.limits.usage import Usage
from orchestration.gate.policy import AgentPolicies, requested
from orchestration.gate.policy_files import load_policies
from orchestration.registry import load_agents
from tests.unit.gate.case import ACME, AGENTS, NOW, Scene, rules

Question = tuple[dict[str, Any], list[dict[str, Any]]]
Change = Callable[[Question], object]

_OTHERS = 'when { Organisation::"org_acme".opted_out || Organisation::"org_1".standing == "reconciled" };'
_TOO_MUCH = "when { context.stage + 9223372036854775000 > 0 };"
_POLICIES = {
    "of nobody else": "",
    "of somebody else": f'@id("theirs")\nforbid (principal, action, resource)\n{_OTHERS}',
    "that may err": f'@id("mean")\nforbid (principal, action, resource)\n{_TOO_MUCH}',
    "of an agent": '@id("who")\nforbid (principal, action, resource)\nunless { principal == Agent::"finance" };',
}


@cache
def policies_of(more: str) -> AgentPolicies:
    with TemporaryDirectory() as folder:
        finance = Path(folder) / "finance"
        finance.mkdir()
        for file in (AGENTS / "finance").iterdir():
            (finance / file.name).write_bytes(file.read_bytes())
        with (finance / "policy.cedar").open("a") as policies:
            policies.write(_POLICIES[more])
        return load_policies(load_agents(Path(folder)), rules().action_types)["finance"]


@cache
def _usual() -> Question:
    case = Scene().decide().case
    assert case is not None
    request, entities = requested(case, rules().agents["finance"].card, stopped=False, now=NOW)
    return dict(request), entities


def _telling(**told: Any) -> Change:
    return lambda asked: asked[0]["context"].update(told)


def _of_the_invoice(**told: Any) -> Change:
    return lambda asked: asked[0]["context"]["invoice"].update(told)


def _about(name: str) -> Change:
    def changed(asked: Question) -> None:
        uid = {"type": "Organisation", "id": name}
        asked[0]["resource"] = uid
        asked[1][1]["uid"] = uid

    return changed


def _decimal(text: str) -> dict[str, Any]:
    return {"__extn": {"fn": "decimal", "arg": text}}


CHANGES: list[Change] = [
    lambda _: None,
    *(_about(name) for name in ("org_1", "org_2", "org \n\"'", "\ud800", "x" * 70_000)),
    *(_telling(stage=stage) for stage in (2, 3, 9_223_372_036_854_775_807, 2**63, 2**70, "1", 1.5, None, float("nan"))),
    *(_telling(objections=each) for each in (["opted_out"], "none", ["\ud800"], [1])),
    _telling(surprise=True),
    _of_the_invoice(amount_open=_decimal("9000.0")),
    *(_of_the_invoice(amount_open=_decimal(text)) for text in ("lots", "1.23456", "1" * 40, "\ud800", "")),
    *(_of_the_invoice(currency=text) for text in ("X", "\x00", "\u202e", "é" * 50_000, "\udfff")),
    _of_the_invoice(due_on={"__extn": {"fn": "datetime", "arg": "never"}}),
    *(
        (lambda asked, name=name: asked[0]["context"].pop(name))
        for name in ("objections", "stage", "window", "invoice")
    ),
    *((lambda asked, name=name: asked[0]["context"]["invoice"].pop(name)) for name in ("currency", "amount_open")),
    *((lambda asked, which=which: asked[1].pop(which)) for which in (0, 1)),
    lambda asked: asked[1].append(deepcopy(asked[1][1])),
    lambda asked: asked[1].append({**deepcopy(asked[1][1]), "uid": {"type": "Organisation", "id": "org_1"}}),
    lambda asked: asked[1][1].update(parents=[{"type": "Organisation", "id": "org_1"}]),
    *((lambda asked, stopped=stopped: asked[1][0]["attrs"].update(stopped=stopped)) for stopped in (True, "no", None)),
    *((lambda asked, said=said: asked[1][1]["attrs"].update(standing=said)) for said in ("unreconciled", 7, "\ud800")),
    lambda asked: asked[1][1]["attrs"].pop("opted_out"),
    lambda asked: asked[1][1]["attrs"].update(opted_out=True),
    lambda asked: asked[0].update(action={"type": "Action", "id": "correct_vat_number"}),
    lambda asked: asked[0].update(principal={"type": "Agent", "id": "another"}),
]


@st.composite
def questions(draw: st.DrawFn) -> list[Question]:
    found = []
    for changes in draw(st.lists(st.lists(st.sampled_from(CHANGES), max_size=2), min_size=1, max_size=5)):
        asked = deepcopy(_usual())
        for change in changes:
            try:
                change(asked)
            except (KeyError, IndexError, AttributeError):
                continue  # what is gone already cannot be changed
        found.append(asked)
    return found


@pytest.mark.parametrize("more", sorted(_POLICIES))
@settings(max_examples=120, deadline=None)
@given(asked=questions())
def test_each_has_the_answer_that_it_has_alone(more: str, asked: list[Question]) -> None:
    policies = policies_of(more)
    assert policies.rule_all(asked) == [policies.rule(*each) for each in asked]


@pytest.mark.parametrize("number", range(len(CHANGES)))
def test_nothing_odd_changes_the_answer_to_what_stands_beside_it(number: int) -> None:
    odd = deepcopy(_usual())
    CHANGES[number](odd)
    policies = policies_of("of nobody else")
    said = policies.rule_all([_usual(), odd, _usual()])
    assert said == [policies.rule(*_usual()), policies.rule(*odd), policies.rule(*_usual())]
    assert said[0].verdict is Verdict.ALLOW


def test_a_policy_that_names_an_entity_does_not_see_it_where_another_is_asked_about_it() -> None:
    policies, other = policies_of("of somebody else"), deepcopy(_usual())
    _about("org_1")(other)
    assert [each.verdict for each in policies.rule_all([_usual(), other])] == [Verdict.DENY, Verdict.DENY]
    assert {reason.code for each in policies.rule_all([_usual(), other]) for reason in each.reasons} == {"policy_error"}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["usual", "large", "crown", "unknown", "stranger", "stopped"]), max_size=6))
def test_proposals_that_are_decided_together_are_decided_as_each_is_alone(kinds: list[str]) -> None:
    scene = Scene()
    moment = Moment(scene.rules, scene.graph, scene.store, NOW)
    changed = {
        "usual": scene.ask,
        "large": scene.arguing(stage=3).ask,
        "crown": scene.arguing(mailbox="nobody@nowhere.example").ask,
        "unknown": scene.arguing(organisation="org_nobody").ask,
        "stranger": scene.asking(agent="collections").ask,
        "stopped": scene.asking(agent="nobody").ask,
    }
    asks = [changed[kind] for kind in kinds]
    cases = [weigh(ask, moment) for ask in asks]
    at_once = [
        conclude(ask, case, moment, usage=Usage(), taken=set(), asked=asked)
        for ask, case, asked in zip(asks, cases, asked_together(cases, moment), strict=True)
    ]
    alone = [conclude(ask, case, moment, usage=Usage(), taken=set()) for ask, case in zip(asks, cases, strict=True)]
    assert at_once == alone
    assert ACME in {each.woken_entity for each in asks} or not asks
