"""Debtors with an overdue invoice each: a published graph, a store that points to it, an ERP, and a batch of proposals.

Debtor n is `org_n`; its invoice is `erp:transaction:n`, its person `per_n`, the mailbox `n@debtor.example`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa
from sqlalchemy import delete, insert, select, update

from orchestration.canonical import digest
from orchestration.gate.gate import Gate
from orchestration.gate.rules import Rules
from orchestration.graph.ddl import STORAGE_VERSION, create_schema
from orchestration.graph.digests import file_digest
from orchestration.identity import credentials
from orchestration.ledger import committed, entries, entries_identity
from orchestration.ledger.entries_calls import begun
from orchestration.settings import Settings
from orchestration.store import tables
from orchestration.store.engine import Store
from orchestration.work.outbox import deliver
from tests.integration.gate.callers import LocalErp
from tests.unit.gate.case import rules

TODAY = date(2026, 11, 2)
LINES = ("erp", "transaction_line")
TABLES = (
    ("crm", "company"),
    ("crm", "contact"),
    ("erp", "customer"),
    ("erp", "transaction"),
    LINES,
    ("support", "user"),
)
Row = dict[str, Any]


@dataclass
class Debtor:
    """One debtor as the graph is to say it; a change applies from the next publication on."""

    number: int
    amount_open: Decimal = Decimal("120.00")
    due_on: date = date(2026, 10, 1)
    disputed: bool = False
    opted_out: bool = False
    standing_reasons: tuple[str, ...] = ()
    resolution: Mapping[str, str] = field(
        default_factory=lambda: {"crm": "linked", "erp": "linked", "support": "absent"}
    )
    probability: float = 0.99
    entity_id: str = ""
    countries: Mapping[str, str] = field(default_factory=dict)
    """Table of a record of the organisation or the person to the country that it states."""
    weak: tuple[str, ...] = ()
    """Those of these tables in which only the public states it."""
    mailbox: str = ""
    """What the graph says, where it is another than the one that is proposed."""
    lost: tuple[str, ...] = ()
    """Records that belong to another entity by now."""
    called: str = ""
    """What the CRM calls the person."""

    def __post_init__(self) -> None:
        self.entity_id = self.entity_id or f"org_{self.number}"

    @property
    def arguments(self) -> dict[str, str | int | bool]:
        number = self.number
        return {
            "organisation": self.entity_id,
            "invoice": f"erp:transaction:{number}",
            "person": f"per_{number}",
            "mailbox": f"{number}@debtor.example",
            "stage": 1,
        }


SOURCE_ROWS = """
CREATE TABLE source_record (
    record_id VARCHAR, system VARCHAR, source_table VARCHAR, source_key VARCHAR, row_hash VARCHAR, "row" JSON,
    first_seen TIMESTAMPTZ, last_seen TIMESTAMPTZ
);
CREATE VIEW source_id AS SELECT record_id FROM source_record;
CREATE MACRO source_rows(ids) AS TABLE FROM source_record WHERE record_id IN (SELECT unnest(ids));
"""
"""Source rows as one table: a graph of insight's has a view of that name over one table for each source table."""


REMINDERS = ("erp", "customrecord_dunning")
SHOWN_REMINDERS = """
CREATE TABLE source."erp:customrecord_dunning" (
    _record VARCHAR NOT NULL, custrecord_effect_key VARCHAR, custrecord_created_by VARCHAR
);
"""
"""The ERP's reminders in its own columns, as insight lands them."""


