"""The bond between the ledger and Dagster's event log, and the only part of the ledger that knows Dagster.

The event log can be edited, wiped, and written to by anyone who reaches the web server, and a storage id can be used
again after a run was deleted. So a pin names storage id, run and data version together, and an event that no run
produced is never one that an effect may rest on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import dagster as dg
from pydantic import ValidationError
from sqlalchemy import Connection, Text, cast, select

from orchestration.canonical import canonical
from orchestration.contracts import Contract, Pin
from orchestration.ledger import entries, pins
from orchestration.ledger.chain import hashes
from orchestration.ledger.merkle import root_of
from orchestration.store import tables

Instance = dg.DagsterInstance
EFFECTS: Final = "effects"
"""First part of the key of the assets `effects/<agent>`."""
_DATA_VERSION: Final = "dagster/data_version"  # the tag that Dagster writes a data version in
_PAGE: Final = 200


class Effects(Contract):
    """One materialisation of `effects/<agent>`: what it says of the ledger."""

    pin: Pin
    batch_ids: tuple[str, ...] = ()
    covered: entries.LedgerRange | None = None
    """None where its metadata names no range."""

    @property
    def name(self) -> str:
        """How a sentence calls it."""
        return f"materialisation {self.pin.storage_id} of {self.pin.asset_key}"


@contextmanager
def instance_at(home: Path) -> Iterator[Instance | None]:
    """Dagster's instance of a home; none where no run has made one yet, so that reading makes none."""
    if not (home / "dagster.yaml").is_file():
        yield None
        return
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield instance


def pin(instance: Instance, asset_key: str, data_version: str, run_id: str | None = None) -> Pin | None:
    """The newest materialisation of an asset that carries a data version, fetched again by its storage id.

    Args:
        instance: Whose event log to search.
        asset_key: As a path, such as `crm/company`.
        data_version: What the materialisation must carry.
        run_id: The run that must have produced it, where only one will do.

    Returns:
        None where no run produced such a materialisation: one reported from outside never counts.
    """
    for record in _materialisations(instance, asset_key):
        found = _pin_of(asset_key, record)
        if found.run_id and found.data_version == data_version and run_id in {None, found.run_id}:
            return found if check_pin(instance, found) is None else None
    return None


def check_pin(instance: Instance, expected: Pin) -> str | None:
    """What is wrong with a pin: its materialisation is gone, or is no longer the same; none where it holds."""
    return next(check_pins(instance, [expected]), None)


def check_pins(instance: Instance, expected: Iterable[Pin]) -> Iterator[str]:
    """What is wrong with any of many pins, fetched by the hundred."""
    return filter(None, _looked_at(instance, expected).values())


def _looked_at(instance: Instance, expected: Iterable[Pin]) -> dict[Pin, str | None]:
    """Each pin with what is wrong with it, if anything is."""
    found: dict[Pin, str | None] = {}
    by_key: dict[str, list[Pin]] = {}
    for one in expected:
        by_key.setdefault(one.asset_key, []).append(one)
    for asset_key, wanted in by_key.items():
        for start in range(0, len(wanted), _PAGE):
            page = wanted[start : start + _PAGE]
            there = _by_storage_id(instance, asset_key, {one.storage_id for one in page})
            found |= {one: _difference(one, there.get(one.storage_id)) for one in page}
    return found


def _by_storage_id(instance: Instance, asset_key: str, storage_ids: set[int]) -> dict[int, Pin]:
    wanted = dg.AssetRecordsFilter(asset_key=dg.AssetKey.from_user_string(asset_key), storage_ids=sorted(storage_ids))
    records = instance.fetch_materializations(wanted, limit=len(storage_ids)).records
    return {record.storage_id: _pin_of(asset_key, record) for record in records}


def _difference(expected: Pin, found: Pin | None) -> str | None:
    name = f"Materialisation {expected.storage_id} of {expected.asset_key}"
    if found is None:
        return f"{name} is not in Dagster's event log: it was wiped, or its run was deleted."
    if not found.run_id:
        return f"{name} was reported from outside: no run produced it."
    if found.run_id != expected.run_id:
        return f"{name} is of run {found.run_id}, and was of run {expected.run_id}: its storage id was used again."
    if found.data_version != expected.data_version:
        return f"{name} has data version {found.data_version}, and had {expected.data_version}: it was edited."
    return None


def effects_metadata(batch_ids: Sequence[str], covered: entries.LedgerRange) -> dict[str, Any]:
    """The metadata by which a materialisation of `effects/<agent>` points at the ledger."""
    return {
        "batch_ids": dg.MetadataValue.json(list(batch_ids)),
        "ledger_first": covered.first,
        "ledger_last": covered.last,
        "merkle_root": covered.root,
    }


def effects(instance: Instance) -> Iterator[Effects]:
    """Every materialisation of every `effects/<agent>`, those reported from outside too, newest first."""
    for key in instance.get_asset_keys(prefix=[EFFECTS]):
        asset_key = key.to_user_string()
        for record in _materialisations(instance, asset_key):
            yield _effects_of(asset_key, record)


