"""Tables of Parquet that grow by what changed: a version is a folder that says what it adds to the version before it.

A folder is whole (`<table>.parquet` holds every row) or a layer (it holds the rows that are new or different since the
folder that `layer.json` names, and everything else stands there). Either way `<table>.touched.parquet` has the keys of
all rows that were added, replaced or removed since, so that whoever worked on the earlier version learns what to work
on again. No folder is ever rewritten. A key may be of many rows, which are then touched together.

Layers do not pile up for ever: the one after the highest takes in those below it. It lies on the whole folder itself,
with all that changed since that one, and `<table>.replaced.parquet` has the keys of these rows; what was touched since
the version before it still says by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final
from uuid import uuid4

import duckdb

from orchestration.sql import literal, quoted

NOTE: Final = "layer.json"
MARK: Final = "_"
"""What stands in a version's name before the mark of its beginning."""
HIGHEST: Final = 8
"""Layers above a whole folder; the next one takes them in, so that reading stays quick."""

LARGEST: Final = 0.5
"""Of the size of a whole folder, what the layers on it may come to; beyond that the next version is whole again."""

_SMALL: Final = 1 << 20
"""Bytes that layers may come to whatever they lie on."""

FORMAT: Final = "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
"""How tables are written: the lowest level of zstd takes two thirds of the time of the usual one, and no more space."""


@dataclass(frozen=True, slots=True)
class Layer:
    """What a folder says of itself.

    Attributes:
        keys: Table to the columns that identify what is replaced together.
        since: The folder of the version before, with which `<table>.touched.parquet` compares; None for a first one.
        height: Layers between this folder and the whole one below it; 0 for a whole one.
        inputs: What it was made from: name to the path of a table, or to any other version.
        on: The folder that a layer lies on, where that is not the version before.
    """

    keys: Mapping[str, tuple[str, ...]]
    since: str | None = None
    height: int = 0
    inputs: Mapping[str, str] = field(default_factory=dict)
    on: str | None = None

    @property
    def whole(self) -> bool:
        """Whether the folder holds every row."""
        return self.height == 0


def read_layer(folder: Path) -> Layer | None:
    """What a folder says of itself; None for one that is no version of anything, or is gone."""
    try:
        stated = json.loads((folder / NOTE).read_text())
    except (FileNotFoundError, NotADirectoryError):
        return None
    keys = {table: tuple(columns) for table, columns in stated["keys"].items()}
    return Layer(keys, stated["since"], stated["height"], stated["inputs"], stated.get("on"))


def describe(folder: Path, layer: Layer) -> None:
    """Write into a folder, still a draft, what it is.

    Where `put` took in the layers below, the folder lies on the whole one, and is the first layer there.
    """
    if (
        not layer.whole
        and layer.since is not None
        and any((folder / _replaced(table)).exists() for table in layer.keys)
    ):
        layer = replace(layer, height=1, on=_down(folder.parent / layer.since)[-1].name)
    (folder / NOTE).write_text(json.dumps(asdict(layer), sort_keys=True))


def place(home: Path, version: str, before: Path | None) -> Path:
    """The folder of a version, there or yet to be made.

    What is made from the start is not what was gone on to, though both be of the same inputs: that may be wrong, and
    this is to put it right. So it has a mark in its name, and so has all that goes on from it.

    Args:
        home: Where the versions stand.
        version: The digest of the inputs, with which the name begins.
        before: The version to go on from; None for one that is made whole of all inputs, then or earlier.
    """
    if before is not None:
        mark = _mark(before)
        return home / (f"{version}{MARK}{mark}" if mark else version)
    for folder in (home / version, *sorted(home.glob(f"{version}{MARK}*"))):
        layer = read_layer(folder)
        if layer is not None and layer.since is None:
            return folder
    gone_on = any(layer.since is not None for folder in home.glob("[!.]*") if (layer := read_layer(folder)) is not None)
    return home / (f"{version}{MARK}{uuid4().hex[:8]}" if gone_on else version)


def may_follow(folder: Path, before: Path | None) -> bool:
    """Whether a version was made whole of all inputs, or goes back to the same beginning as `before`."""
    layer = read_layer(folder)
    return layer is None or layer.since is None or (before is not None and _mark(folder) == _mark(before))


