"""Requests that are asked at once have the answers that each has alone, whatever stands beside them."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cedarpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.contracts import Verdict
from orchestration.gate.decide import Moment, asked_together, conclude, weigh
from orchestration.gate.limits.usage import Usage
from orchestration.gate.policy import AgentPolicies, requested
from orchestration.gate.policy_files import load_policies
from orchestration.registry import load_agents
from tests.effort import EFFORT
from tests.unit.gate.case import ACME, AGENTS, NOW, Scene, rules

Question = tuple[dict[str, Any], list[dict[str, Any]]]
Change = Callable[[Question], object]

_OTHERS = 'when { Organisation::"org_acme".opted_out || Organisation::"org_1".standing == "reconciled" };'
_TOO_MUCH = "when { context.stage + 9223372036854775000 > 0 };"
_POLICIES = {
    "of nobody else": "",
    "of somebody else": f'@id("theirs")\nforbid (principal, action, resource)\n{_OTHERS}',
    "that may err": f'@id("mean")\nforbid (principal, action, resource)\n{_TOO_MUCH}',
    "of all that is told": '@id("all")\nforbid (principal, action, resource) when { context == context && false };',
    "of what may be missing": """
        @id("has") forbid (principal, action, resource is Organisation)
        when { context has stage && context.invoice has due_on && context.organisation has vat_number }
        unless { context.mailbox.asserted_by.containsAny(["staff", "public"]) };
    """,
    "of a record": """
        @id("record") forbid (principal, action, resource)
        when { context.person == context.person && context has mailbox && context.stage > 5 };
    """,
    "of an agent": '@id("who")\nforbid (principal, action, resource)\nunless { principal == Agent::"finance" };',
}


@cache
def policies_of(more: str) -> AgentPolicies:
    with TemporaryDirectory() as folder:
        finance = Path(folder) / "finance"
        finance.mkdir()
        for file in filter(Path.is_file, (AGENTS / "finance").iterdir()):
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


def _extension(function: str, argument: object) -> dict[str, Any]:
    return {"__extn": {"fn": function, "arg": argument}}


MOMENTS = ("2026-02-30", "2026-11-02", "0000-01-01", "9999-12-31", "0001-01-01T00:00:00Z", "2026-11-02T24:00:00Z")
ODD: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=5)
    | st.lists(st.text(max_size=2) | st.integers() | st.none(), max_size=2)
    | st.sampled_from([2**63, 2**63 - 1, -(2**63), -(2**63) - 1, {}, {"a": 1}, "\ud800", ["\ud800"], [["a"]]])
    | st.sampled_from([{"__entity": {"type": "Organisation", "id": "org_acme"}}, {"__expr": "1"}, (), ("a",)])
    | st.builds(_extension, st.sampled_from(["decimal", "datetime", "ip", ""]), st.text(max_size=4) | st.none())
    | st.builds(_extension, st.just("decimal"), st.from_regex(r"-?[0-9]{1,16}\.[0-9]{1,5}", fullmatch=True))
    | st.builds(
        _extension, st.just("datetime"), st.sampled_from(MOMENTS) | st.datetimes().map(lambda at: f"{at:%FT%TZ}")
    )
    | st.builds(_extension, st.just("datetime"), st.datetimes().map(lambda at: at.isoformat()) | st.dates().map(str))
)


def _somewhere(parts: list[str], value: object) -> Change:
    """Tell something else, or something more, in a place of the context."""

    def changed(asked: Question) -> None:
        held = asked[0]["context"]
        for part in parts[:-1]:
            held = held[part]
        held[parts[-1]] = value

    return changed


def _places() -> list[list[str]]:
    context = _usual()[0]["context"]
    inside = [[name, field] for name, value in context.items() if isinstance(value, dict) for field in value]
    return [*inside, *([name] for name in context), ["person", "more"], ["organisation", "vat_number"], ["more"]]


@st.composite
def questions(draw: st.DrawFn) -> list[Question]:
    found = []
    anything = st.builds(_somewhere, st.sampled_from(_places()), ODD)
    each_of = st.lists(st.sampled_from(CHANGES) | anything, max_size=2)
    for changes in draw(st.lists(each_of, min_size=1, max_size=5)):
        asked = deepcopy(_usual())
        for change in changes:
            try:
                change(asked)
            except (KeyError, IndexError, AttributeError, TypeError):
                continue  # what is gone already cannot be changed
        found.append(asked)
    return found


@pytest.mark.law
@pytest.mark.parametrize("more", sorted(_POLICIES))
@settings(max_examples=80 * EFFORT, deadline=None)
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


@pytest.mark.law
@settings(max_examples=40 * EFFORT, deadline=None)
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


def test_policies_are_asked_with_what_they_read_alone() -> None:
    read = policies_of("of what may be missing").narrow
    assert read is not None
    told = read.context("send_payment_reminder", _usual()[0]["context"])
    assert told is not None
    assert json.loads(told)["mailbox"] == {"asserted_by": ["staff"]}
    assert json.loads(told)["invoice"].keys() >= {"due_on", "amount_open"}
    assert "number" not in json.loads(told)["invoice"]
    assert "person" not in json.loads(told)
    assert policies_of("of all that is told").narrow is None


@pytest.mark.law
@settings(max_examples=300 * EFFORT, deadline=None)
@given(place=st.sampled_from(_places()), value=ODD)
def test_what_surely_fits_is_what_cedar_takes(place: list[str], value: object) -> None:
    policies, asked = policies_of("of nobody else"), deepcopy(_usual())
    try:
        _somewhere(place, value)(asked)
    except TypeError:
        return
    assert policies.narrow is not None
    try:
        told = policies.narrow.context("send_payment_reminder", asked[0]["context"])
    except TypeError:
        told = None
    if told is not None and policies.rule(*asked).policies == ():
        codes = {reason.code for reason in policies.rule_all([asked])[0].reasons}
        assert codes == {reason.code for reason in policies.rule(*asked).reasons}
        read = cedarpy.is_authorized(
            {**asked[0], "context": told}, policies.whole.parsed, asked[1], policies.narrow.schema
        )
        assert read.diagnostics.errors  # what does not fit is read, and Cedar says so of that too