def seen(connection: Connection, instance: Instance) -> dict[Pin, str | None]:
    """What `problems` will ask of those pins that can be known at once, as a rule all, while others read the rest."""
    last = select(cast(tables.evidence.c.materialisations, Text)).order_by(tables.evidence.c.kept_at.desc()).limit(1)
    kept = [text.encode("utf-8", "surrogatepass") for text in connection.execute(last).scalars() if text]
    return _looked_at(instance, _read(_pins(connection, kept))[0])


def problems(
    connection: Connection,
    instance: Instance,
    events: Iterable[Effects],
    kept: Iterable[bytes],
    before: Mapping[Pin, str | None],
) -> list[str]:
    """Where the store and its ledger do not agree with Dagster's event log, in either direction.

    Args:
        connection: On the store, begun after the events were read: what they name was committed before them.
        instance: Whose event log must still hold every pin.
        events: What `effects` returned.
        kept: The pins of what performed effects rested on, each time as the text that is kept with evidence.
        before: What `seen` returned.
    """
    named, found = _read(_pins(connection, kept))
    later = _looked_at(instance, [one for one in named if one not in before])
    found += filter(None, (later[one] if one in later else before[one] for one in named))
    batches = set(connection.execute(select(tables.batch.c.batch_id)).scalars())
    for event in events:
        found += _effects_problems(connection, event, batches)
    return found


def _effects_problems(connection: Connection, event: Effects, batches: set[str]) -> Iterator[str]:
    if not event.pin.run_id:
        yield f"{event.name[0].upper()}{event.name[1:]} was reported from outside: no run produced it."
        return
    if event.covered is None:
        yield f"{event.name[0].upper()}{event.name[1:]} names no range of the ledger."
        return
    for batch_id in event.batch_ids:
        if batch_id not in batches:
            yield f"{event.name[0].upper()}{event.name[1:]} names batch {batch_id}, which the store does not hold."
    first, last = event.covered.first, event.covered.last
    present = hashes(connection, first, last)
    if len(present) != last - first + 1:
        yield (
            f"Entries {first} to {last}, which {event.name} names, are not all there: the ledger was cut or rewritten."
        )
    elif root_of(present) != event.covered.root:
        yield f"Entries {first} to {last} are not those which {event.name} names: the ledger was rewritten."


def _pins(connection: Connection, kept: Iterable[bytes]) -> list[str]:
    """Every pin in the store, once, as JSON: of snapshots, of batches, and of what performed effects rested on."""
    batch = tables.batch
    found: dict[str, None] = {}
    for column in (tables.snapshot.c.pin, batch.c.pin, batch.c.effects_pin):
        found |= {canonical(row).decode(): None for row in connection.execute(select(column)).scalars() if row}
    for text in kept:
        try:
            found |= {canonical(item).decode(): None for item in pins.of(connection, json.loads(text))}
        except (ValueError, TypeError):  # it was edited
            found[text.decode("utf-8", "replace")] = None
    return list(found)


def _read(stated: Iterable[str]) -> tuple[list[Pin], list[str]]:
    """Pins from their JSON, and a problem for each that is none."""
    named: list[Pin] = []
    wrong: list[str] = []
    for text in stated:
        try:
            named.append(Pin.model_validate_json(text))
        except ValidationError:
            wrong.append(f"The store holds {text} as a pin, which names no materialisation.")
    return named, wrong


def _materialisations(instance: Instance, asset_key: str) -> Iterator[dg.EventLogRecord]:
    cursor: str | None = None
    while True:
        page = instance.fetch_materializations(dg.AssetKey.from_user_string(asset_key), limit=_PAGE, cursor=cursor)
        yield from page.records
        if not page.has_more:
            return
        cursor = page.cursor


def _pin_of(asset_key: str, record: dg.EventLogRecord) -> Pin:
    materialised = record.asset_materialization
    tags = (materialised.tags if materialised else None) or {}
    return Pin(
        asset_key=asset_key,
        storage_id=record.storage_id,
        run_id=record.run_id,
        data_version=tags.get(_DATA_VERSION, ""),
    )


def _effects_of(asset_key: str, record: dg.EventLogRecord) -> Effects:
    materialised = record.asset_materialization
    metadata = {name: item.value for name, item in (materialised.metadata if materialised else {}).items()}
    ids, first, last, root = (
        metadata.get(name) for name in ("batch_ids", "ledger_first", "ledger_last", "merkle_root")
    )
    pinned = _pin_of(asset_key, record)
    if not (isinstance(first, int) and isinstance(last, int) and isinstance(root, str) and isinstance(ids, list)):
        return Effects(pin=pinned)
    covered = entries.LedgerRange(first=first, last=last, root=root)
    return Effects(pin=pinned, batch_ids=tuple(str(batch_id) for batch_id in ids), covered=covered)
