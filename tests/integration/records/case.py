"""One system of several tables, landed and made into records."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from insight.landing import LandedTable, land
from insight.records import every
from insight.records.account import Account, account
from insight.records.every import Records
from insight.sources.source import Source
from tests.integration.sources.folders import Rows, rows, settings, source, write_sqlite


@dataclass(frozen=True)
class Case:
    """A source with its database; `run` lands it and makes its records."""

    folder: Path
    source: Source

    def run(self) -> Run:
        landed = land(self.source, settings(self.folder / "home"))
        return Run(self, landed, every.build([self.source], landed, settings(self.folder / "home")))

    def write(self, **tables: Rows) -> None:
        write_sqlite(self.folder / "crm.db", **tables)


@dataclass(frozen=True)
class Run:
    """What became of a case."""

    case: Case
    landed: list[LandedTable]
    records: Records

    def of(self, shape: str) -> dict[str, dict[str, Any]]:
        """Records by id."""
        return {row["record_id"]: row for row in rows(self.records.shapes[shape].record)}

    def quarantine(self, shape: str | None = None) -> list[dict[str, Any]]:
        return rows(self.records.shapes[shape].quarantine if shape else self.records.rejected.quarantine)

    def notes(self, shape: str) -> list[tuple[str, str, str]]:
        return sorted((row["record_id"], row["field"], row["value"]) for row in rows(self.records.shapes[shape].note))

    def aliases(self) -> set[tuple[str, str]]:
        return {(row["from_record"], row["to_record"]) for row in rows(self.records.aliases.alias)}

    def accounts(self) -> dict[str, Account]:
        return {one.source_table: one for one in account(self.landed, self.records.shapes, self.records.rejected)}

    def versions(self) -> dict[str, str]:
        return {name: one.version for name, one in self.records.shapes.items()}


def case(folder: Path, tables: dict[str, Rows], *, spec: dict[str, Any] | None = None, **sql: str) -> Case:
    """A case whose tables have the key `id` and every other column that their rows have.

    Args:
        folder: Where the source folder is made.
        tables: Table to rows.
        spec: Fields of `source.yml` to change; `tables` in it changes the declarations of tables.
        sql: The `.sql` files; each shape in them is asserted by staff.
    """
    changes = dict(spec or {})
    declared: dict[str, Any] = {}
    for name, found in tables.items():
        columns = [column for column in dict.fromkeys(key for row in found for key in row) if column != "id"]
        declared[name] = {"key": ["id"], "columns": columns} | changes.get("tables", {}).get(name, {})
    shapes = [name for name in sql if name not in {"alias", "supporting", "reject"}]
    stated = (
        {
            "system": "crm",
            "kind": "sql",
            "url": "sqlite:///{source}/crm.db",
            "timezone": "Europe/London",
            "asserts": {shape: {"default": "staff"} for shape in shapes} | changes.pop("asserts", {}),
        }
        | changes
        | {"tables": declared}
    )
    made = source(folder, stated, **sql)
    found = Case(folder, made)
    found.write(**tables)
    return found
