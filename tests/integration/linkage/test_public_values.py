"""What only the public asserts accepts no link alone, merges nobody and takes nobody's standing."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from tests.lists import Resolved, Row, resolve

FERNLEY: Row = {"name": "Fernley Coatings Ltd", "website": "fernley.co.uk", "phone": "0113 496 0123"}
FIRM: Row = {"name": "Fernley Coatings Ltd", "vat_number": "GB980780684"}
JANE: Row = {"given_name": "Jane", "family_name": "Abernathy", "email": "jane.abernathy@fernley.co.uk"}
NAME = ["given_name", "family_name", "name"]


@pytest.mark.parametrize("asserted_by", ["public", "precede"])
def test_a_firm_that_only_strangers_describe_is_not_linked(tmp_path: Path, asserted_by: str) -> None:
    stranger = {"system": "support", "id": "1", "asserted_by": asserted_by}
    result = resolve(tmp_path, [{"system": "erp", "id": "1", **FERNLEY}, stranger | FERNLEY])
    assert len(result.clusters()) == 2
    link = result.link("erp:1", "support:1")
    assert link is None or link["status"] == "possible"


def test_a_stranger_takes_nobodys_standing(tmp_path: Path) -> None:
    known = [{"system": system, "id": "1", **FERNLEY} for system in ("crm", "erp")]
    stranger = {"system": "support", "id": "9", "asserted_by": "public", **FERNLEY}
    entity = resolve(tmp_path, [*known, stranger]).entity("erp:1")
    assert (entity["standing"], entity["standing_reasons"]) == ("reconciled", [])
    assert '"support":"absent"' in entity["resolution"].replace(" ", "")


def test_an_agents_copy_of_a_number_is_no_second_witness(tmp_path: Path) -> None:
    copied = {"system": "crm", "id": "1", "public": ["vat_number"], **FIRM}
    result = resolve(tmp_path, [{"system": "erp", "id": "1", **FIRM}, copied])
    assert len(result.clusters()) == 2
    stated = resolve(tmp_path / "stated", [{"system": "erp", "id": "1", **FIRM}, {"system": "crm", "id": "1", **FIRM}])
    assert len(stated.clusters()) == 1


def test_a_proved_mailbox_links_though_the_public_chose_the_name(tmp_path: Path) -> None:
    user = {"system": "support", "id": "1", "public": NAME, **JANE}
    result = resolve(tmp_path, people=[{"system": "crm", "id": "1", **JANE}, user])
    link = result.link("crm:1", "support:1", "person")
    assert link is not None
    assert (link["status"], link["tier"]) == ("accepted", "mailbox_and_name")


def test_a_mailbox_that_anyone_may_claim_links_nobody(tmp_path: Path) -> None:
    user = {"system": "support", "id": "1", "asserted_by": "public", **JANE}
    result = resolve(tmp_path, people=[{"system": "crm", "id": "1", **JANE}, user])
    link = result.link("crm:1", "support:1", "person")
    assert link is not None
    assert link["status"] == "possible"
    assert result.table("person", "review_pair") == []
    assert result.entity("crm:1", "person")["standing"] == "reconciled"


def employed(system: str, number: int, **row: object) -> Row:
    return {"system": system, "id": str(number), "organisation_key": "1", **row}


_LETTERS = "abcdefghijklmnopqrst"
FIRMS: list[Row] = [
    *({"system": system, "id": "1", **FERNLEY} for system in ("crm", "support")),
    *(
        {"system": "crm", "id": f"f{n}", "name": f"{one}olm {one}arter", "website": f"{one}olm.co.uk"}
        for n, one in enumerate(_LETTERS)
    ),
]
STRANGERS: list[Row] = [
    {"system": "crm", "id": f"p{n}", "name": f"{one}ob {other}err", "organisation_key": f"f{n % len(_LETTERS)}"}
    for n, (one, other) in enumerate(product(_LETTERS, _LETTERS[:6]))
]
"""People and firms enough for a name, and an employer, to be rare."""


def test_a_public_name_attaches_a_record_that_staff_filed_under_the_same_employer(tmp_path: Path) -> None:
    known = employed("crm", 7, given_name="Jane", family_name="Abernathy")
    user = employed("support", 8, given_name="Jane", family_name="Abernathy", public=NAME)
    result = resolve(tmp_path, FIRMS, [known, user, *STRANGERS])
    assert frozenset({"crm:7", "support:8"}) in result.clusters("person")
    nowhere = resolve(tmp_path / "nowhere", FIRMS, [known, user | {"organisation_key": None}, *STRANGERS])
    assert frozenset({"support:8"}) in nowhere.clusters("person")


def test_a_public_name_never_merges_two_people_whom_staff_keep_apart(tmp_path: Path) -> None:
    one = employed("crm", 7, given_name="Jane", family_name="Abernathy", email="jane.abernathy@fernley.co.uk")
    two = employed("sales", 7, given_name="Jane", family_name="Abernathy", email="j.abernathy2@fernley.co.uk")
    user = employed("support", 8, given_name="Jane", family_name="Abernathy", public=NAME)
    firms = [*FIRMS, {"system": "sales", "id": "1", **FERNLEY}]
    result = resolve(tmp_path, firms, [one, two, user, *STRANGERS])
    assert all(not {"crm:7", "sales:7"} <= cluster for cluster in result.clusters("person"))


def test_a_mailbox_that_a_stranger_proved_is_not_that_of_whom_he_is_attached_to(tmp_path: Path) -> None:
    known = employed("crm", 7, given_name="Jane", family_name="Abernathy", email="jane@fernley.co.uk")
    stranger = employed(
        "support", 8, given_name="Jane", family_name="Abernathy", email="jane@evil.example", public=NAME
    ) | {"asserted_by": "verified"}
    result = resolve(tmp_path, FIRMS, [known, stranger, *STRANGERS])
    assert frozenset({"crm:7", "support:8"}) in result.clusters("person")
    assert reached(result, "crm:7") == {("jane@fernley.co.uk", "staff"), ("jane@evil.example", "public")}
    assert result.golden("crm:7", "person")["email"] == "jane@fernley.co.uk"


def test_a_proved_mailbox_stays_proved_where_a_firm_record_has_it_or_firmly_links(tmp_path: Path) -> None:
    jane = {"given_name": "Jane", "family_name": "Abernathy", "email": "jane@fernley.co.uk"}
    user = employed("support", 8, **jane, public=NAME) | {"asserted_by": "verified"}
    linked = resolve(tmp_path, FIRMS, [employed("crm", 7, **jane), user, *STRANGERS])
    assert reached(linked, "crm:7") == {("jane@fernley.co.uk", "staff"), ("jane@fernley.co.uk", "verified")}
    alone = resolve(tmp_path / "alone", FIRMS, [user, *STRANGERS])
    assert reached(alone, "support:8") == {("jane@fernley.co.uk", "verified")}


def reached(result: Resolved, record: str) -> set[tuple[object, object]]:
    """The mailboxes of whom a record is of, and who asserts each."""
    entity = result.entity(record, "person")["entity_id"]
    return {
        (row["value"], row["asserted_by"])
        for row in result.table("person", "contact_point")
        if row["entity_id"] == entity and row["channel"] == "email"
    }
