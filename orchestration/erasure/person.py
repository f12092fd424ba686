"""Whom an erasure is about: their records, the source rows that are theirs, and the texts by which they are known.

Read of the current graph, and of every earlier one whose file is still there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from orchestration.erasure.shared import longer, shared
from orchestration.erasure.texts import finder
from orchestration.errors import NotFound
from orchestration.graph.reader import EntityGraph
from orchestration.graph.rows import source_row_id

_CONTACTS: Final = ("email", "other_email", "phone", "mobile")
_NAMES: Final = ("name", "address")
_OWN_FACTS: Final = ("ticket", "message")
"""Facts that are what somebody said, or what was said to them, and no business record of a firm's."""
_SHORTEST: Final = 5
"""Letters that a text must have to be looked for: a shorter one stands everywhere."""
_DIGITS: Final = 7
"""The last digits of a phone, which are the same however it is written."""
_WITHOUT: Final = re.compile(r"\D")


@dataclass(slots=True)
class Person:
    """Somebody who is to be erased."""

    entity_id: str
    records: set[str] = field(default_factory=set)
    rows: set[str] = field(default_factory=set)
    """Source rows that are theirs alone."""
    cells: set[tuple[str, str]] = field(default_factory=set)
    """Source row and column of values that name them in rows that are not theirs."""
    mailboxes: set[str] = field(default_factory=set)
    phones: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    """Everything that says who they are, as it is written somewhere."""

    common: set[str] = field(default_factory=set)
    """Those of them that others are called too, or that are one word, such as a department's name or an agent's."""
    shared: set[str] = field(default_factory=set)
    """Mailboxes and phones that are somebody else's too, as a department's are."""
    longer: set[str] = field(default_factory=set)
    """Mailboxes of somebody else that begin as one of theirs."""

    def ids(self) -> set[str]:
        """The entity, its records and the rows that are theirs."""
        return {self.entity_id, *self.records, *self.rows}


def person_of(graph: EntityGraph, who: str) -> Person:
    """The person of an entity or record id.

    Raises:
        NotFound: There is nobody of that id, or it is an organisation's.
    """
    found = graph.crosswalk(who)
    entity = graph.entity(found.entity_id if found else who)
    if entity is None:
        raise NotFound(f"Nobody has the id {who!r}; needed a person's, or one of their records; see `precede find`.")
    if entity.entity_type != "person":
        raise NotFound(f"{who} is an organisation; needed a person; see `precede show {entity.entity_id}`.")
    person = Person(entity.entity_id)
    person.shared = _shared(person, graph)
    add_of(person, graph)
    return person


def add_earlier(person: Person, files: Iterable[Path]) -> None:
    """Add what earlier graphs say of the same records and entity; a file that is no graph any more is passed over."""
    for file in files:
        with EntityGraph(file) as graph:
            add_of(person, graph)


def add_of(person: Person, graph: EntityGraph) -> None:
    """Add what a graph says of a person."""
    entities = {person.entity_id, *(one.entity_id for one in graph.crosswalks(person.records).values())}
    for entity_id in sorted(entities):
        entity = graph.entity(entity_id)
        if entity is None or entity.entity_type != "person":
            continue
        own = {str(one.record_id) for one in graph.records_of(entity_id)}
        person.records |= own
        _say(person, graph, own)
        for point in graph.contact_points(entity_id):
            (person.mailboxes if point.channel == "email" else person.phones).add(point.value)
            person.texts.add(point.value)
        rows = {source_row_id(one) for one in own} | set(_said_by(graph, entity_id))
        person.rows |= rows | _completing(graph, {*own, *rows})
    person.longer |= longer(graph, entities=entities, records=person.records, mailboxes=person.mailboxes)
    _stated(person, graph)
    person.common |= set(_common(person, graph))
    person.cells |= set(_mentioned(person, graph))


def _shared(person: Person, graph: EntityGraph) -> set[str]:
    """What they share by what is believed now: earlier graphs may have taken them for two."""
    now = Person(person.entity_id)
    records = {str(one.record_id) for one in graph.records_of(person.entity_id)}
    _say(now, graph, records)
    points = {point.value for point in graph.contact_points(person.entity_id)}
    return shared(
        graph,
        entities={person.entity_id},
        records=records,
        names=now.names,
        contacts=points | now.mailboxes | now.phones,
    )


