"""Reads Parquet files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from insight.sources.readers.base import Read, present
from insight.sources.readers.files import files_of, opening
from insight.sources.source import Source

_BATCH: Final = 100_000


class ParquetReader:
    """Tables of one folder of Parquet files."""

    def __init__(self, source: Source, folder: Path) -> None:
        self._source = source
        self._folder = folder

    def read(self, table: str) -> Read:
        """The declared columns of a table, as text; a value that is a list or a struct becomes JSON."""
        files = files_of(self._source, table, self._folder)
        had = {file: self._names(file) for file in files}
        names = {name for names in had.values() for name in names}
        present(self._source, table, names, ", ".join(file.name for file in files))
        columns = self._source.read_columns(table)
        return Read(columns, (batch for file in files for batch in self._batches(file, had[file], columns)))

    def may_write(self) -> str | None:
        """Nothing: files are opened for reading."""
        return None

    def close(self) -> None:
        """Nothing is held open."""

    def _names(self, file: Path) -> list[str]:
        with opening(self._source, file) as opened:
            return list(parquet.read_schema(opened).names)

    def _batches(self, file: Path, had: list[str], columns: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
        wanted = [name for name in columns if name in had]
        with opening(self._source, file) as opened, parquet.ParquetFile(opened) as table:
            for batch in table.iter_batches(_BATCH, columns=wanted):
                arrays = [_text(batch.column(name)) for name in wanted]
                yield pa.RecordBatch.from_arrays(arrays, names=wanted)


def _text(column: pa.Array) -> pa.Array:
    """A column of any type as text."""
    if pa.types.is_nested(column.type):
        values = (
            None if value is None else json.dumps(value, ensure_ascii=False, default=str)
            for value in column.to_pylist()
        )
        return pa.array(values, pa.string())
    if pa.types.is_dictionary(column.type):
        return _text(column.dictionary_decode())
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return pc.cast(column, pa.binary())
    return pc.cast(column, pa.string())
