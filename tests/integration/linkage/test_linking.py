"""Records become links, through real Parquet files and the shipped models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from insight.linkage.organisation import ORGANISATION
from insight.linkage.person import PERSON
from tests.lists import Row, resolve

FERNLEY: Row = {
    "name": "Fernley Coatings Ltd",
    "website": "fernley.co.uk",
    "phone": "0113 496 0123",
    "address": "12 Mill Street",
    "city": "Leeds",
    "postcode": "LS1 4AP",
}
JANE: Row = {"given_name": "Jane", "family_name": "Abernathy", "email": "jane.abernathy@fernley.co.uk"}


def at(system: str, number: int = 1, **row: object) -> Row:
    return {"system": system, "id": str(number), **row}


def without(row: Row, *fields: str) -> Row:
    return {name: value for name, value in row.items() if name not in fields}


def test_no_records_make_no_links_and_no_entities(tmp_path: Path) -> None:
    result = resolve(tmp_path)
    for record_type in ("organisation", "person"):
        assert result.table(record_type, "link") == []
        assert result.table(record_type, "entity") == []
        assert result.table(record_type, "crosswalk") == []


def test_one_record_is_one_entity_of_a_single_system(tmp_path: Path) -> None:
    result = resolve(tmp_path, [at("crm", **FERNLEY)], [at("crm", 2, **JANE)])
    assert result.entity("crm:1")["standing_reasons"] == ["single_system"]
    assert result.entity("crm:2", "person")["standing_reasons"] == ["single_system"]
    assert [row["reason"] for row in result.table("organisation", "crosswalk")] == ["single"]


def test_records_that_state_a_name_and_nothing_else_are_not_linked_in_a_small_list(tmp_path: Path) -> None:
    result = resolve(tmp_path, [at("crm", name="Fernley Coatings Ltd"), at("erp", name="Fernley Coatings Limited")])
    assert result.clusters() == {frozenset({"crm:1"}), frozenset({"erp:1"})}


def test_seven_systems_that_know_one_firm_make_one_entity(tmp_path: Path) -> None:
    result = resolve(tmp_path, [at(f"list{number}", **FERNLEY) for number in range(7)])
    assert len(result.clusters()) == 1
    entity = result.entity("list0:1")
    assert (entity["standing"], entity["record_count"]) == ("reconciled", 7)
    assert entity["systems"] == [f"list{number}" for number in range(7)]


def test_a_link_says_which_strong_key_made_it_and_what_agreed(tmp_path: Path) -> None:
    result = resolve(tmp_path, [at("crm", **FERNLEY), at("erp", **FERNLEY | {"name": "FERNLEY COATINGS LIMITED"})])
    link = result.link("crm:1", "erp:1")
    assert link is not None
    assert (link["status"], link["tier"], link["veto"]) == ("accepted", "name_and_domain", None)
    compared = json.loads(link["comparisons"])
    assert compared["name"]["level"] == "same"
    assert compared["web and mail"] == {
        "level": "same domain",
        "weight": compared["web and mail"]["weight"],
        "weak": False,
    }
    assert compared["official number"] is None


def test_the_model_links_what_no_strong_key_does(tmp_path: Path) -> None:
    slip = FERNLEY | {"name": "Fernely Coatings Ltd"}
    result = resolve(tmp_path, [at("crm", **FERNLEY), at("erp", **slip)])
    link = result.link("crm:1", "erp:1")
    assert link is not None
    assert (link["status"], link["tier"]) == ("accepted", None)
    assert link["match_weight"] > 3
    assert {row["reason"] for row in result.table("organisation", "crosswalk")} == {"model"}


def test_where_the_same_was_linked_before_nothing_is_done(tmp_path: Path) -> None:
    firms = [at("crm", **FERNLEY), at("erp", **FERNLEY)]
    first = resolve(tmp_path, firms)
    made = first.links("organisation").table("link").stat().st_mtime_ns
    again = resolve(tmp_path, firms)
    assert again.links("organisation") == first.links("organisation")
    assert again.links("organisation").table("link").stat().st_mtime_ns == made
    changed = resolve(tmp_path, [at("crm", **FERNLEY), at("erp", **FERNLEY | {"phone": "0113 496 0999"})])
    assert changed.links("organisation").version != first.links("organisation").version


VETOED = [
    ("company_number_differs", {"company_number": "01234567"}, {"company_number": "07654321"}),
    ("lei_differs", {"lei": "529900T8BM49AURSDO55"}, {"lei": "549300MLUDYVRQOOXS22"}),
    ("vat_number_differs", {"vat_number": "GB980780684"}, {"vat_number": "GB100190874", "name": "Fernley Coating Ltd"}),
    ("parent_word_differs", {}, {"name": "Fernley Coatings Holdings Ltd"}),
    (
        "division_word_differs",
        {"phone": "0113 496 0555"},
        {"name": "Fernley Coatings Branch Ltd", "address": "99 Castle Road", "postcode": "LS9 8QQ"},
    ),
    ("place_differs", {"name": "Fernley Coatings (Scotland) Ltd"}, {"name": "Fernley Coatings (Ireland) Ltd"}),
    ("number_in_name_differs", {"name": "Fernley 12 Ltd"}, {"name": "Fernley 14 Ltd"}),
    ("telling_word_differs", {}, {"name": "Fernley Coatings Rentals Ltd"}),
]


@pytest.mark.parametrize(
    "other",
    [
        "Fernley Coatings Rentasl Ltd",
        "Fernley Coatings Services Services",
        "Fernley Coatings Manufacturing, Leeds (Southe",
        "Fernley Coatings Projects",
    ],
)
def test_a_telling_word_is_known_though_it_is_mistyped_doubled_or_cut(tmp_path: Path, other: str) -> None:
    family = FERNLEY | {"name": "Fernley Coatings Services"}
    result = resolve(tmp_path, [at("crm", **family), at("erp", **family | {"name": other})])
    link = result.link("crm:1", "erp:1")
    assert link is not None
    assert (link["status"], link["veto"]) == ("vetoed", "telling_word_differs")


@pytest.mark.parametrize(
    "other", ["Fernley Coatings Servcies", "Fernley Coatings Service Ltd", "Fernley Coatings Serv"]
)
def test_one_telling_word_in_two_spellings_forbids_nothing(tmp_path: Path, other: str) -> None:
    family = FERNLEY | {"name": "Fernley Coatings Services"}
    result = resolve(tmp_path, [at("crm", **family), at("erp", **family | {"name": other})])
    link = result.link("crm:1", "erp:1")
    assert link is not None
    assert link["veto"] is None


def test_a_digit_that_was_read_for_a_letter_is_no_number_in_a_name(tmp_path: Path) -> None:
    result = resolve(tmp_path, [at("crm", **FERNLEY), at("erp", **FERNLEY | {"name": "Fern1ey Coatings Ltd"})])
    assert len(result.clusters()) == 1


@pytest.mark.parametrize(("sister", "joined"), [("Fernley Coatings Rentals", 2), ("Harbour Paints", 1)])
def test_a_short_name_and_a_domain_are_nobodys_where_several_of_a_family_share_it(
    tmp_path: Path, sister: str, joined: int
) -> None:
    short: Row = {"name": "Fernley", "website": "fernley.co.uk"}
    other: Row = {"name": sister, "website": "fernley.co.uk" if joined > 1 else "harbour.co.uk"}
    result = resolve(tmp_path, [at("crm", **FERNLEY), at("erp", **other), at("desk", **short)])
    link = result.link("crm:1", "desk:1")
    level = json.loads(link["comparisons"])["name"]["level"] if link else ""
    assert (level == "one is part of the other") == (joined == 1)


@pytest.mark.parametrize(("veto", "one", "other"), VETOED)
def test_a_veto_keeps_apart_firms_that_share_everything_else(tmp_path: Path, veto: str, one: Row, other: Row) -> None:
    result = resolve(tmp_path, [at("crm", **FERNLEY | one), at("erp", **FERNLEY | other)])
    link = result.link("crm:1", "erp:1")
    assert link is not None
    assert (link["status"], link["veto"]) == ("vetoed", veto)
    assert len(result.clusters()) == 2


def test_every_veto_of_firms_is_tried_above() -> None:
    assert [veto.name for veto in ORGANISATION.vetoes] == [name for name, _, _ in VETOED]


def test_one_name_at_one_place_with_two_tax_numbers_is_one_firm_in_conflict(tmp_path: Path) -> None:
    numbers = ({"vat_number": "GB980780684"}, {"vat_number": "GB100190874"})
    result = resolve(
        tmp_path, [at(system, **FERNLEY | number) for system, number in zip(("crm", "erp"), numbers, strict=True)]
    )
    assert len(result.clusters()) == 1
    (conflict,) = result.table("organisation", "conflict")
    assert (conflict["field"], {conflict["value_a"], conflict["value_b"]}) == (
        "vat_number",
        {"GB980780684", "GB100190874"},
    )


VETOED_PEOPLE = [
    ("given_name_differs", {}, {"given_name": "Harold"}),
    ("birth_date_differs", {"birth_date": "1970-03-01"}, {"birth_date": "1994-11-22"}),
    (
        "identifier_differs",
        {"email": "", "phone": "0113 496 0123", "identifiers": "ssn:294669999"},
        {"email": "", "phone": "0113 496 0123", "identifiers": "ssn:517730124"},
    ),
    (
        "mailbox_number_differs",
        {"phone": "0113 496 0123"},
        {"phone": "0113 496 0123", "email": "jane.abernathy2@fernley.co.uk"},
    ),
    (
        "mailbox_name_differs",
        {"given_name": "Jo", "email": "joanne.abernathy@fernley.co.uk", "phone": "0113 496 0123"},
        {"given_name": "J", "email": "joanna.abernathy@fernley.co.uk", "phone": "0113 496 0123"},
    ),
    (
        "middle_name_differs",
        {"middle_name": "Anne", "email": "", "city": "Leeds", "address": "12 Mill Street"},
        {"middle_name": "Maria", "email": "", "city": "Leeds", "address": "12 Mill Street"},
    ),
    (
        "generation_differs",
        {"given_name": "", "family_name": "", "name": "Jane Abernathy Jr"},
        {"name": "Jane Abernathy Sr"},
    ),
]


@pytest.mark.parametrize(("veto", "one", "other"), VETOED_PEOPLE)
def test_a_veto_keeps_apart_people_who_share_a_mailbox(tmp_path: Path, veto: str, one: Row, other: Row) -> None:
    if "name" in other:
        other |= {"given_name": "", "family_name": ""}
    result = resolve(tmp_path, people=[at("crm", **JANE | one), at("erp", **JANE | other)])
    link = result.link("crm:1", "erp:1", "person")
    assert link is not None
    assert (link["status"], link["veto"]) == ("vetoed", veto)


def test_every_veto_of_people_is_tried_above() -> None:
    assert [veto.name for veto in PERSON.vetoes] == [name for name, _, _ in VETOED_PEOPLE]


def people_at_fernley(tmp_path: Path, one: Row, other: Row) -> dict[str, object]:
    """The link of two people whom staff filed under one firm."""
    firms = [at("crm", 1, **FERNLEY), at("erp", 1, **FERNLEY)]
    mine = {"organisation_key": "1", "phone": "0113 496 0123", "birth_date": ""}
    result = resolve(tmp_path, firms, [at("crm", 7, **mine | one), at("erp", 7, **mine | other)])
    link = result.link("crm:7", "erp:7", "person")
    assert link is not None
    return link


NAMED: Row = {"given_name": "Jane", "family_name": "Abernathy"}


def test_a_direct_line_and_a_name_are_one_persons(tmp_path: Path) -> None:
    link = people_at_fernley(tmp_path, NAMED, NAMED)
    assert (link["status"], link["tier"]) == ("accepted", "phone_and_name")


@pytest.mark.parametrize(
    "other",
    [{"email": "jane.abernathy2@fernley.co.uk"}, {"job_title": "Warehouse Supervisor"}],
    ids=["number", "title"],
)
def test_a_namesake_takes_more_than_a_name_a_firm_and_a_telephone(tmp_path: Path, other: Row) -> None:
    link = people_at_fernley(tmp_path, NAMED | {"job_title": "Finance Director"}, NAMED | other)
    assert (link["status"], link["tier"]) == ("possible", None)
    assert json.loads(str(link["comparisons"]))["name"]["level"] == "same, perhaps a namesake"


def test_an_initial_is_read_out_where_the_mailbox_spells_it(tmp_path: Path) -> None:
    link = people_at_fernley(tmp_path, NAMED | {"given_name": "J", "email": "jane.abernathy314@example.com"}, NAMED)
    assert json.loads(str(link["comparisons"]))["name"]["level"] == "same"


def test_a_slip_beside_a_nickname_is_one_person_where_one_mailbox_spells_the_name(tmp_path: Path) -> None:
    thomas = NAMED | {"email": "thomas.abernathy@fernley.co.uk"}
    link = people_at_fernley(tmp_path, thomas | {"given_name": "Tom"}, thomas | {"given_name": "Thomad"})
    assert (link["status"], link["veto"]) == ("accepted", None)


def test_two_nicknames_of_a_third_name_are_one_only_where_they_look_it(tmp_path: Path) -> None:
    ian = people_at_fernley(tmp_path / "ian", NAMED | {"given_name": "Ian"}, NAMED | {"given_name": "Jack"})
    assert (ian["status"], ian["veto"]) == ("vetoed", "given_name_differs")
    bob = people_at_fernley(tmp_path / "bob", NAMED | {"given_name": "Bob"}, NAMED | {"given_name": "Rob"})
    assert bob["veto"] is None


@pytest.mark.parametrize("given", ["Jayne", "J", "Jane Mary", "jane"])
def test_nicknames_initials_and_slips_veto_nothing(tmp_path: Path, given: str) -> None:
    result = resolve(tmp_path, people=[at("crm", **JANE), at("erp", **JANE | {"given_name": given})])
    assert result.clusters("person") == {frozenset({"crm:1", "erp:1"})}


def test_a_veto_holds_though_a_third_record_stands_between(tmp_path: Path) -> None:
    bare = without(FERNLEY, "website", "phone")
    result = resolve(
        tmp_path,
        [
            at("crm", **bare, company_number="01234567"),
            at("erp", **FERNLEY),
            at("support", **without(FERNLEY, "address", "postcode"), company_number="07654321"),
        ],
    )
    assert all(not {"crm:1", "support:1"} <= cluster for cluster in result.clusters())
    assert len(result.clusters()) == 2


def test_two_candidates_equally_good_are_ambiguous_and_neither_is_linked(tmp_path: Path) -> None:
    sisters = [
        at("erp", 1, name="Fernley Coatings Print Ltd", website="fernley.co.uk", company_number="01234567"),
        at("erp", 2, name="Fernley Coatings Paint Ltd", website="fernley.co.uk", company_number="07654321"),
    ]
    result = resolve(tmp_path, [at("support", name="Fernley Coatings", website="fernley.co.uk"), *sisters])
    links = [result.link("support:1", f"erp:{number}") for number in (1, 2)]
    assert [link["status"] for link in links if link] == ["ambiguous", "ambiguous"]
    for record in ("support:1", "erp:1", "erp:2"):
        assert "ambiguous_link" in result.entity(record)["standing_reasons"]
    assert json.loads(result.entity("support:1")["resolution"])["erp"] == "open"


def test_a_better_candidate_leaves_the_other_one_out_and_nothing_open(tmp_path: Path) -> None:
    result = resolve(
        tmp_path,
        [
            at("crm", **FERNLEY),
            at("erp", 1, **FERNLEY, company_number="01234567"),
            at("erp", 2, name="Fernley Coatings Supplies Ltd", website="fernley.co.uk", company_number="07654321"),
        ],
    )
    assert frozenset({"crm:1", "erp:1"}) in result.clusters()
    link = result.link("crm:1", "erp:2")
    assert link is not None
    assert (link["status"], link["veto"]) == ("vetoed", "better_candidate")
    assert result.entity("crm:1")["standing"] == "reconciled"
