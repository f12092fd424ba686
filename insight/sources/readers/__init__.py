"""Readers: a source's declared columns as text, over connections that cannot write.

A reader is handed names, never SQL, so that there is nothing to smuggle a statement in with.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from insight.sources.location import POSTGRES, locate
from insight.sources.readers.base import Read, Reader, Unreadable
from insight.sources.readers.csv_files import CsvReader
from insight.sources.readers.json_lines import JsonLinesReader
from insight.sources.readers.parquet_files import ParquetReader
from insight.sources.readers.postgres import PostgresReader
from insight.sources.readers.sqlite import SqliteReader
from insight.sources.source import Source

__all__ = ["Read", "Reader", "Unreadable", "open_reader"]


@contextmanager
def open_reader(source: Source, home: Path) -> Iterator[Reader]:
    """A reader of the source, closed at the end of the block.

    Raises:
        SourceError: The source cannot be reached.
    """
    address = locate(source, home)
    reader: Reader
    match source.kind:
        case "csv":
            reader = CsvReader(source, Path(address))
        case "jsonl":
            reader = JsonLinesReader(source, Path(address))
        case "parquet":
            reader = ParquetReader(source, Path(address))
        case "sql" if address.startswith(tuple(f"{scheme}://" for scheme in POSTGRES)):
            reader = PostgresReader(source, address)
        case _:
            reader = SqliteReader(source, Path(address))
    try:
        yield reader
    finally:
        reader.close()