def rows(path: Path) -> str:
    """A query for every row of the table at `<folder>/<table>.parquet` as of that version, in no order.

    A file whose folder says nothing of itself, or has no keys for this table, is read as it stands.
    """
    layer = read_layer(path.parent)
    layered = layer is not None and path.stem in layer.keys
    return _joined(path, _down(path.parent) if layered else [path.parent])


def rows_since(path: Path, since: Path) -> str:
    """A query for the rows, as of `path`, of every key that `touched(path, since)` has, and perhaps of others.

    Where the one version came of the other by layers, the layers alone are read.
    """
    if since.parent not in _back(path.parent):
        return rows(path)
    mine, theirs = _down(path.parent), set(_down(since.parent))
    common = next((place for place, folder in enumerate(mine) if folder in theirs), len(mine))
    return _joined(path, mine[:common]) if common else f"(FROM {rows(path)} LIMIT 0)"


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
    return f"({_keys([folder / _touched(path.stem) for folder in between])})"


def may_layer(before: Path | None) -> bool:
    """Whether the version after `before` may be a layer, or must be whole again."""
    if before is None or read_layer(before) is None:
        return False
    *above, whole = (_size(folder) for folder in _down(before))
    return sum(above) <= max(LARGEST * whole, _SMALL)


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
    every: str | None = None,
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
        every: A query for every row as it is now, where that is at hand; a whole table is then written in its order.
    """
    using = ", ".join(quoted(key) for key in keys)
    file = draft / f"{table}.parquet"
    if before is None or gone is None:
        write(con, f"FROM ({changed}) ORDER BY {using}", file)
        return
    moved = draft / _touched(table)
    write(con, f"SELECT {using} FROM ({gone}) UNION SELECT {using} FROM ({changed}) ORDER BY ALL", moved)
    if whole and every is not None:
        write(con, every, file)
        return
    below = _down(before)
    kept: str | None = None
    if whole:
        kept = rows(before / file.name)
    elif len(below) > HIGHEST:
        kept = _joined(before / file.name, below[:-1])
        taken_in = [moved, *(_hidden(folder, table) for folder in below[:-1])]
        write(con, f"FROM ({_keys(taken_in)}) ORDER BY ALL", draft / _replaced(table))
    here = f"FROM ({changed})"
    if kept is not None:
        left = f"SELECT * FROM {kept} ANTI JOIN read_parquet({literal(moved)}) AS moved USING ({using})"
        here = f"({here}) UNION ALL BY NAME ({left})"
    write(con, f"FROM ({here}) ORDER BY {using}", file)


def write(con: duckdb.DuckDBPyConnection, query: str, file: Path) -> None:
    """Write what a query returns to a file of Parquet."""
    con.execute(f"COPY ({query}) TO {literal(file)} {FORMAT}")


def lineage(folder: Path) -> list[Path]:
    """The folders that must stay for `folder` to be read: itself and those below it, down to a whole one."""
    return list(_down(folder))


def _mark(folder: Path) -> str:
    """What of a version's name says which beginning it goes back to; empty for the first one."""
    return folder.name.partition(MARK)[2]


def _down(folder: Path) -> list[Path]:
    found = [folder]
    while (layer := read_layer(found[-1])) is not None and not layer.whole and layer.since is not None:
        found.append(folder.parent / (layer.on or layer.since))
    return found


def _joined(path: Path, folders: Iterable[Path]) -> str:
    """The rows of a table in some folders, the later first, each key's from the first that touched it."""
    parts: list[str] = []
    later: list[Path] = []
    table = path.stem
    for folder in folders:
        layer = read_layer(folder)
        here = f"FROM read_parquet({literal(folder / path.name)})"
        if later and layer is not None:
            using = ", ".join(quoted(key) for key in layer.keys[table])
            here += f" ANTI JOIN ({_keys(later)}) AS later USING ({using})"
        parts.append(f"SELECT * {here}")
        later.append(_hidden(folder, table))
    return "(" + " UNION ALL BY NAME ".join(parts) + ")"


def _hidden(folder: Path, table: str) -> Path:
    """The file of the keys whose rows in the folders below count no more."""
    replaced = folder / _replaced(table)
    return replaced if replaced.exists() else folder / _touched(table)


def _touched(table: str) -> str:
    return f"{table}.touched.parquet"


def _replaced(table: str) -> str:
    return f"{table}.replaced.parquet"


def _size(folder: Path) -> int:
    """Bytes of the tables in a folder."""
    return sum(file.stat().st_size for file in folder.glob("*.parquet"))


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
