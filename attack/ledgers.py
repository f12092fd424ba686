"""Edited, deleted, swapped, cut off and wholly rewritten ledgers, store rows that were edited, and checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, delete, select, text, update

from attack.ground import Ground
from attack.suite import Group
from orchestration.ledger import checkpoint, checkpoint_files
from orchestration.ledger.chain import append
from orchestration.ledger.signing import make
from orchestration.ledger.verify import verify
from orchestration.settings import Settings
from orchestration.store import tables
from orchestration.store.engine import Store
from tests.integration.ledger import story
from tests.integration.ledger.forging import rehash
from tests.integration.ledger.test_checkpoints import REWRITTEN
from tests.integration.ledger.test_verify import EDITS

GROUP: Final = Group("ledger")
NOW: Final = story.NOW
ENTRY, PAYLOAD = tables.ledger_entry, tables.ledger_payload
QUICK: Final = ("rewrite_everything", "cut_off", "entry-deleted", "outbox-tool_arguments")


def _signed(ground: Ground) -> tuple[Store, Settings]:
    """A story that was signed in the middle, at its end, and once more after two further entries; it verifies."""
    settings = Settings(home=ground.folder / "home")
    store = ground.store(settings.home)
    story.snapshot(store)
    story.batch(store)
    story.decide(store, story.DONE, "allow")
    story.decide(store, story.DENIED, "deny")
    _sign(store, settings, 1)
    story.intend(store, story.DONE)
    story.settle(store, story.DONE, "done")
    _sign(store, settings, 2)
    with store.begin() as connection:
        for _ in range(2):
            append(connection, "agent_stopped", {"agent": "finance"}, at=NOW)
    _sign(store, settings, 3)
    if found := verify(store, None, settings).problems:
        raise AssertionError(f"the sound ledger is none: {found[0]}")
    return store, settings


def _sign(store: Store, settings: Settings, hours: int) -> None:
    make(store, settings, NOW.replace(microsecond=0) + timedelta(hours=hours))


def _verified(store: Store, settings: Settings) -> str:
    return "unnoticed" if verify(store, None, settings).ok else "noticed"


def _done(forge: Callable[[Connection], object]) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        store, settings = _signed(ground)
        with store.begin() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
            forge(connection)
        return _verified(store, settings)

    return run


def _swap(connection: Connection) -> None:
    for one, other in ((2, 99), (3, 2), (99, 3)):
        connection.execute(update(PAYLOAD).where(PAYLOAD.c.seq == one).values(seq=other))
        connection.execute(update(ENTRY).where(ENTRY.c.seq == one).values(seq=other))


def _insert(connection: Connection) -> None:
    append(connection, "agent_started", {"agent": "finance"}, at=NOW)
    connection.execute(update(ENTRY).where(ENTRY.c.seq == 9).values(seq=5_000))  # noqa: PLR2004


def _delete(number: int) -> Callable[[Connection], None]:
    def forge(connection: Connection) -> None:
        connection.execute(delete(PAYLOAD).where(PAYLOAD.c.seq == number))
        connection.execute(delete(ENTRY).where(ENTRY.c.seq == number))

    return forge


def _cut_and_unsigned(connection: Connection) -> None:
    _delete(8)(connection)
    connection.execute(delete(tables.checkpoint).where(tables.checkpoint.c.number == 3))  # noqa: PLR2004


def _body(connection: Connection) -> None:
    body = connection.execute(select(ENTRY.c.body).where(ENTRY.c.seq == 6)).scalar_one()  # noqa: PLR2004
    connection.execute(update(ENTRY).where(ENTRY.c.seq == 6).values(body=body.replace("done", "failed")))  # noqa: PLR2004


def _everything_gone(connection: Connection) -> None:
    for table in (PAYLOAD, ENTRY, tables.outbox, tables.permit, tables.evidence, tables.decision, tables.proposal):
        connection.execute(delete(table))
    for table in (tables.trigger_row, tables.batch, tables.pointer, tables.snapshot):
        connection.execute(delete(table))


FORGERIES: Mapping[str, tuple[str, Callable[[Connection], object]]] = {
    "entry-edited": ("edit what an entry says", _body),
    "entry-deleted": ("delete an entry in the middle", _delete(3)),
    "entry-deleted-last": ("delete the last entry", _delete(8)),
    "entry-deleted-last-and-copy": ("delete the last entry and the store's copy of its checkpoint", _cut_and_unsigned),
    "entry-swapped": ("swap two entries", _swap),
    "entry-inserted": ("put in an entry out of turn", _insert),
    "entry-told-later": (
        "edit a row and append an entry that tells it anew",
        lambda connection: connection.execute(text("UPDATE proposal SET rationale = 'forged'")),
    ),
    "payload-deleted": (
        "delete a payload by hand",
        lambda connection: connection.execute(delete(PAYLOAD).where(PAYLOAD.c.seq == 3)),  # noqa: PLR2004
    ),
    "payload-edited": (
        "edit a payload",
        lambda connection: connection.execute(update(PAYLOAD).where(PAYLOAD.c.seq == 3).values(payload="{}")),  # noqa: PLR2004
    ),
    "everything-deleted": ("delete the ledger with every row that it tells of", _everything_gone),
    "hashed-anew": (
        "hash everything anew after an entry was taken out",
        lambda connection: rehash(connection, lambda body, _: body["seq"] != 7),  # noqa: PLR2004
    ),
    **{forge.__name__: (_doc, forge) for forge, *_ in REWRITTEN for _doc in [(forge.__doc__ or "").split(".")[0]]},
}
for _name, (_told, _forge) in FORGERIES.items():
    GROUP.add(_name, _told, "noticed", _done(_forge), quick=_name in QUICK)


def _edit(table: str, column: str, value: object) -> Callable[[Connection], object]:
    def forge(connection: Connection) -> None:
        done = connection.execute(text(f'UPDATE {table} SET "{column}" = :value'), {"value": value})
        if not done.rowcount:
            raise AssertionError(f"{table} holds nothing that could be edited")

    return forge


for _table, _column, _value in EDITS:
    _name = f"{_table}-{_column}"
    if _name in {attack.name.partition("/")[2] for attack in GROUP.attacks}:
        _name = f"{_name}-{_value}"
    GROUP.add(
        _name, f"edit {_column} in {_table}", "noticed", _done(_edit(_table, _column, _value)), quick=_name in QUICK
    )

Tamper = Callable[[Store, Settings], object]


def _path(settings: Settings, number: int) -> Any:
    return checkpoint_files.path_of(settings.checkpoints, number)


def _another_key(_: Store, settings: Settings) -> None:
    for number in (1, 2, 3):
        head = checkpoint.read(_path(settings, number).read_text())
        _path(settings, number).write_text(checkpoint.sign(head, Ed25519PrivateKey.generate()))


def _resigned(_: Store, settings: Settings) -> None:
    head = checkpoint.read(_path(settings, 2).read_text())
    key = checkpoint.checkpoint_key(settings.keys)
    _path(settings, 2).write_text(checkpoint.sign(head.model_copy(update={"at": NOW}), key))


def _cut_with_folder(store: Store, settings: Settings) -> None:
    for number in (1, 2, 3):
        _path(settings, number).unlink()
    with store.begin() as connection:
        _delete(8)(connection)


TAMPERED: Mapping[str, tuple[str, Tamper]] = {
    "checkpoint-removed": ("remove the last checkpoint", lambda _, settings: _path(settings, 3).unlink()),
    "checkpoint-removed-in-the-middle": ("remove one in the middle", lambda _, settings: _path(settings, 2).unlink()),
    "checkpoint-edited": (
        "edit a checkpoint",
        lambda _, settings: _path(settings, 3).write_text(_path(settings, 3).read_text().replace(":8", ":7")),
    ),
    "checkpoint-emptied": ("empty a checkpoint", lambda _, settings: _path(settings, 2).write_text("")),
    "checkpoint-of-another-key": ("sign all checkpoints anew with a key of one's own", _another_key),
    "checkpoint-signed-anew": (
        "put another checkpoint, signed with the right key, in a place of an old one",
        _resigned,
    ),
    "checkpoint-under-another-name": (
        "move a checkpoint to another number",
        lambda _, settings: _path(settings, 3).rename(_path(settings, 4)),
    ),
    "checkpoints-removed-and-ledger-cut": ("remove the folder's files and cut the ledger", _cut_with_folder),
}


def _tampered(tamper: Tamper) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        store, settings = _signed(ground)
        tamper(store, settings)
        return _verified(store, settings)

    return run


for _name, (_told, _tamper) in TAMPERED.items():
    GROUP.add(_name, _told, "noticed", _tampered(_tamper))
