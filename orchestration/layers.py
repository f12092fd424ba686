"""Tables of Parquet that grow by what changed: a version is a folder that says what it adds to the version before it.

A folder is whole (`<table>.parquet` holds every row) or a layer (it holds the rows that are new or different since the
folder that `layer.json` names, and everything else stands there). Either way `<table>.touched.parquet` has the keys of
all rows that were added, replaced or removed since, so that whoever worked on the earlier version learns what to work
on again. No folder is ever rewritten. A key may be of many rows, which are then touched together.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import duckdb

from orchestration.sql import literal, quoted

NOTE: Final = "layer.json"
HIGHEST: Final = 16
"""Layers above a whole folder; the next version is whole again, so that reading stays quick."""


@dataclass(frozen=True, slots=True)
class Layer:
    """What a folder says of itself.

    Attributes:
        keys: Table to the columns that identify what is replaced together.
        since: The folder of the version before, with which `<table>.touched.parquet` compares; None for a first one.
        height: Layers between this folder and the whole one below it; 0 for a whole one.
        inputs: What it was made from: name to the path of a table, or to any other version.
    """

    keys: Mapping[str, tuple[str, ...]]
    since: str | None = None
    height: int = 0
    inputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether the folder holds every row."""
        return self.height == 0


def read_layer(folder: Path) -> Layer | None:
    """What a folder says of itself; None for one that is no version of anything, or is gone."""
    try:
        stated = json.loads((folder / NOTE).read_text())
    except FileNotFoundError:
        return None
    keys = {table: tuple(columns) for table, columns in stated["keys"].items()}
    return Layer(keys, stated["since"], stated["height"], stated["inputs"])


def describe(folder: Path, layer: Layer) -> None:
    """Write into a folder, still a draft, what it is."""
    (folder / NOTE).write_text(json.dumps(asdict(layer), sort_keys=True))


def rows(path: Path) -> str:
    """A query for every row of the table at `<folder>/<table>.parquet` as of that version, in no order.

    A file whose folder says nothing of itself is read as it stands.
    """
    parts: list[str] = []
    replaced: list[Path] = []
    table = path.stem
    for folder in _down(path.parent):
        layer = read_layer(folder)
        here = f"FROM read_parquet({literal(folder / path.name)})"
        if replaced and layer is not None:
            using = ", ".join(quoted(key) for key in layer.keys[table])
            here += f" ANTI JOIN ({_keys(replaced)}) AS later USING ({using})"
        parts.append(f"SELECT * {here}")
        replaced.append(folder / f"{table}.touched.parquet")
    return "(" + " UNION ALL BY NAME ".join(parts) + ")"


def touched(path: Path, since: Path) -> str | None:
    """A query for the keys by which two versions of a table may differ, whichever is the older; each key once.

    Returns:
        None where neither goes back to the other, nor both to a third: then everything may differ.
    """
    if path == since:
        folder, layer = path.parent, read_layer(path.parent)
        return None if layer is None else f"({_keys([folder / path.name], layer.keys[path.stem])} LIMIT 0)"
    mine, theirs = _back(path.parent), _back(since.parent)
    common = next((folder for folder in mine if folder in set(theirs)), None)
    if common is None:
        return None
    between = [*mine[: mine.index(common)], *theirs[: theirs.index(common)]]
    return f"({_keys([folder / f'{path.stem}.touched.parquet' for folder in between])})"


def may_layer(before: Path | None) -> bool:
    """Whether the version after `before` may be a layer on it, or must be whole again."""
    layer = None if before is None else read_layer(before)
    return layer is not None and layer.height < HIGHEST


def put(  # noqa: PLR0913, PLR0917  what a table's place in a version takes
    con: duckdb.DuckDBPyConnection,
    draft: Path,
    table: str,
    changed: str,
    gone: str | None,
    before: Path | None,
    *,
    whole: bool,
    keys: tuple[str, ...],
) -> None:
    """Write one table of a version into its draft folder.

    Args:
        con: Where `changed` and `gone` are.
        draft: The folder.
        table: The table's name.
        changed: A query for the rows of every touched key as they are now; for a first version, for every row.
        gone: A query for the touched keys, those of `changed` among them or not; None for a first version.
        before: The folder of the version before; None for a first one.
        whole: Whether to write every row, or only those of `changed`.
        keys: The columns that identify what is replaced together.
    """
    using = ", ".join(quoted(key) for key in keys)
    file = draft / f"{table}.parquet"
    if before is None or gone is None:
        con.sql(f"FROM ({changed}) ORDER BY {using}").write_parquet(str(file), compression="zstd")
        return
    moved = draft / f"{table}.touched.parquet"
    either = f"SELECT {using} FROM ({gone}) UNION SELECT {using} FROM ({changed})"
    con.sql(f"FROM ({either}) ORDER BY ALL").write_parquet(str(moved), compression="zstd")
    every = f"FROM ({changed})"
    if whole:
        kept = f"FROM {rows(before / file.name)} ANTI JOIN read_parquet({literal(moved)}) AS moved USING ({using})"
        every = f"({every}) UNION ALL BY NAME (SELECT * {kept})"
    con.sql(f"FROM ({every}) ORDER BY {using}").write_parquet(str(file), compression="zstd")


def lineage(folder: Path) -> list[Path]:
    """The folders that must stay for `folder` to be read: itself and those below it, down to a whole one."""
    return list(_down(folder))


def _down(folder: Path) -> list[Path]:
    found = [folder]
    while (layer := read_layer(found[-1])) is not None and not layer.whole and layer.since is not None:
        found.append(folder.parent / layer.since)
    return found


def _back(folder: Path) -> list[Path]:
    """A folder and every version before it that still stands."""
    found = [folder]
    while (layer := read_layer(found[-1])) is not None and layer.since is not None:
        earlier = folder.parent / layer.since
        if earlier in found:
            break
        found.append(earlier)
    return [one for one in found if read_layer(one) is not None]


def _keys(files: list[Path], keys: tuple[str, ...] | None = None) -> str:
    listed = ", ".join(literal(file) for file in files)
    columns = "*" if keys is None else ", ".join(quoted(key) for key in keys)
    return f"SELECT DISTINCT {columns} FROM read_parquet([{listed}])"
