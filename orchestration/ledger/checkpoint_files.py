"""The folder that checkpoints are written to: one file each, never written again.

It may be on another machine or in a write-once bucket, so nothing here assumes that a file can be removed, renamed or
linked; and what stands in it is believed only as far as its signature goes.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orchestration.errors import PrecedeError

_NAME: Final = re.compile(r"^checkpoint-(\d{8,})\.json$")
_LARGEST: Final = 65_536  # bytes; a checkpoint has less than a thousand


@dataclass(frozen=True, slots=True)
class File:
    """One file of the folder, whatever somebody put there."""

    number: int
    path: Path
    content: str | None
    """None where it cannot be read."""


def path_of(folder: Path, number: int) -> Path:
    """Where a checkpoint is kept."""
    return folder / f"checkpoint-{number:08d}.json"


def files(folder: Path) -> list[File]:
    """Every checkpoint's file, in the order of their numbers; none where there is no folder.

    Raises:
        PrecedeError: The folder is there and cannot be read.
    """
    try:
        return sorted(_files(folder), key=lambda file: file.number)
    except FileNotFoundError:
        return []
    except OSError as problem:
        raise PrecedeError(
            f"The folder {folder} cannot be read ({problem.strerror}); needed the checkpoints in it; give this user "
            "leave to read it, or point PRECEDE_CHECKPOINTS at where they are."
        ) from problem


def write(folder: Path, number: int, content: str) -> bool:
    """Write a checkpoint, so that it is on disk when this returns.

    Returns:
        False where one of that number is there already: it stays as it is.

    Raises:
        PrecedeError: The folder cannot be written to.
    """
    path = path_of(folder, number)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = _place(path, content.encode())
        _flush(folder)
    except OSError as problem:
        raise PrecedeError(
            f"{path} cannot be written ({problem.strerror}); needed a folder for checkpoints; give this user leave to "
            "make files in it, or point PRECEDE_CHECKPOINTS at another."
        ) from problem
    return written


def _files(folder: Path) -> Iterator[File]:
    with os.scandir(folder) as found:
        for item in found:
            if named := _NAME.match(item.name):
                yield File(int(named[1]), folder / item.name, _content(folder / item.name))


def _content(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
        return content.decode() if len(content) <= _LARGEST else None
    except (OSError, UnicodeDecodeError):
        return None


def _place(path: Path, content: bytes) -> bool:
    """Put a whole file in place unless one is there, by a link where the folder has those, or else directly."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    _write(temporary, content)
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError:  # a bucket's mount has no links
        try:
            _write(path, content)
        except FileExistsError:
            return False
    finally:
        with suppress(OSError):  # a folder to which files can only be added keeps it; it is nobody's
            temporary.unlink()
    return True


def _write(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(handle)


def _flush(folder: Path) -> None:
    with suppress(OSError):  # not every file system has folders that can be flushed
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
