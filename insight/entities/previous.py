"""Which entity each record belonged to in the graph before this one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import duckdb

from insight import layers
from orchestration.sql import literal


def load_previous(con: duckdb.DuckDBPyConnection, record_type: str, path: Path | None) -> None:
    """Makes `previous(record_id, entity_id)` from a published graph or a crosswalk's Parquet; empty without one."""
    con.execute("CREATE OR REPLACE TABLE previous (record_id VARCHAR, entity_id VARCHAR)")
    if path is None:
        return
    parquet = path.suffix == ".parquet"
    if not parquet:
        con.execute(f"ATTACH {literal(path)} AS before (READ_ONLY)")
    con.execute(
        "INSERT INTO previous SELECT record_id, entity_id "
        f"FROM {layers.rows(path) if parquet else 'before.crosswalk'} WHERE entity_type = ?",
        [record_type],
    )
    if not parquet:
        con.execute("DETACH before")


@dataclass(frozen=True, slots=True)
class Digest:
    """Of pairs (record, entity), whatever their order, so that adding and removing some needs not all of them.

    Attributes:
        pairs: How many there are.
        mixed: The exclusive or of a hash of each.
        total: The sum of a hash of each.
    """

    pairs: int = 0
    mixed: int = 0
    total: int = 0

    @classmethod
    def of(cls, con: duckdb.DuckDBPyConnection, table: str) -> Self:
        """The digest of a relation with the columns `record_id` and `entity_id`."""
        row = con.execute(f"""
            SELECT count(*), coalesce(bit_xor(hash(record_id, entity_id)), 0),
                   coalesce(sum(hash(entity_id, record_id)), 0)
            FROM {table}
        """).fetchall()[0]
        return cls(*(int(value) for value in row))

    def changed(self, gone: Digest, come: Digest) -> Digest:
        """The digest without some pairs that it is of, and with some that it is not."""
        return Digest(
            self.pairs - gone.pairs + come.pairs,
            self.mixed ^ gone.mixed ^ come.mixed,
            self.total - gone.total + come.total,
        )

    def __str__(self) -> str:
        """As it is written down."""
        return f"{self.pairs}:{self.mixed:x}:{self.total:x}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """What `str` gave."""
        pairs, mixed, total = text.split(":")
        return cls(int(pairs), int(mixed, 16), int(total, 16))
