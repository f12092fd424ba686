"""Folders of Parquet named by content: how every stage of insight keeps its result.

A stage's version is a digest of what went in and of the code that ran. Where its folder exists, the work is done; where
it does not, the files are written beside it and moved into place at the end, so that a folder is whole or absent.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path


def version_of(*parts: str) -> str:
    """The version of a stage whose inputs, models and code have these versions; 20 hex digits."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:20]


@cache
def code_version(*packages: Path) -> str:
    """A digest of the code, SQL and word lists under the packages, so that a change of them makes a stage run again."""
    digest = hashlib.sha256()
    for package in packages:
        for path in sorted(package.rglob("*")):
            if path.suffix in {".py", ".sql", ".txt", ".csv"}:
                digest.update(path.relative_to(package).as_posix().encode() + b"\x1f" + path.read_bytes())
    return digest.hexdigest()[:20]


@contextmanager
def writing(folder: Path) -> Iterator[Path]:
    """A new folder to write to, which becomes `folder` if the block ends without an error and vanishes if it does not.

    Where another process made `folder` meanwhile, that one stays: both hold the same content.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.parent / f".{folder.name}.{uuid.uuid4().hex[:8]}"
    draft.mkdir()
    try:
        yield draft
        try:
            os.replace(draft, folder)  # noqa: PTH105  the atomic call, named as such
        except OSError:
            if not folder.exists():
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def writing_file(path: Path, text: str) -> None:
    """Puts `text` at `path` in one step: a reader sees what was there before or all of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)  # noqa: PTH105  the atomic call, named as such
