"""Reads CSV files. A line that has too few or too many values is set aside, not fatal."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa
from pyarrow import csv as arrow_csv

from insight.sources.readers.base import Read, Unreadable, present
from insight.sources.readers.files import files_of, opening
from insight.sources.source import Source

_BLOCK: Final = 16 << 20
"""Bytes that one block of a file has: a row must fit in."""


class CsvReader:
    """Tables of one folder of CSV files with a header line each."""

    def __init__(self, source: Source, folder: Path) -> None:
        self._source = source
        self._folder = folder

    def read(self, table: str) -> Read:
        """The declared columns of a table, as text; an empty value is none."""
        files = files_of(self._source, table, self._folder)
        had = {file: self._header(file) for file in files}
        present(self._source, table, {name for header in had.values() for name in header}, _called(files))
        read = Read(self._source.read_columns(table), iter(()))
        read.batches = (batch for file in files for batch in self._batches(file, had[file], read))
        return read

    def may_write(self) -> str | None:
        """Nothing: files are opened for reading."""
        return None

    def close(self) -> None:
        """Nothing is held open."""

    def _header(self, file: Path) -> list[str]:
        with opening(self._source, file) as opened:
            lines = io.TextIOWrapper(opened, encoding=self._encoding, errors="replace", newline="")
            return next(csv.reader(lines, delimiter=self._source.delimiter), [])

    def _batches(self, file: Path, header: list[str], read: Read) -> Iterator[pa.RecordBatch]:
        wanted = [name for name in header if name in read.columns]

        def set_aside(row: arrow_csv.InvalidRow) -> str:
            position = f"{file.name}:{row.number}" if row.number is not None else f"{file.name}:{len(read.unreadable)}"
            problem = f"{row.actual_columns} values where the header has {row.expected_columns}"
            read.unreadable.append(Unreadable(position, row.text, problem))
            return "skip"

        with opening(self._source, file) as opened:
            yield from arrow_csv.open_csv(
                opened,
                read_options=arrow_csv.ReadOptions(
                    use_threads=False,
                    block_size=_BLOCK,
                    encoding="utf8" if self._encoding == "utf-8-sig" else self._encoding,
                ),
                parse_options=arrow_csv.ParseOptions(
                    delimiter=self._source.delimiter, newlines_in_values=True, invalid_row_handler=set_aside
                ),
                convert_options=arrow_csv.ConvertOptions(
                    column_types=dict.fromkeys(wanted, pa.binary() if self._plain else pa.string()),
                    include_columns=wanted,
                    strings_can_be_null=True,
                    null_values=[""],
                    quoted_strings_can_be_null=True,
                ),
            )

    @property
    def _plain(self) -> bool:
        return self._encoding == "utf-8-sig"

    @property
    def _encoding(self) -> str:
        """UTF-8 with or without its mark, or what `source.yml` says."""
        stated = self._source.encoding.lower()
        return "utf-8-sig" if stated in {"utf-8", "utf8"} else stated


def _called(files: list[Path]) -> str:
    return ", ".join(file.name for file in files)