class World:
    """The coordinator's home with everything in it, in a folder of its own."""

    def __init__(self, home: Path, store: Store, debtors: int = 3, *, published: int = 0) -> None:
        self.settings = Settings(home=home)
        self.store = store
        self.debtors = [Debtor(number) for number in range(1, debtors + 1)]
        self.published = published
        self.now = datetime.now(UTC)
        self.read_ago = timedelta(hours=1)
        """How long before now the sources were read."""
        self.shows: list[Row] | None = None
        """Rows of the ERP's reminders as the graph is to show them; none: the graph has no such table."""
        self.events: list[Row] = []
        """Events of entities."""
        self.split: dict[str, str] = {}
        """Record to the entity that it is of, where that is another than its debtor's."""
        self.rules: Rules = rules()

    def publish(self) -> str:
        """Publish the debtors as they are, as the next snapshot."""
        self.published += 1
        snapshot_id = f"snap_{self.published}"
        path = self.settings.snapshots / f"{snapshot_id}.duckdb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_empty_graph())
        with duckdb.connect(str(path)) as connection:
            if self.shows is not None:
                connection.execute(SHOWN_REMINDERS)
                _insert(connection, "erp:customrecord_dunning", self.shows, schema="source")
            for table, rows in self._graph(snapshot_id).items():
                _insert(connection, table, rows)
        with self.store.begin() as connection:
            read_at = self.now - self.read_ago
            pin = {
                "asset_key": "entity_graph",
                "storage_id": self.published,
                "run_id": "run",
                "data_version": snapshot_id,
            }
            values = {"snapshot_id": snapshot_id, "path": f"graph/{snapshot_id}.duckdb", "run_id": "run", "pin": pin}
            values["file_digest"] = file_digest(path)
            checks = {"accounted": "passed"}
            connection.execute(
                insert(tables.snapshot).values(**values, checks=checks, built_at=read_at, published_at=self.now)
            )
            connection.execute(delete(tables.pointer))
            connection.execute(insert(tables.pointer).values(id=1, snapshot_id=snapshot_id, moved_at=self.now))
            connection.execute(delete(tables.watermark))
            mark = {"read_at": read_at, "row_count": 1, "data_version": "v"}
            connection.execute(
                insert(tables.watermark),
                [
                    {"system": one, "source_table": two, **mark}
                    for one, two in (*TABLES, *([REMINDERS] if self.shows is not None else []))
                ],
            )
            entries.snapshot_published(connection, snapshot_id, at=self.now)
        return snapshot_id

    def wake(self, agent: str = "finance", business_date: date = TODAY) -> str:
        """A batch for an agent on the current snapshot, with a row for each debtor."""
        with self.store.begin() as connection:
            snapshot_id = connection.execute(select(tables.pointer.c.snapshot_id)).scalar_one()
            batch_id = f"batch-{digest([agent, snapshot_id, business_date])[:8]}"
            pin = {
                "asset_key": "entity_graph",
                "storage_id": self.published,
                "run_id": "run",
                "data_version": snapshot_id,
            }
            connection.execute(
                insert(tables.batch).values(
                    batch_id=batch_id,
                    agent=agent,
                    snapshot_id=snapshot_id,
                    business_date=business_date,
                    created_at=self.now,
                    state="waiting",
                    pin=pin,
                    row_count=len(self.debtors),
                )
            )
            for debtor in self.debtors:
                row: Row = {"row_id": f"{batch_id}-{debtor.number:04d}", "batch_id": batch_id}
                values = {"invoice": debtor.arguments["invoice"], "stage": 1}
                row |= {"entity_id": debtor.entity_id, "values": values, "digest": digest(values)}
                connection.execute(insert(tables.trigger_row).values(**row))
            entries.batch_opened(connection, batch_id, at=self.now)
        self.give_credential(batch_id, agent)
        return batch_id

    def give_credential(self, batch_id: str, agent: str = "finance") -> None:
        """Mint what an agent may answer a batch with."""
        with self.store.begin() as connection:
            credential: Row = {"credential_id": f"cred_{batch_id}", "agent": agent, "batch_id": batch_id}
            lasts = {"issued_at": self.now, "expires_at": self.now + timedelta(hours=1)}
            scopes = ["propose:send_payment_reminder"]
            connection.execute(insert(tables.agent_credential).values(**credential, **lasts, scopes=scopes))
            entries_identity.credential_minted(connection, credential["credential_id"], [], at=self.now)

    def propose(self, batch_id: str, debtor: Debtor, *, row_id: str = "", **arguments: Any) -> str:
        """A proposal for a debtor, some arguments of it otherwise, taken in; its action's id."""
        said = {**debtor.arguments, **arguments}
        row_id = row_id or f"{batch_id}-{debtor.number:04d}"
        action = f"act_{digest([batch_id, debtor.number, said])[:12]}"
        with self.store.begin() as connection:
            agent = connection.execute(select(tables.batch.c.agent).where(tables.batch.c.batch_id == batch_id))
            row = {
                "action": action,
                "batch_id": batch_id,
                "row_id": row_id,
                "agent": agent.scalar_one(),
                "action_type": "send_payment_reminder",
                "entity_id": debtor.entity_id,
                "arguments": said,
                "rationale": "It is overdue.",
                "proposed_at": self.now,
                "digest": digest(said),
            }
            connection.execute(insert(tables.proposal).values(row))
            shown = tables.trigger_row.c.row_id == row_id
            connection.execute(update(tables.trigger_row).where(shown).values(answer="proposed"))
            taken = update(tables.batch).where(tables.batch.c.batch_id == batch_id)
            connection.execute(taken.values(state="answered"))
            payload = {"proposals": {action: committed.of_proposal(row)}}
            body: Row = {"batch": batch_id, "agent": row["agent"]}
            held = tables.agent_credential.c
            unused = select(held.credential_id).where(held.batch_id == batch_id, held.ended_at.is_(None))
            if credential_id := connection.execute(unused).scalar_one_or_none():
                credentials.answered(connection, credential_id, self.now)
                body["credential"] = credential_id
            entries.answered(connection, body, payload, at=self.now)
        return action

    def propose_all(self, agent: str = "finance") -> tuple[str, list[str]]:
        """A batch with a proposal for each debtor."""
        batch_id = self.wake(agent)
        return batch_id, [self.propose(batch_id, debtor) for debtor in self.debtors]

    def gate(self) -> Gate:
        return Gate(self.store, self.settings, self.rules, holds=lambda _pin: True)

    def remind(self) -> list[str]:
        """Send each debtor a reminder, all the way to the ERP; the actions."""
        self.make_erp()
        batch_id, actions = self.propose_all()
        with self.gate() as gate:
            gate.decide(batch_id, self.now)
            gate.perform_batch(batch_id, self.now)
        deliver(self.store, LocalErp(self.settings.home), lambda: datetime.now(UTC), longest_wait=0.0)
        return actions

    def make_erp(self) -> Path:
        """The ERP's database, with the debtors' invoices."""
        path = self.settings.home / "northgate" / "erp.db"
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.executescript(ERP)
            for debtor in self.debtors:
                connection.execute("INSERT INTO \"transaction\" VALUES (?, 'CustInvc', ?, 0)", (debtor.number,) * 2)
                line = (debtor.number, str(debtor.amount_open))
                connection.execute("INSERT INTO transaction_line VALUES (?, 'T', ?)", line)
        return path

    def reminders(self) -> list[tuple[Any, ...]]:
        """What stands in the ERP: effect key, recipient, who wrote it."""
        query = """
            SELECT custrecord_effect_key, custrecord_recipient, custrecord_created_by FROM customrecord_dunning
            ORDER BY custrecord_invoice, custrecord_stage
        """
        with closing(sqlite3.connect(self.settings.home / "northgate" / "erp.db")) as connection:
            return connection.execute(query).fetchall()

    def rows(self, table: str, **where: Any) -> list[Row]:
        """Rows of a table of the store."""
        found = tables.metadata.tables[table]
        with self.store.read() as connection:
            query = select(found).where(*(found.c[name] == value for name, value in where.items()))
            return [dict(row) for row in connection.execute(query.order_by(*found.primary_key)).mappings()]

    def edit(self, table: str, key: Mapping[str, Any], **values: Any) -> None:
        """Edit a row of the store behind everybody's back."""
        found = tables.metadata.tables[table]
        with self.store.begin() as connection:
            where = [found.c[name] == value for name, value in key.items()]
            connection.execute(update(found).where(*where).values(**values))

    def begin(self, action: str) -> None:
        """Leave an effect as a run leaves it that is killed in the middle of its call."""
        self.edit("outbox", {"action": action}, state="sending", attempts=1)
        with self.store.begin() as connection:
            begun(connection, self.rows("outbox", action=action)[0], at=self.now)

    def said(self, action: str) -> list[str]:
        """The codes of an action's last decision, its verdict first."""
        last = self.rows("decision", action=action)[-1]
        return [last["verdict"], *(reason["code"] for reason in last["reasons"])]

    def kinds(self, action: str) -> list[str]:
        """The kinds of the ledger entries about an action."""
        return [entry["kind"] for entry in self.rows("ledger_entry", action=action)]

    def _graph(self, snapshot_id: str) -> dict[str, list[Row]]:
        read_at = self.now - self.read_ago
        filled: dict[str, list[Row]] = {
            "snapshot": [
                {
                    "snapshot_id": snapshot_id,
                    "built_at": read_at,
                    "run_id": "run",
                    "code_version": "code",
                    "model_versions": "{}",
                    "inputs_digest": snapshot_id,
                    "checks": json.dumps({"accounted": "passed"}),
                }
            ],
            "snapshot_source": [
                {"system": one, "source_table": two, "row_count": 1, "data_version": "v", "read_at": read_at}
                for one, two in TABLES
            ],
            "snapshot_input": [
                {"asset_key": f"{one}/{two}", "storage_id": number, "run_id": "run", "data_version": "v"}
                for number, (one, two) in enumerate(TABLES)
            ],
        }
        for debtor in self.debtors:
            for table, rows in _of(debtor, read_at).items():
                filled.setdefault(table, []).extend(rows)
        for row in filled["crosswalk"]:
            row["entity_id"] = self.split.get(row["record_id"], row["entity_id"])
        filled["crosswalk"] = [row for row in filled["crosswalk"] if row["entity_id"]]
        return filled | ({"entity_event": self.events} if self.events else {})


