"""What every reader is: a source's columns and rows as text, and nothing that could write.

`Read` is one table on its way in. Its rows come in batches; what could not be read stands in `unreadable` once the
last batch was taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from insight.sources.source import Source
from orchestration.errors import SourceError


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that a file holds but that is none: where it stands, what it says, and what is wrong with it."""

    position: str
    text: str
    problem: str


@dataclass(slots=True)
class Read:
    """The rows of one table: batches of text columns, and the rows that are none."""

    columns: tuple[str, ...]
    batches: Iterator[pa.RecordBatch]
    unreadable: list[Unreadable] = field(default_factory=list)

    def stream(self) -> pa.RecordBatchReader:
        """The rows as Arrow text columns, once."""
        schema = pa.schema([(name, pa.string()) for name in self.columns])
        return pa.RecordBatchReader.from_batches(schema, (_as_text(batch, schema) for batch in self.batches))


class Reader(Protocol):
    """A way to read declared tables."""

    def read(self, table: str) -> Read:
        """The declared columns of a table of `source.yml`.

        Raises:
            SourceError: The source does not have the table or one of the columns.
        """
        ...

    def may_write(self) -> str | None:
        """What the account could write if it were asked to, for a warning; None where it could nothing."""
        ...

    def close(self) -> None:
        """Let go of the source."""
        ...


def present(source: Source, table: str, has: Iterable[str], where: str) -> frozenset[str]:
    """Which of a table's declared columns the source has.

    Raises:
        SourceError: It lacks one that is not optional.
    """
    had = list(has)
    spec = source.tables[table]
    for column in source.read_columns(table):
        if column not in had and column not in spec.dispensable:
            raise SourceError(
                f"{source.file}: tables.{table}",
                f"the column {column!r}, which {where} does not have",
                f"one of {', '.join(sorted(had))}, or the column under optional",
            )
    return frozenset(had) & frozenset(source.read_columns(table))


def decode(value: bytes) -> str:
    """Text from bytes that are UTF-8 or, failing that, of Windows: then `insight/records` sees what is left to mend."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("cp1252", errors="replace")


def _as_text(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    by_name = {name: _text(batch.column(place)) for place, name in enumerate(batch.schema.names)}
    missing = pa.nulls(batch.num_rows, pa.string())
    return pa.RecordBatch.from_arrays([by_name.get(name, missing) for name in schema.names], schema=schema)


def _text(column: pa.Array) -> pa.Array:
    """The column as valid UTF-8 text."""
    if pa.types.is_null(column.type):
        return pa.nulls(len(column), pa.string())
    raw = pc.cast(column, pa.binary()) if pa.types.is_string(column.type) else column
    if not pa.types.is_binary(raw.type):
        return pc.cast(column, pa.string())
    try:
        return pc.cast(raw, pa.string())
    except pa.ArrowInvalid:
        return pa.array([None if value is None else decode(value) for value in raw.to_pylist()], pa.string())
