"""A stranger writes in as 1 % of the customers of Northgate, with their numbers and mailboxes: nothing comes of it."""

from __future__ import annotations

import random
import sqlite3
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from examples.northgate.build import build, in_home
from examples.northgate.plan import Plan
from insight.entities import build as entity_stage
from insight.entities.build import EntitySet
from insight.landing import land
from insight.linkage import link as link_stage
from insight.linkage.link import LinkSet
from insight.linkage.model import load_model
from insight.records import every
from insight.sources.loading import load_sources
from orchestration.graph.model import RECORD_TYPES
from orchestration.settings import Settings
from tests.effort import EFFORT
from tests.lists import rows

Row = dict[str, Any]
SHARE = 0.01
UNCHANGED = 0.98
STANDING = ("standing", "standing_reasons", "resolution", "systems", "opted_out")


@dataclass
class Reconciled:
    """What Northgate comes to: links and entities of each record type, and the records of people."""

    links: dict[str, LinkSet] = field(default_factory=dict)
    entities: dict[str, EntitySet] = field(default_factory=dict)
    people: Path = Path()

    def owners(self, record_type: str) -> dict[str, str]:
        """Record to entity."""
        return {row["record_id"]: row["entity_id"] for row in rows(self.entities[record_type].table("crosswalk"))}

    def standings(self, record_type: str) -> dict[str, Row]:
        """Entity to what its standing says."""
        found = rows(self.entities[record_type].table("entity"))
        return {row["entity_id"]: {name: row[name] for name in STANDING} for row in found}


def reconcile(settings: Settings, before: Reconciled | None = None, *, refresh: bool = False) -> Reconciled:
    """Everything from the databases to entities, as the assets do it; `refresh` counts the records anew."""
    sources = load_sources(settings.sources)
    records = every.build(sources, [one for source in sources for one in land(source, settings)], settings)
    made = Reconciled(people=records.shapes["person"].record)
    for name in RECORD_TYPES:
        shape, employer = records.shapes[name], made.entities.get("organisation")
        made.links[name] = link_stage.build(
            shape,
            records.aliases,
            load_model(name, settings),
            settings,
            employer.table("crosswalk") if employer else None,
            before=before.links[name] if before and not refresh else None,
        )
        previous = before.entities[name].table("crosswalk") if before else None
        made.entities[name] = entity_stage.build(shape, records.aliases, made.links[name], previous, settings)
    return made


EVERY = [("A", False), ("B", True), ("B", False), ("A", True)]
"""Each kind of dirt, and whether the records are counted anew once he wrote in."""


@pytest.fixture(
    scope="module", params=EVERY[: 2 * EFFORT], ids=lambda one: f"{one[0]}{' counted anew' if one[1] else ''}"
)
def attacked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Reconciled, Reconciled, set[str]]:
    """Northgate before and after the stranger wrote in, and the entities that he posed as."""
    home = tmp_path_factory.mktemp("northgate")
    with pytest.MonkeyPatch.context() as environment:
        for name in ("PRECEDE_SOURCES", "PRECEDE_CRM_URL", "PRECEDE_ERP_URL", "PRECEDE_SUPPORT_URL"):
            environment.delenv(name, raising=False)
        way, refresh = request.param
        build(Plan(6000, 7, way=way), in_home(home))
        settings = Settings(home=home)
        before = reconcile(settings)
        employers = {row["record_id"]: row["organisation_record"] for row in rows(before.people)}
        posed_as = write_in(home / "northgate" / "support.db", before, employers)
        return before, reconcile(settings, before, refresh=refresh), posed_as


def write_in(database: Path, known: Reconciled, employers: dict[str, str]) -> set[str]:
    """Open tickets as 1 % of the customers and as everybody who works there; the entities that he poses as.

    `employers` is a person's record to the record of the organisation that it names.
    """
    firms = {row["entity_id"]: row for row in rows(known.entities["organisation"].table("golden"))}
    reached: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for record_type in RECORD_TYPES:
        for row in rows(known.entities[record_type].table("contact_point")):
            reached[row["entity_id"]].add((row["channel"], row["value"]))
    owners = known.owners("organisation")
    people = rows(known.entities["person"].table("golden"))
    victims = random.Random(1).sample(sorted(firms), max(1, round(SHARE * len(firms))))  # noqa: S311  a test's choice
    posing: list[tuple[str, str, str | None, str | None]] = []
    for victim in victims:
        posing.append((victim, firms[victim]["name"], *ways(reached[victim], firms[victim]["vat_number"])))
        staff = [one for one in people if owners.get(employers.get(one["name_record"], "")) == victim]
        posing += [(one["entity_id"], one["name"], *ways(reached[one["entity_id"]], None)) for one in staff]
    with closing(sqlite3.connect(database)) as support, support:
        support.row_factory = sqlite3.Row
        for number, (_, name, email, phone) in enumerate(posing):
            for copy in range(2):  # once as he pleases, once more
                pose(support, 10**12 + 2 * number + copy, name, email, phone)
    return {one for one, *_ in posing}


def ways(reached: set[tuple[str, str]], number: str | None) -> tuple[str | None, str | None]:
    """A mailbox and a telephone of somebody; a company's VAT number where it has no telephone."""
    mailboxes = sorted(value for channel, value in reached if channel == "email")
    phones = sorted(value for channel, value in reached if channel == "phone")
    return next(iter(mailboxes), None), next(iter(phones), number)


def pose(support: sqlite3.Connection, number: int, name: str, email: str | None, phone: str | None) -> None:
    """Write in under a name: a user whose mailbox nobody proved, and a ticket that says it all again."""
    said = {"name": name, "email": email, "phone": phone, "organization_id": None, "verified": 0, "role": "end-user"}
    copied(support, "user", {"id": number, **said})
    words = {"subject": f"{name} {email} {phone}", "organization_id": None, "requester_id": number}
    copied(support, "ticket", {"id": number, **words})


def copied(support: sqlite3.Connection, table: str, changes: Row) -> None:
    """Add a row like another one, with some columns otherwise."""
    row = dict(support.execute(f'SELECT * FROM "{table}" WHERE id < {10**12} ORDER BY id LIMIT 1').fetchone()) | changes
    names, places = ", ".join(f'"{name}"' for name in row), ", ".join("?" for _ in row)
    support.execute(f'INSERT INTO "{table}" ({names}) VALUES ({places})', list(row.values()))


@pytest.mark.law
@pytest.mark.parametrize("record_type", list(RECORD_TYPES))
def test_he_merges_nobody(attacked: tuple[Reconciled, Reconciled, set[str]], record_type: str) -> None:
    before, after, _ = attacked
    was, now = before.owners(record_type), after.owners(record_type)
    assert {record: now[record] for record in was} == was
    if record_type == "person":
        assert len(now) > len(was)


@pytest.mark.law
@pytest.mark.parametrize("record_type", list(RECORD_TYPES))
def test_he_takes_nobodys_standing(attacked: tuple[Reconciled, Reconciled, set[str]], record_type: str) -> None:
    before, after, posed_as = attacked
    was, now = before.standings(record_type), after.standings(record_type)
    for group in (was.keys() & posed_as, was.keys() - posed_as):
        same = sum(was[one] == now[one] for one in group)
        assert same >= UNCHANGED * len(group)
        assert group
