"""What the readers of files share: which files a table is, and errors as sentences."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from insight.sources.source import Source
from orchestration.errors import SourceError


def files_of(source: Source, table: str, folder: Path) -> list[Path]:
    """The files of a table, in order of name for each pattern.

    Raises:
        SourceError: There is no such folder, or no file of that name in it.
    """
    if not folder.is_dir():
        raise SourceError(
            f"{source.file}: url", f"no folder {folder}", "the folder that the files of this source are in"
        )
    found: list[Path] = []
    for pattern in source.tables[table].files:
        if not _inside(pattern):
            where = f"{source.file}: tables.{table}.files"
            raise SourceError(where, repr(pattern), "a file name or pattern inside the folder of url")
        files = sorted(path for path in folder.glob(pattern) if path.is_file())
        if not files:
            raise SourceError(f"{source.file}: tables.{table}.files", f"no file {folder / pattern}", "one to read")
        found += [file for file in files if file not in found]
    return found


@contextmanager
def opening(source: Source, file: Path) -> Iterator[None]:
    """Turn what reading a file raises into a sentence about the source.

    Raises:
        SourceError: The file cannot be read.
    """
    try:
        yield
    except (OSError, UnicodeError, LookupError, pa.ArrowException) as error:
        said = str(error).strip().splitlines()[0].rstrip(".")
        raise SourceError(f"{source.file}: url", f"{file} unreadable ({said})", f"a {source.kind} file") from error


def _inside(pattern: str) -> bool:
    path = Path(pattern)
    return not path.is_absolute() and ".." not in path.parts
