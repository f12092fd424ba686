"""The columns that records are linked by."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from insight.records.derive import complete, derived
from insight.records.fields import Locale
from insight.records.fields.organisations import compared
from insight.records.fields.places import street_number
from orchestration.graph.model import SHAPES

BRITAIN = Locale("GB")


def columns(shape: str, **fields: str | None) -> dict[str, Any]:
    """The derived columns of one record, and its completed fields."""
    stated = {name: pa.array([fields.get(name)], pa.string()) for name in SHAPES[shape].names}
    completed = complete(shape, stated)
    return {name: column.to_pylist()[0] for name, column in (completed | derived(shape, completed, BRITAIN)).items()}


@pytest.mark.parametrize(
    "name",
    [
        "Hardcastle Engineering Services Ltd",
        "HARDCASTLE ENGINEERING SERVICES LIMITED",
        "Hardcastle Eng Svcs Ltd.",
        "The Hardcastle Engineering Services",
        "Hardcastle Engineering Services Ltd (ON STOP)",
        "Hardcastle Engineering Services *DO NOT USE*",
        "Hardcastle Engineering Services - DUPLICATE?",
    ],
)
def test_each_way_to_write_a_name_is_compared_as_one(name: str) -> None:
    assert compared(name) == "hardcastle engineering services"


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Müllenkranz GmbH", "mullenkranz"),
        ("Smith & Sons plc", "smith and sons"),
        ("A.B.C. Plumbing", "abc plumbing"),
        ("alderbrook.co.uk", "alderbrook"),
        ("SA Brain & Company Ltd", "sa brain and company"),
        ("Limited", "limited"),
        ("Old Mill", "old mill"),
        ("Hardcastle (Holdings) Ltd", "hardcastle holdings"),
    ],
)
def test_what_makes_a_name_differ_stays(name: str, key: str) -> None:
    assert compared(name) == key


def test_both_names_of_a_trading_name_are_there() -> None:
    found = columns("organisation", name="Dale Ltd t/a Fresh Bakes", legal_name="Dale Limited")
    assert found["k_name"] == "dale"
    assert found["k_names"] == ["dale", "fresh bakes"]
    assert (found["legal_name"], found["trading_name"]) == ("Dale Limited", "Fresh Bakes")


def test_an_organisation_without_a_name_goes_by_its_legal_one() -> None:
    assert columns("organisation", legal_name="Dale Limited")["name"] == "Dale Limited"


def test_a_domain_that_anyone_can_have_an_address_at_says_nothing() -> None:
    own = columns("organisation", name="Dale", email="accounts+uk@mail.dale.co.uk")
    assert (own["k_domain"], own["k_email_local"], own["k_email_domain"]) == ("dale.co.uk", "accounts", "dale.co.uk")
    free = columns("organisation", name="Dale", email="dale@gmail.com", website="facebook.com/dale")
    assert (free["k_domain"], free["k_email_local"], free["k_email_domain"]) == (None, "dale", None)


def test_a_company_number_is_of_a_country() -> None:
    assert columns("organisation", name="Dale", company_number="01234567")["k_company_number"] == "gb:01234567"
    assert (
        columns("organisation", name="D", company_number="552008443", country="FR")["k_company_number"]
        == "fr:552008443"
    )


def test_a_postcode_is_found_in_the_address_where_it_has_no_column() -> None:
    found = columns("organisation", name="Dale", address="Unit 4, 12-14 High Street, Leeds LS1 4AP")
    assert (found["k_postcode"], found["k_postcode_area"], found["k_street_number"]) == ("ls14ap", "ls1", "12")
    american = columns("organisation", name="D", address="123 Main Street, Las Vegas NV 89132", country="US")
    assert (american["k_postcode"], american["k_postcode_area"]) == ("89132", "891")


def test_addresses_are_compared_without_their_abbreviations() -> None:
    one, other = (columns("organisation", name="D", address=text) for text in ("9 High Street", "9 HIGH ST."))
    assert one["k_address"] == other["k_address"] is not None


def test_a_unit_is_no_street_number() -> None:
    assert [street_number(text) for text in ("Flat 2, 14b Mill Rd", "Suite 900, 1450 N City Rd", "The Barn")] == [
        "14b",
        "1450",
        None,
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"given_name": "Siân", "family_name": "O'Neill"},
        {"name": "Siân O'Neill"},
        {"name": "O'Neill, Siân"},
        {"given_name": "Siân O'Neill"},
        {"name": "Sian ONeill", "given_name": "Siân", "family_name": "O'Neill"},
    ],
)
def test_a_person_is_compared_by_given_and_family_name_however_stated(fields: dict[str, str]) -> None:
    found = columns("person", **fields)
    assert (found["k_given"], found["k_family"], found["k_name"]) == ("sian", "oneill", "sian oneill")
    assert found["name"]


def test_a_generation_is_kept_apart_from_the_name() -> None:
    assert columns("person", given_name="Robert", family_name="Smith Sr")["k_suffix"] == "sr"
    assert columns("person", name="Robert Smith Junior")["k_suffix"] == "jr"
    assert columns("person", given_name="Robert", family_name="Smith Sr")["k_family"] == "smith"


def test_a_person_with_one_name_alone_has_no_family_name() -> None:
    found = columns("person", given_name="Cher")
    assert (found["name"], found["k_given"], found["k_family"], found["k_name"]) == ("Cher", "cher", None, "cher")


def test_names_in_other_scripts_are_compared_in_latin_letters() -> None:
    assert columns("person", name="ВАСІЛЬЕЎ, Аляксандр")["k_family"].isascii()
