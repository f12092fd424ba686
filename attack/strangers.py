"""What strangers write, and what Precede wrote itself, offered as evidence of who somebody is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from attack.ground import Ground
from attack.suite import Group
from tests.integration.linkage.test_public_values import FERNLEY, FIRM, FIRMS, JANE, NAME, STRANGERS, employed, reached
from tests.lists import Resolved, Row, resolve

GROUP: Final = Group("evidence")
Seen = Callable[[Resolved], str]
KNOWN: Final[list[Row]] = [{"system": system, "id": "1", **FERNLEY} for system in ("crm", "erp")]


def _apart(result: Resolved, one: str, other: str, kind: str = "organisation") -> str:
    """Whether two records are of two entities, and no link between them counts."""
    link = result.link(one, other, kind)
    together = any({one, other} <= cluster for cluster in result.clusters(kind))
    return "linked" if together or (link is not None and link["status"] == "accepted") else "apart"


def _standing(result: Resolved, record: str, kind: str = "organisation") -> str:
    entity = result.entity(record, kind)
    return str(entity["standing"]) if not entity["standing_reasons"] else f"taken: {entity['standing_reasons']}"


def _written(asserted_by: str, **more: Any) -> list[Row]:
    """A firm as the ERP has it, and as somebody describes it who is not of the firm's staff."""
    return [
        {"system": "erp", "id": "1", **FERNLEY},
        {"system": "support", "id": "1", "asserted_by": asserted_by, **FERNLEY, **more},
    ]


TRIED: Final[Mapping[str, tuple[str, str, list[Row], list[Row], Seen]]] = {
    "a-strangers-ticket": (
        "open a ticket with a firm's name, website and telephone, so that a system more knows it",
        "apart",
        _written("public"),
        [],
        lambda result: _apart(result, "erp:1", "support:1"),
    ),
    "our-own-write": (
        "have what Precede wrote itself confirm what it was told",
        "apart",
        _written("precede"),
        [],
        lambda result: _apart(result, "erp:1", "support:1"),
    ),
    "a-strangers-ticket-against-standing": (
        "open a ticket as a firm, so that nobody is sure of it any more",
        "reconciled",
        [*KNOWN, {"system": "support", "id": "9", "asserted_by": "public", **FERNLEY}],
        [],
        lambda result: _standing(result, "erp:1"),
    ),
    "our-own-write-against-standing": (
        "have what Precede wrote itself make a firm doubtful",
        "reconciled",
        [*KNOWN, {"system": "support", "id": "9", "asserted_by": "precede", **FERNLEY}],
        [],
        lambda result: _standing(result, "erp:1"),
    ),
    "a-number-told-on-the-telephone": (
        "have a VAT number that a stranger told count as a second witness of it",
        "apart",
        [{"system": "erp", "id": "1", **FIRM}, {"system": "crm", "id": "1", "public": ["vat_number"], **FIRM}],
        [],
        lambda result: _apart(result, "erp:1", "crm:1"),
    ),
    "a-mailbox-that-nobody-proved": (
        "claim somebody's mailbox",
        "apart",
        [],
        [{"system": "crm", "id": "1", **JANE}, {"system": "support", "id": "1", "asserted_by": "public", **JANE}],
        lambda result: _apart(result, "crm:1", "support:1", "person"),
    ),
    "a-mailbox-that-nobody-proved-against-standing": (
        "claim somebody's mailbox, so that nobody is sure of them any more",
        "reconciled",
        [],
        [{"system": "crm", "id": "1", **JANE}, {"system": "support", "id": "1", "asserted_by": "public", **JANE}],
        lambda result: _standing(result, "crm:1", "person"),
    ),
}


def _resolved(organisations: list[Row], people: list[Row], seen: Seen) -> Callable[[Ground], str]:
    return lambda ground: seen(resolve(ground.folder, organisations, people))


for _name, (_told, _expected, _organisations, _people, _seen) in TRIED.items():
    GROUP.add(_name, _told, _expected, _resolved(_organisations, _people, _seen))


def _jane(system: str, number: int, **more: Any) -> Row:
    return employed(system, number, given_name="Jane", family_name="Abernathy", **more)


@GROUP.attack("a-namesake-who-joins-two-people", expected="apart")
def joins(ground: Ground) -> str:
    """write in under a name that two people have, so that they become one"""
    one, two = _jane("crm", 7, email="jane@fernley.co.uk"), _jane("sales", 7, email="j.abernathy2@fernley.co.uk")
    firms = [*FIRMS, {"system": "sales", "id": "1", **FERNLEY}]
    result = resolve(ground.folder, firms, [one, two, _jane("support", 8, public=NAME), *STRANGERS])
    return _apart(result, "crm:7", "sales:7", "person")


@GROUP.attack("a-mailbox-of-ones-own-under-anothers-name", expected="kept")
def redirected(ground: Ground) -> str:
    """prove a mailbox of one's own under somebody's name, so that letters go there"""
    stranger = _jane("support", 8, email="jane@evil.example", public=NAME) | {"asserted_by": "verified"}
    result = resolve(ground.folder, FIRMS, [_jane("crm", 7, email="jane@fernley.co.uk"), stranger, *STRANGERS])
    golden = result.golden("crm:7", "person")["email"]
    believed = {value for value, by in reached(result, "crm:7") if by != "public"}
    return "kept" if golden == "jane@fernley.co.uk" and believed == {golden} else f"taken: {golden}, {believed}"
