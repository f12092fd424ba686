"""Removing what was landed and made, and is needed no more.

Needed is what each step handed on, what the current graph was made of, what these were made of, the folders that they
lie on, and those by which one of them goes back to another. A graph needs none of its folders to be read; the next one
needs those of the current one to tell what changed.
"""

from __future__ import annotations

import json
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import duckdb

from insight.layers import lineage, read_layer
from orchestration.settings import Settings

YOUNGEST: Final = 3600.0
"""Seconds for which a folder is kept in any case: somebody may be reading it."""
_VERSIONS: Final = (
    "landing/*/*/*", "stages/records/*/*", "stages/links/*/*", "stages/entities/*/*", "stages/statistics/*/*",
    "stages/judgements/*",
)  # fmt: skip
"""Where folders are whose name is a version."""


def expire_folders(
    settings: Settings, graph: Path | None, *, now: float | None = None, youngest: float = YOUNGEST
) -> list[Path]:
    """Remove the versions that nothing needs, and return them.

    Args:
        settings: Where landing and stages are.
        graph: The current graph's file.
        now: Seconds since the epoch.
        youngest: Seconds for which a folder is kept in any case.
    """
    roots = set(_handed(settings)) | set(_parts(settings, graph))
    made_of = {folder for root in roots for folder in _inputs(root)}
    needed = {below for folder in roots | made_of for below in lineage(folder)}
    needed |= {between for folder in needed for between in _back_to(folder, needed)}
    young = (time.time() if now is None else now) - youngest
    removed = [
        folder
        for pattern in _VERSIONS
        for folder in sorted(settings.home.glob(pattern))
        if not folder.name.startswith(".")
        and folder.is_dir()
        and folder not in needed
        and folder.stat().st_mtime < young
    ]
    for folder in removed:
        gone = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}")
        with suppress(FileNotFoundError):  # no version is ever there in part, whatever stops this
            folder.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)
    for draft in _drafts(settings, young):
        shutil.rmtree(draft, ignore_errors=True)
    return removed


def _drafts(settings: Settings, young: float) -> list[Path]:
    """What was begun to be written or to be removed, and left so."""
    begun = [
        folder
        for pattern in _VERSIONS
        for folder in settings.home.glob(f"{pattern.removesuffix('*')}.*")
        if folder.is_dir()
    ]
    return [folder for folder in begun if folder.stat().st_mtime < young]


def _handed(settings: Settings) -> Iterator[Path]:
    """The folders that steps handed on."""
    for file in settings.stages.joinpath("handed").rglob("*.json"):
        yield from _folders(json.loads(file.read_bytes()))


def _folders(value: Any) -> Iterator[Path]:  # noqa: ANN401  whatever JSON holds
    match value:
        case dict():
            yield from _folders(list(value.values()))
        case list():
            for one in value:
                yield from _folders(one)
        case str() if value.startswith("/"):
            yield _folder(Path(value))


def _parts(settings: Settings, graph: Path | None) -> Iterator[Path]:
    """The folders that a graph was made of."""
    if graph is None:
        return
    with duckdb.connect(str(graph), read_only=True) as con:
        there = con.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'snapshot_part'").fetchall()[0][0]
        for (path,) in con.execute("SELECT path FROM snapshot_part").fetchall() if there else ():
            yield _folder(settings.home / path)


def _inputs(folder: Path) -> Iterator[Path]:
    """The folders that a version says it was made of."""
    layer = read_layer(folder)
    yield from _folders(list(layer.inputs.values())) if layer is not None else ()


def _back_to(folder: Path, needed: Iterable[Path]) -> list[Path]:
    """The versions between one and the next needed one that it came of; none where it came of none."""
    goals, between = set(needed), list[Path]()
    layer = read_layer(folder)
    while layer is not None and layer.since is not None and len(between) < _LONGEST:
        folder = folder.parent / layer.since
        if folder in goals:
            return between
        between.append(folder)
        layer = read_layer(folder)
    return []


def _folder(path: Path) -> Path:
    return path.parent if path.suffix == ".parquet" else path


_LONGEST: Final = 1000
"""Versions that one is looked back for."""
