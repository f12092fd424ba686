"""Tuning sets a rule aside where the records speak against it, and only there."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from insight.linkage import train as training
from insight.linkage.model import LINKAGES, TWO_AGREEMENTS, Model, load_model
from insight.linkage.train import train
from insight.linkage.tuning.tried import TRIED, WITNESSES
from insight.linkage.tuning.vetoes import ENOUGH, ENOUGH_OF_ALL, Trial, failing
from tests.lists import Row, resolve

SURE = Trial("v", 100, 95, 1000, 950)
AGAINST = Trial("v", 100, 10, 1000, 950)
SILENT = Trial("v", ENOUGH - 1, 0, 1000, 950)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "RANDOM_PAIRS", 10_000)


def test_every_witness_who_is_heard_must_speak_against_a_rule() -> None:
    assert failing([SURE]) == ("v",)
    assert failing([SURE, SILENT]) == ("v",)
    assert failing([SURE, AGAINST]) == ()
    assert failing([SILENT]) == ()


def test_the_rule_of_two_agreements_takes_more_pairs_than_a_veto() -> None:
    assert Trial("v", ENOUGH_OF_ALL - 1, ENOUGH_OF_ALL - 1, 1000, 950).fails
    assert not Trial(TWO_AGREEMENTS, ENOUGH_OF_ALL - 1, ENOUGH_OF_ALL - 1, 1000, 950).fails
    assert Trial(TWO_AGREEMENTS, ENOUGH_OF_ALL, ENOUGH_OF_ALL, 1000, 950).fails


def test_lying_in_two_systems_must_be_commoner_than_chance() -> None:
    assert Trial("v", 100, 90, 1000, 950, by_chance=0.5).fails
    assert not Trial("v", 100, 50, 1000, 520, by_chance=0.5).fails


def test_what_is_tried_are_rules_and_who_is_asked_are_comparisons() -> None:
    for record_type, linkage in LINKAGES.items():
        comparisons = {one.name for one in linkage.comparisons}
        assert set(TRIED[record_type]) <= {one.name for one in linkage.vetoes}
        assert {name for _, names in TRIED[record_type].values() for name in names} <= comparisons
        assert set(WITNESSES[record_type]) <= {one.name for one in linkage.comparisons if one.identifies}


def test_without_two_agreements_one_that_says_nothing_of_who_it_is_will_do() -> None:
    shipped = load_model("organisation")
    aside = Model(**{name: getattr(shipped, name) for name in shipped.__slots__} | {"set_aside": (TWO_AGREEMENTS,)})
    assert (shipped.linkage.agreements, shipped.linkage.identifying) == (2, 1)
    assert (aside.linkage.agreements, aside.linkage.identifying) == (1, 0)
    assert aside.linkage.vetoes == shipped.linkage.vetoes


def people(count: int, seed: int = 3) -> list[Row]:
    """People that two lists know by number, birth date and address."""
    drawn = random.Random(seed)  # noqa: S311  the same people each time, and no secret
    letters = "abcdefghijklmnopqrstuvwxyz"
    rows: list[Row] = []
    for n in range(count):
        given, family, street = ("".join(drawn.choices(letters, k=7)).title() for _ in range(3))
        stated = {
            "given_name": given,
            "family_name": family,
            "birth_date": f"{drawn.randint(1930, 2000)}-{drawn.randint(1, 12):02}-{drawn.randint(1, 28):02}",
            "identifiers": f"tax/AU:{drawn.randint(10**8, 10**9)}",
            "address": f"{n % 90 + 1} {street} Road",
            "city": street,
            "postcode": f"{drawn.randint(1000, 9000)}",
        }
        rows += [{"system": "crm", "id": str(n), **stated}, {"system": "erp", "id": str(n), **stated}]
    return rows


def set_aside(home: Path, rows: list[Row]) -> tuple[str, ...]:
    result = resolve(home, people=rows)
    return train(result.records["person"], result.aliases).set_aside


def test_a_veto_on_a_field_that_holds_anything_is_set_aside(tmp_path: Path) -> None:
    rows = people(200)
    for row, other in zip(rows[1:80:2], people(40, seed=5)[::2], strict=True):
        row["identifiers"] = other["identifiers"]
    assert set_aside(tmp_path, rows) == ("identifier_differs",)


def test_a_veto_stands_where_what_it_forbids_are_relatives(tmp_path: Path) -> None:
    rows = people(200)
    kin = people(60, seed=4)
    for one, other in zip(rows[1:120:2], kin[::2], strict=True):
        shared = {name: one[name] for name in ("family_name", "address", "city", "postcode")}
        rows.append({**other, **shared, "id": f"kin{other['id']}"})
    assert set_aside(tmp_path, rows) == ()
