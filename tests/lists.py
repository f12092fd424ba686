"""Lists of organisations and people, made into records, links and entities by the product's own code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import yaml

from insight.entities import build as entity_stage
from insight.entities.build import EntitySet
from insight.entities.relationships import RelationshipSet, relationships
from insight.landing import LandedTable, land
from insight.linkage import link as link_stage
from insight.linkage.link import LinkSet
from insight.linkage.model import load_model
from insight.records import aliases, conform
from insight.records.record_set import AliasSet, RecordSet
from insight.sources.loading import load_source
from insight.sources.source import Source
from orchestration.graph.model import RECORD_TYPES, Shape
from orchestration.settings import Settings

Row = dict[str, Any]
Rows = Sequence[Row]


@dataclass
class Resolved:
    """What became of some lists; of a type that they say nothing of, once somebody asks."""

    settings: Settings
    records: dict[str, RecordSet]
    aliases: AliasSet
    previous: Path | None = None
    _links: dict[str, LinkSet] = field(default_factory=dict)
    _entities: dict[str, EntitySet] = field(default_factory=dict)

    def links(self, record_type: str) -> LinkSet:
        """The links of a record type."""
        if record_type not in self._links:
            employer = self.entities("organisation").table("crosswalk") if record_type == "person" else None
            model = load_model(record_type, self.settings)
            self._links[record_type] = link_stage.build(
                self.records[record_type], self.aliases, model, self.settings, employer
            )
        return self._links[record_type]

    def entities(self, record_type: str) -> EntitySet:
        """The entities of a record type."""
        if record_type not in self._entities:
            self._entities[record_type] = entity_stage.build(
                self.records[record_type], self.aliases, self.links(record_type), self.previous, self.settings
            )
        return self._entities[record_type]

    @property
    def relationship(self) -> RelationshipSet:
        """Who belongs to what."""
        firms, people = self.entities("organisation"), self.entities("person")
        return relationships(firms, people, self.records["organisation"], self.records["person"], self.settings)

    def table(self, record_type: str, name: str) -> list[Row]:
        """The rows of a table of the links or entities of a type."""
        if name in link_stage.TABLES:
            return rows(self.links(record_type).table(name))
        return rows(self.entities(record_type).table(name))

    def clusters(self, record_type: str = "organisation") -> set[frozenset[str]]:
        """The entities as sets of record ids without their table: `crm:1`."""
        found: dict[str, set[str]] = {}
        for row in self.table(record_type, "crosswalk"):
            found.setdefault(row["entity_id"], set()).add(short(row["record_id"]))
        return {frozenset(one) for one in found.values()}

    def entity(self, record: str, record_type: str = "organisation") -> Row:
        """The entity of a record, by its short id."""
        ids = {short(row["record_id"]): row["entity_id"] for row in self.table(record_type, "crosswalk")}
        return next(row for row in self.table(record_type, "entity") if row["entity_id"] == ids[record])

    def golden(self, record: str, record_type: str = "organisation") -> Row:
        """The golden record of the entity of a record, by its short id."""
        wanted = self.entity(record, record_type)["entity_id"]
        return next(row for row in self.table(record_type, "golden") if row["entity_id"] == wanted)

    def link(self, one: str, other: str, record_type: str = "organisation") -> Row | None:
        """The link between two records, by their short ids."""
        for row in self.table(record_type, "link"):
            if {short(row["record_a"]), short(row["record_b"])} == {one, other}:
                return row
        return None


def resolve(
    home: Path,
    organisations: Rows = (),
    people: Rows = (),
    *,
    merges: Sequence[tuple[str, str, str, str]] = (),
    previous: Path | None = None,
) -> Resolved:
    """Everything from rows to relationships.

    A row has `system` and `id`, any fields of its record type, and may say under `asserted_by` who asserts them all, or
    under `public` which of them only the public asserts.

    Args:
        home: Where to keep it.
        organisations: Rows of organisations.
        people: Rows of people.
        merges: Record type, system, the id that was given up, and the id that survives.
        previous: A published graph or crosswalk whose ids live on.
    """
    settings = Settings(home=home)
    folder = home / "sources" / "lists"
    folder.mkdir(parents=True, exist_ok=True)
    _write_source(folder, {"organisation": organisations, "person": people}, merges)
    source = load_source(folder)
    found = _resolved([source], land(source, settings), settings, previous)
    for name, stated in (("organisation", organisations), ("person", people)):
        if stated:
            found.entities(name)
    return found


def _resolved(
    sources: Sequence[Source], landed: Sequence[LandedTable], settings: Settings, previous: Path | None
) -> Resolved:
    """The records of lists, which state no facts."""
    records: dict[str, RecordSet] = {}
    merged: AliasSet | None = None
    for name, shape in RECORD_TYPES.items():
        records[name] = conform.build(shape, sources, landed, records, merged, settings)
        merged = merged or aliases.build(sources, landed, records[name], settings)
    assert merged is not None, "RECORD_TYPES is not empty"
    return Resolved(settings, records, merged, previous)


def rows(path: Path) -> list[Row]:
    """The rows of a Parquet file."""
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        result = con.execute("SELECT * FROM read_parquet(?)", [str(path)])
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def short(record_id: str) -> str:
    """A record id without its table."""
    system, _, key = record_id.split("#", maxsplit=1)[0].split(":", 2)
    return f"{system}:{key}"


def _write_source(folder: Path, lists: dict[str, Rows], merges: Sequence[tuple[str, str, str, str]]) -> None:
    tables: dict[str, Any] = {}
    for name, shape in RECORD_TYPES.items():
        stated = lists[name]
        fields = [field for field in shape.names if any(field in row for row in stated)]
        tables[name] = {"files": [f"{name}.jsonl"], "key": ["id"], "columns": [*fields, *(f"{f}_by" for f in fields)]}
        with (folder / f"{name}.jsonl").open("w") as file:
            for row in stated:
                public = row.get("public", ())
                by = {f"{f}_by": "public" if f in public else row.get("asserted_by", "staff") for f in fields}
                stating = {field: row.get(field) for field in fields}
                file.write(json.dumps({"system": row["system"], "id": row["id"], **stating, **by}) + "\n")
        (folder / f"{name}.sql").write_text(_sql(shape, fields))
    tables["merge"] = {
        "files": ["merge.jsonl"],
        "key": ["gone"],
        "columns": ["record_type", "into"],
    }
    with (folder / "merge.jsonl").open("w") as file:
        for record_type, system, gone, into in merges:
            file.write(json.dumps({"system": system, "record_type": record_type, "gone": gone, "into": into}) + "\n")
    (folder / "alias.sql").write_text(
        'SELECT record_type, record_type AS source_table, gone AS from_key, "into" AS to_key FROM merge'
    )
    (folder / "supporting.sql").write_text(
        "SELECT 'merge' AS source_table, _key AS source_key, record_type || ':' || \"into\" AS completes FROM merge"
    )
    asserts = {
        name: {"default": "staff"}
        | {field: {"column": f"{field}_by"} for field in tables[name]["columns"] if not field.endswith("_by")}
        for name in RECORD_TYPES
    }
    spec = {
        "system": "lists",
        "kind": "jsonl",
        "url": "{source}",
        "system_column": "system",
        "tables": tables,
        "asserts": asserts,
    }
    (folder / "source.yml").write_text(yaml.safe_dump(spec))


def _sql(shape: Shape, fields: list[str]) -> str:
    stated = "".join(f', "{field}", "{field}_by"' for field in fields)
    return f"SELECT '{shape.name}' AS source_table, _key AS source_key{stated} FROM {shape.name}"
