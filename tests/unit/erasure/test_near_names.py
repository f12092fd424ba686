"""Whoever is forgotten takes nothing of those along whose names and mailboxes are nearly theirs, and leaves nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import duckdb
import pytest

from orchestration.erasure.person import Person, _mentioned
from orchestration.erasure.shared import longer, shared
from orchestration.erasure.texts import Texts, finder
from orchestration.graph.reader import EntityGraph

ANN = {"Ann Lee", "lee@x.example", "+442079461234"}
HERS = [
    "Ann Lee",
    "Call ANN LEE, please",
    "ann lee's invoice",
    "Invoice for Ann Lee.Thanks",
    "note:lee@x.example",
    "Sent to <LEE@X.EXAMPLE>.",
    "Write to lee@x.example.Thanks",
    "mail=lee@x.example|bob@x.example",
    "lee@x.example.please call",
    "Please write to lee@x.example.please",
    "lee@x.example. Please",
    "lee@x.example.2026-11-02",
    "lee@x.example.Com",
    "lee@x.example.organise",
    "lee@x.example.no",
    "请Ann Lee联系",
    "line\nAnn Lee",
]
NOT_HERS = [
    "Ann Leeson",
    "Joann Lee",
    "Ann Leé",
    "Éann Lee",
    "ann.lee@x.example",
    "lee@x.example.org",
    "LEE@X.EXAMPLE.ORG",
    "of <Lee@x.example.com>.",
    "lee@x.example.org, please",
    "lee@x.example.co.uk",
    "kathleen-lee@x.example",
    "4420794612345",
]


class Facts:
    """A graph of one invoice on a firm of hers, with so much in its row."""

    def __init__(self, **row: str | None) -> None:
        self.row = row

    def rows(self, *_: object) -> list[dict[str, Any]]:
        return [{"record_id": "erp:invoice:1"}]

    def source_rows(self, wanted: list[str]) -> dict[str, SimpleNamespace]:
        return {one: SimpleNamespace(row=self.row) for one in wanted}


def mentioned(person: Person, **row: str | None) -> list[str]:
    return [column for _, column in _mentioned(person, cast("EntityGraph", Facts(**row)))]


@pytest.mark.parametrize("text", HERS)
def test_what_says_who_she_is_is_found_within_longer_texts(text: str) -> None:
    assert finder(ANN)(text)
    assert Texts.of("per_1", ANN).said.search(text)
    assert mentioned(Person("per_1", texts=set(ANN)), memo=text, total="120.00") == ["memo"]


@pytest.mark.parametrize("text", NOT_HERS)
def test_what_says_somebody_of_nearly_the_same_name_stays(text: str) -> None:
    assert not finder(ANN)(text)
    assert not Texts.of("per_1", ANN).said.search(text)
    assert mentioned(Person("per_1", texts=set(ANN)), memo=text) == []


COUNTRY = [
    ("lee@x.com.au", False),
    ('{"a": "LEE@X.COM.AU"}', False),
    ("<lee@x.com.au>", False),
    ("lee@x.com.au is", True),
]


@pytest.mark.parametrize(("text", "found"), COUNTRY)
def test_a_country_may_follow_where_a_mailbox_ends_as_those_before_a_country_do(text: str, *, found: bool) -> None:
    assert finder({"lee@x.com"})(text) == found
    assert bool(Texts.of("per_1", {"lee@x.com"}).said.search(text)) == found


def test_a_longer_mailbox_that_is_known_as_somebody_elses_stays_and_what_a_stranger_states_does_not() -> None:
    graph = points(
        ("per_2", "Lee@x.example.shop", "staff", "Lee Bo"),
        ("per_2", "lee@x.example.please", "public", "Lee Bo"),
        ("per_2", "lee@x.examples", "staff", "Lee Bo"),
        ("per_1", "lee@x.example.own", "staff", "Ann Lee"),
    )
    known = longer(graph, entities=["per_1"], records=["crm:contact:99"], mailboxes=["LEE@x.example"])
    assert known == {"lee@x.example.shop"}
    assert longer(graph, entities=["per_1"], records=[], mailboxes=[]) == set()
    for text, found in {
        "lee@x.example.shop": False,
        "to LEE@X.EXAMPLE.SHOP and others": False,
        "lee@x.example.shop, lee@x.example": True,
        "lee@x.example.shopping": True,
        "lee@x.example.please call": True,
    }.items():
        assert finder(ANN, known)(text) == found
        assert bool(Texts.of("per_1", ANN, (), known).said.search(text)) == found
    assert finder({*ANN, "lee@x.example.shop"}, known)("lee@x.example.shop")  # once it was hers


@pytest.mark.parametrize(("value", "found"), [("Ann", True), (" ann ", True), ("Anne", False), ("Ann Marsh", False)])
def test_a_name_too_short_to_be_looked_for_counts_where_it_is_the_whole_value(value: str, *, found: bool) -> None:
    assert mentioned(Person("per_1", names={"Ann"}), contact=value, memo=None) == ["contact"] * found


def test_letters_that_fold_into_two_are_the_same() -> None:
    assert finder({"Anna Strauß"})("ANNA STRAUSS")
    assert finder({"王小明"})("请王小明联系")


def points(*rows: tuple[str, str, str, str]) -> EntityGraph:
    """Contact points of other people: entity, value, who asserts it, what the record calls them."""
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE contact_point (entity_id TEXT, record_id TEXT, channel TEXT, value TEXT, asserted_by TEXT)"
    )
    connection.execute("CREATE TABLE person_record (record_id TEXT, name TEXT)")
    for number, (entity, value, by, name) in enumerate(rows):
        said = (entity, f"crm:contact:{number}", "email" if "@" in value else "phone", value, by)
        connection.execute("INSERT INTO contact_point VALUES (?, ?, ?, ?, ?)", said)
        connection.execute("INSERT INTO person_record VALUES (?, ?)", (f"crm:contact:{number}", name or None))

    def found(sql: str, values: dict[str, Any]) -> list[dict[str, Any]]:
        made = connection.execute(sql, values)
        names = [column[0] for column in made.description or ()]
        return [dict(zip(names, row, strict=True)) for row in made.fetchall()]

    return cast("EntityGraph", SimpleNamespace(rows=found))


OFFICE, PHONE = "ap@firm.example", "+442070000000"
SHARED = {
    "a department's": (OFFICE, (OFFICE, "staff", "Bob Stone"), True),
    "with another tag and case": (OFFICE, ("AP+old@firm.example", "verified", "Bob Stone"), True),
    "a switchboard": (PHONE, (PHONE, "staff", "Bob Stone"), True),
    "that only a stranger states": (OFFICE, (OFFICE, "public", "Bob Stone"), False),
    "of whom nothing is known": (OFFICE, (OFFICE, "staff", ""), False),
    "of what may be herself once more": (OFFICE, (OFFICE, "staff", "Ms. Lée"), False),
    "that says her name": ("ann.lee@firm.example", ("ann.lee@firm.example", "staff", "Accounts Payable"), False),
}


@pytest.mark.parametrize("what", SHARED)
def test_a_contact_point_is_shared_where_somebody_else_provably_has_it(what: str) -> None:
    own, (value, by, name), expected = SHARED[what]
    graph = points(("per_2", value, by, name), ("per_3", "carl@firm.example", "staff", "Carl Dean"))
    is_shared = shared(graph, entities=["per_1"], records=["crm:contact:99"], names=["Ann Lee"], contacts=[own])
    assert is_shared == ({own} if expected else set())


OFFICES = [
    ("Mark Jones", "marketing"),
    ("Bill Stone", "billing"),
    ("Bill Ng", "billing"),
    ("Ann Lee", "planning"),
    ("Art Dean", "parts"),
    ("Ann Lee", "ap"),
    ("Joan Stone", "milestones.team"),
    ("A Lee", "team-a"),
]
OWN = [
    ("Mark Jones", "mark"),
    ("Bill Stone", "bill.office"),
    ("Ann Lee", "annlee2"),
    ("Lee, Ann", "annlee"),
    ("Art Dean", "dean_art"),
    ("Bo Li", "li-bo"),
    ("John Smith", "jsmith"),
    ("John Smith", "smithj01"),
    ("John Smith", "johns"),
    ("Smith, John", "js"),
    ("John Smith", "jpsmith7"),
    ("J. Lee", "jlee"),
    ("Mary Jane Lee", "mjlee"),
    ("Seán O'Dea", "sodea"),
    ("Zoë Quill", "office-of-zquill"),
    ("Mary Smith", "smithson"),
]


def is_shared(name: str, local: str) -> bool:
    """Whether a mailbox that two others have too is shared."""
    box = f"{local}@firm.example"
    graph = points(("per_2", box, "staff", "Xaver Kraft"), ("per_3", box, "staff", "Uwe Xu"))
    return bool(shared(graph, entities=["per_1"], records=["crm:contact:99"], names=[name], contacts=[box]))


@pytest.mark.parametrize(("name", "local"), OFFICES)
def test_a_name_that_is_part_of_a_word_makes_nobody_the_only_one_at_a_mailbox(name: str, local: str) -> None:
    assert is_shared(name, local)


@pytest.mark.parametrize(("name", "local"), OWN)
def test_a_mailbox_that_says_a_name_is_theirs_however_it_says_it(name: str, local: str) -> None:
    assert not is_shared(name, local)
