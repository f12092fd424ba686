"""Reads files of JSON lines. A line that is no object is set aside, not fatal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from insight.sources.readers.base import Read, Unreadable, decode, present
from insight.sources.readers.files import files_of, opening
from insight.sources.source import Source

_BATCH: Final = 10_000


class JsonLinesReader:
    """Tables of one folder of files with an object on each line."""

    def __init__(self, source: Source, folder: Path) -> None:
        self._source = source
        self._folder = folder

    def read(self, table: str) -> Read:
        """The declared columns of a table, as text; a value that is an object or a list stays JSON."""
        files = files_of(self._source, table, self._folder)
        names = self._names(files)
        if names:
            present(self._source, table, names, ", ".join(file.name for file in files))
        read = Read(self._source.read_columns(table), iter(()))
        read.batches = (batch for file in files for batch in self._batches(file, read))
        return read

    def may_write(self) -> str | None:
        """Nothing: files are opened for reading."""
        return None

    def close(self) -> None:
        """Nothing is held open."""

    def _names(self, files: list[Path]) -> set[str]:
        """Every name that any object has: an object may leave out what it has no value of."""
        names: set[str] = set()
        for file in files:
            for _, _, row in self._rows(file):
                names.update(row or ())
        return names

    def _rows(self, file: Path) -> Iterator[tuple[int, str, dict[str, Any] | None]]:
        """Number, text and object of each line; None for the object where the line is none."""
        with opening(self._source, file) as lines:
            for number, line in enumerate(lines, start=1):
                text = self._decoded(line).strip()
                if not text:
                    continue
                try:
                    row = json.loads(text, parse_float=str, parse_int=str)
                except ValueError:
                    row = None
                yield number, text, row if isinstance(row, dict) else None

    def _decoded(self, line: bytes) -> str:
        if self._source.encoding.lower() in {"utf-8", "utf8"}:
            return decode(line).removeprefix("\ufeff")
        return line.decode(self._source.encoding)

    def _batches(self, file: Path, read: Read) -> Iterator[pa.RecordBatch]:
        rows: list[dict[str, str | None]] = []
        for number, text, row in self._rows(file):
            if row is None:
                read.unreadable.append(Unreadable(f"{file.name}:{number}", text, "a line that is no JSON object"))
                continue
            rows.append({name: _text(row.get(name)) for name in read.columns})
            if len(rows) == _BATCH:
                yield _batch(rows, read.columns)
                rows = []
        yield _batch(rows, read.columns)


def _text(value: Any) -> str | None:  # noqa: ANN401  any JSON
    """A value of JSON as text; numbers keep the digits that they were written with."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _batch(rows: list[dict[str, str | None]], columns: tuple[str, ...]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(rows, schema=pa.schema([(name, pa.string()) for name in columns]))
