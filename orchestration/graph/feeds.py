"""Which tables of which folders make which tables of a graph, and by which columns their rows are replaced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from orchestration.graph.inputs import CandidateInputs
from orchestration.graph.model import FACTS, SHAPES, Shape
from orchestration.layers import read_layer, rows, rows_since, touched
from orchestration.sql import quoted

Connection = duckdb.DuckDBPyConnection

KEYS: Final[dict[str, tuple[str, ...]]] = {
    "entity": ("entity_id",),
    "organisation": ("entity_id",),
    "person": ("entity_id",),
    "contact_point": ("entity_id",),
    "conflict": ("entity_id",),
    "review_pair": ("record_a", "record_b"),
    "link": ("record_a", "record_b"),
    "crosswalk": ("record_id",),
    "relationship": ("record_id",),
    "alias": ("record_id",),
    "quarantine": ("record_id",),
    "note": ("record_id",),
    "support": ("record_id",),
}
"""Table to the columns by which its rows are replaced together; records and facts have their own `record_id`."""
MENTIONS: Final[dict[str, tuple[str, ...]]] = {
    "relationship": ("from_entity", "to_entity"),
    "contact_point": ("entity_id",),
    "conflict": ("entity_id",),
    "review_pair": ("entity_a", "entity_b"),
}
"""Table that tells of entities to its columns that name one."""
TOGETHER: Final = frozenset({"quarantine", "note", "support"})
"""Tables in which rows of several folders may have the same key."""
_OF_ENTITIES: Final = ("entity", "crosswalk", "conflict", "review_pair", "contact_point")
_ALIAS: Final = """(
    SELECT DISTINCT from_record AS record_id, to_record AS merged_into, record_type AS entity_type FROM {rows}
    WHERE from_record IS NOT NULL AND to_record IS NOT NULL AND from_record <> to_record
)"""
COMPARED: Final = 300_000
"""Rows up to which two versions of a table, neither of which goes back to the other, are compared."""


@dataclass(frozen=True, slots=True)
class Feed:
    """One table of a folder whose rows go to a table of the graph.

    Attributes:
        part: What it is of the graph, such as `entities/person/golden`.
        table: The graph's table.
        path: The table of the folder.
        shape: Of records and facts: which.
    """

    part: str
    table: str
    path: Path
    shape: Shape | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns of the graph's table by which its rows are replaced."""
        return ("record_id",) if self.shape else KEYS[self.table]

    def of(self, relation: str) -> str:
        """A relation with the columns of the graph's table, made of the folder's."""
        return _ALIAS.format(rows=relation) if self.table == "alias" else relation

    @property
    def every(self) -> str:
        """A relation with all its rows."""
        return self.of(rows(self.path))


def feeds(inputs: CandidateInputs) -> Iterator[Feed]:
    """What a graph of these inputs is made of beside its source rows; what others refer to comes first."""
    for name, folder in inputs.entities.items():
        for table in _OF_ENTITIES:
            yield Feed(f"entities/{name}/{table}", table, folder / f"{table}.parquet")
        yield Feed(f"entities/{name}/golden", name, folder / "golden.parquet")
    for name, folder in inputs.links.items():
        yield Feed(f"links/{name}/link", "link", folder / "link.parquet")
    if inputs.relationships:
        yield Feed("entities/relationship", "relationship", inputs.relationships / "relationship.parquet")
    if inputs.aliases:
        yield Feed("records/alias", "alias", inputs.aliases / "alias.parquet")
    if inputs.rejected:
        yield Feed("records/rejected/quarantine", "quarantine", inputs.rejected / "quarantine.parquet")
    for name, folder in inputs.records.items():
        table = name if name in FACTS else f"{name}_record"
        yield Feed(f"records/{name}/record", table, folder / "record.parquet", SHAPES[name])
        for table in ("quarantine", "note", "support"):
            yield Feed(f"records/{name}/{table}", table, folder / f"{table}.parquet")


def parts(inputs: CandidateInputs) -> Mapping[str, Path]:
    """What a graph of these inputs is made of: the name of each part to its table."""
    landed = {f"landing/{one.system}/{one.table}": one.path for one in inputs.landed}
    return landed | {feed.part: feed.path for feed in feeds(inputs)}


def differing(connection: Connection, feed: Feed, before: Path) -> str | None:
    """A query for the keys, as the graph has them, by which a feed may differ from what it was.

    Returns:
        None where everything may differ.
    """
    keys, layer = touched(feed.path, before), read_layer(feed.path.parent)
    if keys is None or layer is None or feed.table == "alias":
        return _compared(connection, feed, before)
    stated = layer.keys[feed.path.stem]
    if stated == feed.keys:
        return keys
    using, wanted = _listed(stated), _listed(feed.keys)
    both = (rows(before), rows_since(feed.path, before))
    return f"({' UNION '.join(f'SELECT {wanted} FROM {one} SEMI JOIN {keys} USING ({using})' for one in both)})"


def _compared(connection: Connection, feed: Feed, before: Path) -> str | None:
    """The keys of rows that only one of two small tables of the same columns has."""
    old, new = (f"(SELECT COLUMNS(*)::VARCHAR FROM {feed.of(rows(path))})" for path in (before, feed.path))
    try:
        sizes = [parquet_rows(connection, one) for one in (old, new)]
    except duckdb.IOException:
        return None
    if max(sizes) > COMPARED:
        return None
    wanted = _listed(feed.keys)
    return (
        f"(SELECT {wanted} FROM (FROM {new} EXCEPT ALL FROM {old}) "
        f"UNION SELECT {wanted} FROM (FROM {old} EXCEPT ALL FROM {new}))"
    )


def parquet_rows(connection: Connection, relation: str) -> int:
    """How many rows a relation has.

    Raises:
        duckdb.IOException: A file of it is gone.
    """
    return int(connection.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0])


def _listed(columns: tuple[str, ...]) -> str:
    return ", ".join(map(quoted, columns))