def _say(person: Person, graph: EntityGraph, own: set[str]) -> None:
    """The names and contact points that records state."""
    sql = "SELECT * FROM person_record WHERE record_id IN (SELECT unnest(?))"
    for row in graph.rows(sql, [sorted(own)]):
        person.mailboxes |= {row[name] for name in _CONTACTS[:2] if row[name]}
        person.phones |= {row[name] for name in _CONTACTS[2:] if row[name]}
        person.names |= {row["name"]} if row["name"] else set()
        person.texts |= {str(row[name]) for name in (*_CONTACTS, *_NAMES) if row[name] and len(row[name]) >= _SHORTEST}


def _said_by(graph: EntityGraph, entity_id: str) -> Iterator[str]:
    """The rows of what somebody said or was told; not of an effect of ours, which is a firm's record."""
    for fact in _OWN_FACTS:
        effect = " AND effect_key IS NULL" if fact == "message" else ""
        sql = f'SELECT record_id FROM "{fact}" WHERE person_entity_id = ?{effect}'
        for row in graph.rows(sql, [entity_id]):
            yield source_row_id(row["record_id"])


def _completing(graph: EntityGraph, own: set[str]) -> set[str]:
    """The rows that complete these and no others, and are no record of anybody else."""
    sql = """
        SELECT supporting_record FROM support GROUP BY supporting_record
        HAVING bool_and(list_contains($own, record_id)) AND NOT bool_or(supporting_record IN (FROM driving))
    """
    driving = "WITH driving AS (SELECT record_id FROM crosswalk UNION ALL SELECT record_id FROM fact) "
    return {row["supporting_record"] for row in graph.rows(driving + sql, {"own": sorted(own)})}


def _stated(person: Person, graph: EntityGraph) -> None:
    """The same as sources write it: raw phones, and whatever of their rows is a name or mailbox of theirs."""
    own = person.texts - person.shared
    tails = {_WITHOUT.sub("", phone)[-_DIGITS:] for phone in person.phones - person.shared}
    says, longest = finder(own, person.longer), max(map(len, own), default=0)
    for row in graph.source_rows(sorted(person.rows)).values():
        for value in _values(row.row):
            digits = _WITHOUT.sub("", value)
            theirs = says(value) and len(value) <= longest + _SHORTEST
            if theirs or (len(digits) >= _DIGITS and digits[-_DIGITS:] in tails):
                person.texts.add(value)


def _common(person: Person, graph: EntityGraph) -> Iterator[str]:
    """The texts that others are called too or that are one word: a row that says one need not be about this person."""
    sql = """
        SELECT DISTINCT lower(unnest([name, address])) AS said FROM person_record
        WHERE record_id NOT IN (SELECT unnest(?))
    """
    others = {row["said"] for row in graph.rows(sql, [sorted(person.records)])}
    yield from person.texts & person.shared
    for text in person.texts - person.ids() - person.mailboxes - person.phones:
        reached = "@" in text or len(_WITHOUT.sub("", text)) >= _DIGITS
        if text.lower() in others or not (reached or len(text.split()) > 1):
            yield text


def _values(row: Mapping[str, str | None]) -> Iterator[str]:
    for value in row.values():
        if isinstance(value, str) and len(value.strip()) >= _SHORTEST:
            yield value.strip()


def _mentioned(person: Person, graph: EntityGraph) -> Iterator[tuple[str, str]]:
    """Values that name the person in rows of facts that hang on them, or on a firm of theirs.

    A text counts where it stands as words of its own, in whatever text; a name that is too short to be looked for so
    counts where it is the whole value. A namesake elsewhere is not touched, and no record of anybody else is.
    """
    firms = "SELECT to_entity FROM relationship WHERE from_entity = $id"
    facts = graph.rows(
        "SELECT record_id FROM fact WHERE person_entity_id = $id "
        f"OR (entity_id IN ({firms}) AND person_entity_id IS NULL)",
        {"id": person.entity_id},
    )
    rows = {source_row_id(row["record_id"]) for row in facts} - person.rows
    says = finder(person.texts - person.shared, person.longer)
    names = {name.strip().casefold() for name in person.names}
    for record_id, row in graph.source_rows(sorted(rows)).items():
        for column, value in row.row.items():
            if isinstance(value, str) and (says(value) or value.strip().casefold() in names):
                yield record_id, str(column)