def _of(debtor: Debtor, read_at: datetime) -> dict[str, list[Row]]:
    number, company, person = debtor.number, debtor.entity_id, f"per_{debtor.number}"
    both = (f"crm:company:{number}", f"erp:customer:{number}")
    members = {company: tuple(one for one in both if one not in debtor.lost), person: (f"crm:contact:{number}",)}
    kinds = {company: "organisation", person: "person"}
    states = {company: debtor.resolution, person: {"crm": "linked", "erp": "absent", "support": "absent"}}
    invoice, line = f"erp:transaction:{number}", f"erp:transaction_line:{number}"
    return {
        "entity": [
            {
                "entity_id": entity,
                "entity_type": kinds[entity],
                "version": "v",
                "name": entity,
                "standing": "not_reconciled" if entity == company and debtor.standing_reasons else "reconciled",
                "standing_reasons": list(debtor.standing_reasons) if entity == company else [],
                "systems": sorted(system for system, state in states[entity].items() if state == "linked"),
                "resolution": json.dumps(dict(states[entity])),
                "record_count": len(records),
                "opted_out": debtor.opted_out,
            }
            for entity, records in members.items()
        ],
        "organisation": [{"entity_id": company, "name": f"Debtor {number}", "name_record": f"crm:company:{number}"}],
        "person": [{"entity_id": person, "name": f"Ada {number}", "name_record": f"crm:contact:{number}"}],
        "crosswalk": [
            {
                "record_id": record,
                "entity_id": entity,
                "entity_type": kinds[entity],
                "probability": debtor.probability,
                "reason": "model",
            }
            for entity, records in members.items()
            for record in records
        ],
        "source_record": [
            {
                "record_id": record,
                **dict(zip(("system", "source_table", "source_key"), record.split(":"), strict=True)),
                "row_hash": f"hash of {record}",
                "row": json.dumps(
                    {
                        "id": str(number),
                        "unpaid": str(debtor.amount_open) if record == line else None,
                        **({"name": debtor.called} if debtor.called and record in members[person] else {}),
                    }
                ),
                "first_seen": read_at,
                "last_seen": read_at,
            }
            for record in (*members[company], *members[person], invoice, line)
        ],
        **{
            f"{kinds[entity]}_record": [_stated(record, debtor) for record in records]
            for entity, records in members.items()
        },
        "support": [{"record_id": invoice, "supporting_record": line}],
        "relationship": [
            {"from_entity": person, "to_entity": company, "kind": "works_at", "record_id": f"crm:contact:{number}"}
        ],
        "contact_point": [
            {
                "entity_id": person,
                "channel": "email",
                "value": debtor.mailbox or f"{number}@debtor.example",
                "record_id": f"crm:contact:{number}",
                "asserted_by": "staff",
            }
        ],
        "invoice": [
            {
                "record_id": invoice,
                "entity_id": company,
                "system": "erp",
                "source_table": "transaction",
                "source_key": str(number),
                "row_hash": "h",
                "weak_fields": [],
                "verified_fields": [],
                "organisation_key": f"customer:{number}",
                "organisation_record": f"erp:customer:{number}",
                "number": f"INV-{number}",
                "direction": "receivable",
                "amount": debtor.amount_open,
                "amount_open": debtor.amount_open,
                "currency": "GBP",
                "due_on": debtor.due_on,
                "disputed": debtor.disputed,
            }
        ],
    }


