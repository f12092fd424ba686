"""What holds between entities: who works where, and which organisation is whose parent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from insight import layers
from insight.entities import scope
from insight.entities.build import EntitySet
from insight.linkage.read import open_memory
from insight.records.record_set import RecordSet
from insight.stage import code_version, version_of, writing
from orchestration.settings import Settings

_HERE = Path(__file__).parent
_TABLE: Final = "relationship"
KEYS: Final[dict[str, tuple[str, ...]]] = {_TABLE: ("record_id",)}
"""The layered table, and what identifies the rows that are replaced together."""
_NAMED: Final = {"organisation": ("parent_record", "parent_key"), "person": ("organisation_record", "organisation_key")}
"""Of each record type, the record that a record names, and the source's own key by which it does."""


@dataclass(frozen=True, slots=True)
class RelationshipSet:
    """Relationships of one state of the entities: a layered table with the columns of the graph's `relationship`."""

    version: str
    path: Path


def relationships(  # noqa: PLR0913  one argument for each thing the result is named by
    organisations: EntitySet,
    people: EntitySet,
    organisation_records: RecordSet,
    person_records: RecordSet,
    settings: Settings,
    *,
    before: RelationshipSet | None = None,
) -> RelationshipSet:
    """`works_at` from a person's employer and `parent_of` from an organisation's parent, through both crosswalks.

    Args:
        organisations: The organisations.
        people: The people.
        organisation_records: The records that the organisations were made from.
        person_records: The records that the people were made from.
        settings: Where stages are kept.
        before: What this returned the last time; where it is known what changed since, only that is worked on.
    """
    code = code_version(_HERE)
    version = version_of(organisations.version, people.version, code)
    folder = layers.place(settings.stages / "entities" / _TABLE, version, before.path.parent if before else None)
    path = folder / f"{_TABLE}.parquet"
    if path.exists():
        return RelationshipSet(folder.name, path)
    inputs = {
        "organisation": str(organisations.table("crosswalk")),
        "person": str(people.table("crosswalk")),
        "organisation_record": str(organisation_records.record),
        "person_record": str(person_records.record),
        "code": code,
    }
    with open_memory() as con:
        base = _base(con, before, inputs)
        for record_type in _NAMED:
            _load(con, record_type, Path(inputs[f"{record_type}_record"]), scoped=base is not None)
        crosswalks = {record_type: layers.rows(Path(inputs[record_type])) for record_type in _NAMED}
        found = (_HERE / "relationship.sql").read_text().format(**crosswalks)
        whole = not layers.may_layer(base)
        with writing(folder) as draft:
            gone = None if base is None else "FROM scope"
            layers.put(con, draft, _TABLE, found, gone, base, whole=whole, keys=KEYS[_TABLE])
            earlier = None if base is None else layers.read_layer(base)
            height = 0 if whole or earlier is None else earlier.height + 1
            layers.describe(draft, layers.Layer(KEYS, base.name if base else None, height, inputs))
    return RelationshipSet(folder.name, path)


def _base(con: duckdb.DuckDBPyConnection, before: RelationshipSet | None, inputs: dict[str, str]) -> Path | None:
    """The folder to go on from, if any, having made `scope(record_id)`: the records to work on again."""
    layer = None if before is None else layers.read_layer(before.path.parent)
    if before is None or layer is None or layer.inputs["code"] != inputs["code"]:
        return None
    moved = {
        name: layers.touched(Path(path), Path(layer.inputs[name])) for name, path in inputs.items() if name != "code"
    }
    if any(query is None for query in moved.values()):
        return None
    naming = "".join(
        f"""
        UNION ALL SELECT record_id FROM {layers.rows(Path(inputs[f"{record_type}_record"]))}
        WHERE {named} IN (SELECT record_id FROM {moved["organisation"]})
        """
        for record_type, (named, _) in _NAMED.items()
        if _has(con, Path(inputs[f"{record_type}_record"]), named)
    )
    con.execute(f"""
        CREATE OR REPLACE TABLE scope AS
        SELECT DISTINCT record_id
        FROM ({" UNION ALL ".join(f"SELECT record_id FROM {query}" for query in moved.values())} {naming})
    """)
    most = f"SELECT count(*) * {scope.MOST} FROM {layers.rows(before.path)}"
    small = con.execute(f"SELECT (SELECT count(*) FROM scope) <= ({most})").fetchall()[0][0]
    return before.path.parent if small else None


def _load(con: duckdb.DuckDBPyConnection, record_type: str, path: Path, *, scoped: bool) -> None:
    """Makes `<type>_record(record_id, named, firm)`: one record, the one it names, and whether accountably."""
    named, key = _NAMED[record_type]
    weak = f"NOT list_contains(weak_fields, '{key}')" if _has(con, path, "weak_fields") else "true"
    near = "SEMI JOIN scope USING (record_id)" if scoped else ""
    con.execute(f"""
        CREATE OR REPLACE TABLE {record_type}_record AS
        SELECT record_id, {named if _has(con, path, named) else "NULL::VARCHAR"} AS named, {weak} AS firm
        FROM {layers.rows(path)} {near}
    """)


def _has(con: duckdb.DuckDBPyConnection, path: Path, column: str) -> bool:
    return column in {row[0] for row in con.execute(f"DESCRIBE FROM {layers.rows(path)}").fetchall()}
