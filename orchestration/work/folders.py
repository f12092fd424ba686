"""Reading and writing in a folder that somebody less trusted shares: no link is followed, no file is half there.

Whoever else may write to the folder could put a link where a file should be, a pipe that never ends, or a file of any
size. Everything here goes through directory handles opened without following links, so that a name can mean nothing
outside the folder.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from orchestration.errors import PrecedeError

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NOT_A_FOLDER: Final = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}


class UnsafeFileError(PrecedeError):
    """A file that is no regular file, or larger than allowed."""


@contextmanager
def opened(root: Path, *names: str, create: bool = False) -> Iterator[int | None]:
    """A handle of the folder `root/name/name…`, or nothing where it is missing or a link.

    Args:
        root: The shared folder; the only part of the path that may be a link.
        names: Names of folders inside it, checked by the caller.
        create: Whether to make what is missing.

    Raises:
        OSError: A folder could not be made or opened for another reason.
    """
    if create:
        root.mkdir(parents=True, exist_ok=True)
    handles: list[int] = []
    try:
        try:
            handles.append(os.open(root, _FOLDER & ~os.O_NOFOLLOW))
            for name in names:
                if create:
                    with suppress(FileExistsError):
                        os.mkdir(name, 0o770, dir_fd=handles[-1])
                handles.append(os.open(name, _FOLDER, dir_fd=handles[-1]))
        except OSError as error:
            if create or error.errno not in _NOT_A_FOLDER:
                raise
            handle = None
        else:
            handle = handles[-1]
        yield handle
    finally:
        for opened_folder in reversed(handles):
            os.close(opened_folder)


def listed(folder: int) -> list[str]:
    """The names of the folders inside a folder, sorted; links and files are left out."""
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))


def present(folder: int, name: str) -> bool:
    """Whether a folder has anything of that name, be it a link."""
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def read(folder: int, name: str, limit: int) -> bytes | None:
    """The content of a regular file, or nothing where there is none.

    Raises:
        UnsafeFileError: It is a link, a pipe or anything else that is no regular file, or longer than `limit` bytes.
    """
    try:
        handle = os.open(name, _FILE, dir_fd=folder)
    except OSError as error:
        if error.errno == errno.ENOENT:
            return None
        raise UnsafeFileError(f"{name} could not be opened as a regular file ({error.strerror})") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):  # a folder could not even be made a Python file of
        os.close(handle)
        raise UnsafeFileError(f"{name} is no regular file")
    with os.fdopen(handle, "rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise UnsafeFileError(f"{name} is longer than {limit:,} bytes")
    return content


def write(folder: int, name: str, content: bytes, *, private: bool = False) -> None:
    """Put a whole file in place at once; a reader sees the old one or the new one.

    Args:
        folder: The folder's handle.
        name: The file's name in it.
        content: All of it.
        private: Whether its owner alone may read it, and its group where the folder hands its group on (setgid).
    """
    temporary = f".{name}.{secrets.token_hex(8)}"
    handle = os.open(temporary, _NEW, _mode(folder) if private else 0o660, dir_fd=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(handle)
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)
        raise


def _mode(folder: int) -> int:
    return 0o640 if os.fstat(folder).st_mode & stat.S_ISGID else 0o600


def removed(folder: int, name: str) -> None:
    """Remove what stands under a name, a folder with all it holds; a link goes, never what it points to."""
    with suppress(FileNotFoundError):
        if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            shutil.rmtree(name, dir_fd=folder)
        else:
            os.unlink(name, dir_fd=folder)