def _stated(record: str, debtor: Debtor) -> Row:
    """A record, and the country that it states."""
    system, table, key = record.split(":")
    weak = ["country"] if table in debtor.weak else []
    columns = {"record_id": record, "system": system, "source_table": table, "source_key": key, "row_hash": "h"}
    return columns | {
        "weak_fields": weak,
        "verified_fields": [],
        "name": debtor.called if debtor.called and table == "contact" else record,
        "country": debtor.countries.get(table),
    }


@cache
def _empty_graph() -> bytes:
    """A graph's file in which nothing is, which takes longer to make than to fill."""
    with TemporaryDirectory() as folder, duckdb.connect() as connection:
        file = Path(folder) / "graph.duckdb"
        connection.execute(f"ATTACH '{file}' AS graph (STORAGE_VERSION '{STORAGE_VERSION}')")
        connection.execute("USE graph")
        create_schema(connection)
        connection.execute(SOURCE_ROWS)
        connection.execute("USE memory")
        connection.execute("DETACH graph")
        return file.read_bytes()


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Row], schema: str = "main") -> None:
    if not (made := list(rows)):
        return
    filled = pa.Table.from_pylist(made)
    connection.register("filled", filled)
    connection.execute(f'INSERT INTO {schema}."{table}" BY NAME SELECT * FROM filled')
    connection.unregister("filled")


ERP = """
    CREATE TABLE "transaction" (id BIGINT, type TEXT, entity BIGINT, _fivetran_deleted INTEGER);
    CREATE TABLE transaction_line ("transaction" BIGINT, mainline TEXT, foreignamountunpaid TEXT);
    CREATE TABLE customrecord_dunning (
        id INTEGER PRIMARY KEY, custrecord_invoice BIGINT NOT NULL, custrecord_customer BIGINT,
        custrecord_stage BIGINT NOT NULL, custrecord_recipient TEXT, custrecord_subject TEXT,
        custrecord_sent_at TEXT NOT NULL, custrecord_effect_key TEXT UNIQUE, custrecord_created_by TEXT,
        _fivetran_synced TEXT
    );
"""
