"""Payloads taken out under the name of an erasure, and people who were erased brought back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, delete, insert, select, update

from attack.acting import noticed
from attack.calling import WITHOUT, Identify, attempt, having
from attack.ground import Ground
from attack.suite import Group
from insight.landing import land
from insight.records import conform
from orchestration.canonical import canonical, digest
from orchestration.erasure.erase import Erased, erase
from orchestration.erasure.suppression import MAILBOX, PHONE_NAME, ROW, add, load, phone_name, read_key
from orchestration.errors import ConfigurationError
from orchestration.graph.model import RECORD_TYPES
from orchestration.identity.person import Role
from orchestration.ledger import entries_erasure as entries
from orchestration.ledger.chain import append
from orchestration.ledger.kinds import ERASED
from orchestration.settings import Settings
from orchestration.store import tables
from tests.integration.gate.world import World
from tests.integration.sources import test_suppressed as reading
from tests.integration.sources.folders import rows, settings

GROUP: Final = Group("erasure")
SOMEBODY: Final = "per_2"


def _world(ground: Ground) -> World:
    world, _ = ground.reminded()
    with world.store.begin() as connection:
        connection.execute(update(tables.batch).values(state="decided"))
    return world


def _erased(ground: Ground) -> tuple[World, Erased]:
    world = _world(ground)
    made = erase(world.store, world.settings, SOMEBODY, operator="ada", reason="They asked for it.", now=_now())
    return world, made


def _now() -> datetime:
    return datetime.now(UTC)


# --- the proof ---


def _forge(connection: Connection, key: Ed25519PrivateKey | None) -> None:
    """Take a payload out and append what looks like the proof of an erasure of it."""
    entry, payload = tables.ledger_entry, tables.ledger_payload
    body = json.loads(connection.execute(select(entry.c.body).where(entry.c.seq == 1)).scalar_one())
    connection.execute(delete(payload).where(payload.c.seq == 1))
    row = {"erasure_id": "erasure_x", "entity_id": "per_1", "operator": "ada", "reason": "", "counts": {}}
    connection.execute(insert(tables.erasure).values(**row, at=_now()))
    if key is not None:
        entries.erased(connection, "erasure_x", {1: body["commitment"]}, [], [], key, at=_now())
        return
    kept: dict[str, Any] = {"told": [], "suppressions": []}
    proof = {"erasure": "erasure_x", "entries": [[1, body["commitment"]]], "counts": {}, "left": digest(kept)}
    append(connection, ERASED, {**proof, "signature": "AAAA"}, at=_now(), payload=kept)


def _unsigned(connection: Connection, _: Erased) -> None:
    _forge(connection, None)


def _own_key(connection: Connection, _: Erased) -> None:
    _forge(connection, Ed25519PrivateKey.generate())


def _one_more(connection: Connection, made: Erased) -> None:
    entry = tables.ledger_entry
    body = json.loads(connection.execute(select(entry.c.body).where(entry.c.seq == made.entry)).scalar_one())
    body["entries"].append([1, "0" * 64])
    connection.execute(update(entry).where(entry.c.seq == made.entry).values(body=canonical(body).decode()))


def _gone(connection: Connection, _: Erased) -> None:
    connection.execute(delete(tables.ledger_payload).where(tables.ledger_payload.c.seq == 1))


def _back(connection: Connection, made: Erased) -> None:
    entry = tables.ledger_entry
    body = json.loads(connection.execute(select(entry.c.body).where(entry.c.seq == made.entry)).scalar_one())
    connection.execute(insert(tables.ledger_payload).values(seq=body["entries"][0][0], salt="00", payload="{}"))


def _row(**values: Any) -> Callable[[Connection, Erased], None]:
    return lambda connection, _: (connection.execute(update(tables.erasure).values(**values)), None)[1]


def _row_gone(connection: Connection, _: Erased) -> None:
    connection.execute(delete(tables.suppression))
    connection.execute(delete(tables.erasure))


def _suppressed_no_more(connection: Connection, _: Erased) -> None:
    connection.execute(delete(tables.suppression))


def _suppression_inserted(connection: Connection, _: Erased) -> None:
    one = dict(connection.execute(select(tables.suppression)).mappings().first() or {})
    connection.execute(insert(tables.suppression).values({**one, "digest": "0" * 64, "erasure_id": None}))


def _edited_meanwhile(connection: Connection, _: Erased) -> None:
    connection.execute(update(tables.outbox).values(reference="another"))


FORGERIES: Final[Mapping[str, tuple[str, Callable[[Connection, Erased], None], str]]] = {
    "entry-unsigned": ("remove a payload, and append a proof of its erasure that nobody signed", _unsigned, "no proof"),
    "entry-of-ones-own-key": (
        "remove a payload, and append a proof signed with a key of one's own",
        _own_key,
        "no proof",
    ),
    "entry-edited": ("let a true proof name one payload more", _one_more, "(erased"),
    "payload-removed-without-a-proof": ("remove a payload where others were erased", _gone, "The payload of entry 1 "),
    "payload-brought-back": ("put something in the place of what was erased", _back, "has a payload again"),
    "row-edited": ("let the store say that another operator erased them", _row(operator="ben"), "the erasure"),
    "row-deleted": ("remove the erasure and what keeps them from coming back", _row_gone, "the erasure"),
    "suppression-removed": ("remove what keeps them from coming back", _suppressed_no_more, "the suppression"),
    "suppression-inserted": ("suppress somebody whom nobody erased", _suppression_inserted, "suppression"),
    "row-edited-under-cover-of-it": ("edit a row that an erasure left", _edited_meanwhile, "the outcome of action"),
}


def _forged(forge: Callable[[Connection, Erased], None], said: str) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        world, made = _erased(ground)
        with world.store.begin() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
            forge(connection, made)
        return noticed(world, said)

    return run


for _name, (_told, _forgery, _said) in FORGERIES.items():
    GROUP.add(_name, _told, "noticed", _forged(_forgery, _said), quick=_name == "entry-of-ones-own-key")


@GROUP.attack("row-edited-before-it", expected="noticed")
def made_good(ground: Ground) -> str:
    """edit a decision, and have it made good by an erasure that touches it"""
    world = _world(ground)
    [evidence] = [row["action"] for row in world.rows("outbox") if "2@debtor" in str(row["tool_arguments"])]
    world.edit("decision", {"action": evidence}, verdict="review")
    erase(world.store, world.settings, SOMEBODY, operator="ada", reason="They asked for it.", now=_now())
    return noticed(world, "decision")


def _by(identify: Identify) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        world = _world(ground)
        said = attempt(ground, world, identify, "erase", SOMEBODY, "--reason", "They asked.", "--republished")
        return "erased" if world.rows("erasure") or not world.rows("outbox") else said

    return run


for _name, (_how, _error, _identify) in {
    **WITHOUT,
    "by-a-reviewer": ("as a reviewer", "NotEntitled", having(Role.REVIEWER)),
}.items():
    GROUP.add(_name, f"erase somebody {_how}", f"refused: {_error}", _by(_identify), quick=_name == "by-a-reviewer")


# --- coming back ---

ADA: Final = reading.CONTACTS[0]
_ONE: Final = (MAILBOX, "ada@one.example")
RETURNING: Final[Mapping[str, tuple[str, tuple[str, str], dict[str, object]]]] = {
    "under-another-row-id": ("with their mailbox", _ONE, {}),
    "under-another-row-id-and-spelling": (
        "with their mailbox in capitals, with a tag, and another name",
        _ONE,
        {"email": " ADA+news@One.Example", "name": "Somebody Else"},
    ),
    **{
        f"under-another-row-id-{name}": (f"with their mailbox {how}", _ONE, {"email": email, "name": "Somebody Else"})
        for name, how, email in (
            ("after-a-space", "after a space", " ada@one.example"),
            ("in-brackets", "in brackets, after a name", "Ada <ada@one.example>"),
            ("as-a-link", "as a link", "mailto:ada@one.example"),
            ("in-full-width", "in letters of full width", "ada@\uff4fne.example"),
            ("hidden", "with a character in it that is not seen", "a\u200bda@one.example"),
        )
    },
    "under-another-row-id-without-mailbox": (
        "with their phone and their name the other way round",
        (PHONE_NAME, phone_name("+442079460001", "Ada Byron")),
        {"email": "new@nine.example", "name": "BYRON, Ada", "phone": "+44 (20) 7946-0001"},
    ),
}


def _returning(known_by: tuple[str, str], changes: dict[str, object]) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        suppression, home = reading.of((ROW, "crm:contact:1"), known_by), settings(ground.folder / "home")
        made = reading.contact(ground.folder, [*reading.CONTACTS, {**ADA, "id": 77, **changes}])
        landed = land(made, home, suppression=suppression)
        firms = conform.build(RECORD_TYPES["organisation"], [made], landed, {}, None, home)
        person = RECORD_TYPES["person"]
        built = conform.build(person, [made], landed, {"organisation": firms}, None, home, suppression=suppression)
        back = {row["record_id"] for row in rows(built.record)} - {"crm:contact:2", "crm:contact:3"}
        return f"back: {', '.join(sorted(back))}" if back else "left out"

    return run


for _name, (_how, _known_by, _changes) in RETURNING.items():
    GROUP.add(
        f"back-{_name}", f"bring them back under another row's id {_how}", "left out", _returning(_known_by, _changes)
    )


def _key(change: Callable[[Settings], object]) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        home = Settings(home=ground.folder / "home")
        store = ground.store(home.home)
        key = read_key(home.suppression_key, make=True)
        with store.begin() as connection:
            add(connection, key, [(ROW, "crm:contact:1")], _now())
        change(home)
        try:
            return "read" if not load(store, home).holds(ROW, "crm:contact:1") else "left out"
        except ConfigurationError:
            return "refused: ConfigurationError"

    return run


KEYS: Final[Mapping[str, tuple[str, Callable[[Settings], object]]]] = {
    "key-removed": ("after the key was removed", lambda home: home.suppression_key.unlink()),
    "key-replaced": ("after the key was replaced", lambda home: home.suppression_key.write_text("ab" * 32)),
    "key-emptied": ("after the key was emptied", lambda home: home.suppression_key.write_text("")),
    "key-for-all-to-read": ("with a key that everybody may read", lambda home: home.suppression_key.chmod(0o644)),
}
for _name, (_how, _change) in KEYS.items():
    GROUP.add(f"back-{_name}", f"read the sources {_how}", "refused: ConfigurationError", _key(_change))
