"""A morning's work in the three systems: rows edited, added and deleted in Northgate's own databases.

What a connector does is done as well: a changed row gets a new stamp where its table has one. Half of what changes is
about customers and people, the other half is what they do: payments, new invoices, deals, notes, tickets.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any, Final

SYNCED: Final = "2026-11-02T09:{minute:02d}:00.000000"
_STAMP: Final = "_fivetran_synced"


class Desk:
    """One system's database, open for a morning's work; counts the rows that changed, by table."""

    def __init__(self, connection: sqlite3.Connection, random: Random) -> None:
        self.changed: Counter[str] = Counter()
        self._connection = connection
        self._random = random
        self._next: dict[tuple[str, str], int] = {}
        self._stamp = SYNCED.format(minute=random.randrange(60))

    def some(self, table: str, count: int, where: str = "true") -> list[dict[str, Any]]:
        """That many rows of a table, drawn evenly; fewer where there are no more."""
        high = int(self._connection.execute(f'SELECT max(rowid) FROM "{table}"').fetchone()[0] or 0)
        found: dict[int, dict[str, Any]] = {}
        for _ in range(20 * count):
            if len(found) == count:
                break
            place = self._random.randint(1, high)
            query = f'SELECT rowid AS place, * FROM "{table}" WHERE rowid >= ? AND ({where}) ORDER BY rowid LIMIT 1'
            cursor = self._connection.execute(query, [place])
            row = cursor.fetchone()
            if row is not None:
                names = [column[0] for column in cursor.description]
                found.setdefault(row[0], dict(zip(names, row, strict=True)))
        return list(found.values())

    def edit(self, table: str, row: dict[str, Any], **values: Any) -> None:  # noqa: ANN401  what SQLite holds
        """Change a row."""
        stamped = values | ({_STAMP: self._stamp} if _STAMP in row else {})
        assigned = ", ".join(f'"{name}" = ?' for name in stamped)
        self._connection.execute(f'UPDATE "{table}" SET {assigned} WHERE rowid = ?', [*stamped.values(), row["place"]])
        self.changed[table] += 1

    def add(self, table: str, like: dict[str, Any], **values: Any) -> None:  # noqa: ANN401  what SQLite holds
        """Add a row like another one."""
        row = {name: value for name, value in like.items() if name != "place"} | values
        if _STAMP in row:
            row[_STAMP] = self._stamp
        names = ", ".join(f'"{name}"' for name in row)
        self._connection.execute(
            f'INSERT INTO "{table}" ({names}) VALUES ({", ".join("?" * len(row))})', list(row.values())
        )
        self.changed[table] += 1

    def next_id(self, table: str, column: str) -> int:
        """An id that no row has."""
        if (table, column) not in self._next:
            highest = self._connection.execute(f'SELECT max("{column}") FROM "{table}"').fetchone()[0]
            self._next[table, column] = int(highest)
        self._next[table, column] += 1
        return self._next[table, column]

    def rows(self, query: str, bound: Sequence[Any]) -> list[dict[str, Any]]:
        """The rows of a query."""
        cursor = self._connection.execute(query, list(bound))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def change(folder: Path, count: int, seed: int = 1) -> dict[str, int]:
    """Change about that many rows of the databases in a folder; the same seed changes the same.

    Returns:
        Table to how many of its rows were changed, `system.table`.
    """
    done: dict[str, int] = {}
    for system, work, share in (("crm", _crm, 0.4), ("erp", _erp, 0.35), ("support", _support, 0.25)):
        with closing(sqlite3.connect(folder / f"{system}.db", isolation_level=None)) as connection:
            connection.execute("BEGIN")
            desk = Desk(connection, Random(f"{seed} {system}"))  # noqa: S311  no secret
            work(desk, round(count * share))
            connection.execute("COMMIT")
            done |= {f"{system}.{table}": rows for table, rows in sorted(desk.changed.items())}
    return done


def _crm(desk: Desk, rows: int) -> None:
    """Companies and contacts corrected, contacts added and deleted, deals moved on, notes taken."""
    for row in desk.some("company", rows * 20 // 100, "is_deleted = 0"):
        desk.edit("company", row, property_phone=_phone(row["id"]), property_city=row["property_city"] or "Leeds")
    for row in desk.some("contact", rows * 30 // 100, "_fivetran_deleted = 0 AND property_email IS NOT NULL"):
        desk.edit("contact", row, property_jobtitle="Head of Purchasing", property_mobilephone=_phone(row["id"]))
    for row in desk.some("contact", rows * 4 // 100, "_fivetran_deleted = 0"):
        desk.edit("contact", row, _fivetran_deleted=1)
    for row in desk.some("contact", rows * 10 // 100, "_fivetran_deleted = 0 AND property_firstname IS NOT NULL"):
        key = desk.next_id("contact", "id")
        desk.add(
            "contact", row, id=key, property_firstname="Astrid", property_email=f"astrid.{key}@example.org",
            property_email_1=None, property_mobilephone=None, property_hs_merged_object_ids=None,
        )  # fmt: skip
    for row in desk.some("deal", rows * 18 // 100, "is_deleted = 0"):
        desk.edit("deal", row, deal_pipeline_stage_id="closedwon")
    for row in desk.some("engagement_note", rows * 6 // 100, "_fivetran_deleted = 0"):
        _note(desk, row)


def _note(desk: Desk, row: dict[str, Any]) -> None:
    """A note like another, with the companies it is about: three rows where there is one company."""
    key = desk.next_id("engagement", "id")
    old = row["engagement_id"]
    for like in desk.rows("SELECT * FROM engagement WHERE id = ?", [old]):
        desk.add("engagement", like, id=key)
    for like in desk.rows("SELECT * FROM engagement_company WHERE engagement_id = ?", [old]):
        desk.add("engagement_company", like, engagement_id=key)
    desk.add("engagement_note", row, engagement_id=key, property_hs_body_preview="Called back, will order again.")


def _erp(desk: Desk, rows: int) -> None:
    """Customers corrected, invoices paid, new invoices written."""
    for row in desk.some("customer", rows * 30 // 100, "_fivetran_deleted = 0"):
        desk.edit("customer", row, phone=_phone(row["id"]))
    unpaid = "type = 'CustInvc' AND status = 'A' AND _fivetran_deleted = 0"
    for row in desk.some("transaction", rows * 15 // 100, unpaid):
        desk.edit("transaction", row, status="B")
        for line in _lines(desk, row):
            if line["mainline"] == "T":
                desk.edit("transaction_line", line, foreignamountunpaid="0.00", foreignamountpaid=line["foreignamount"])
    for row in desk.some("transaction", rows * 13 // 100, "type = 'CustInvc' AND _fivetran_deleted = 0"):
        key = desk.next_id("transaction", "id")
        desk.add("transaction", row, id=key, tranid=f"INV-{key}", transactionnumber=f"INV{key}")
        for line in _lines(desk, row):
            desk.add("transaction_line", line, transaction=key, uniquekey=desk.next_id("transaction_line", "uniquekey"))


def _lines(desk: Desk, row: dict[str, Any]) -> list[dict[str, Any]]:
    return desk.rows('SELECT rowid AS place, * FROM transaction_line WHERE "transaction" = ?', [row["id"]])


def _support(desk: Desk, rows: int) -> None:
    """Users who change their name or number, new users, tickets opened, answered and solved."""
    for row in desk.some("user", rows * 20 // 100, "role = 'end-user'"):
        desk.edit("user", row, phone=_phone(row["id"]))
    for row in desk.some("user", rows * 8 // 100, "role = 'end-user'"):
        key = desk.next_id("user", "id")
        desk.add("user", row, id=key, name="Ingrid Vane", email=f"ingrid.{key}@example.org")
    for row in desk.some("organization", rows * 4 // 100):
        desk.edit("organization", row, name=f"{row['name']} Group")
    for row in desk.some("ticket", rows * 36 // 100):
        desk.edit("ticket", row, status="solved")
    for row in desk.some("ticket", rows * 16 // 100):
        key = desk.next_id("ticket", "id")
        desk.add("ticket", row, id=key, subject="Parcel has not arrived", status="new")
        for like in desk.rows("SELECT * FROM ticket_comment WHERE ticket_id = ? LIMIT 1", [row["id"]]):
            desk.add("ticket_comment", like, id=desk.next_id("ticket_comment", "id"), ticket_id=key)


def _phone(key: int) -> str:
    """A British number of its own; no row had it before."""
    return f"01632 96{key % 10_000:04d}"
