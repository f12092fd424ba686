"""What the readers of files share: which files a table is, how they are opened, and errors as sentences.

A file stands in the folder of the source, wherever links lead: who may put a link there could name any file otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from insight.sources.source import Source
from orchestration.errors import SourceError


def files_of(source: Source, table: str, folder: Path) -> list[Path]:
    """The files of a table, in order of name for each pattern, with links followed.

    Raises:
        SourceError: There is no such folder, no file of that name in it, or one that is a link out of it.
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
        for file in files:
            real = file.resolve()
            if not real.is_relative_to(folder.resolve()):
                raise SourceError(
                    f"{source.file}: tables.{table}.files", f"{file}, a link out of its folder", f"files in {folder}"
                )
            if real not in found:
                found.append(real)
    return found


@contextmanager
def opening(source: Source, file: Path) -> Iterator[BinaryIO]:
    """The bytes of a file, and what reading them raises as a sentence about the source.

    Raises:
        SourceError: The file cannot be read, or became a link since `files_of` found it.
    """
    try:
        with os.fdopen(os.open(file, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as opened:
            yield opened
    except (OSError, UnicodeError, LookupError, pa.ArrowException) as error:
        said = str(error).strip().splitlines()[0].rstrip(".")
        raise SourceError(f"{source.file}: url", f"{file} unreadable ({said})", f"a {source.kind} file") from error


def _inside(pattern: str) -> bool:
    path = Path(pattern)
    return not path.is_absolute() and ".." not in path.parts
