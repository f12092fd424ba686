"""A table of a system as it was last read: where it stands, its version, and what the next reading goes on from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

from insight.stage import version_of

_LONGEST: Final = 100
"""Characters of a folder's name."""

ROW: Final = "row.parquet"
REJECTED: Final = "rejected.parquet"


@dataclass(frozen=True, slots=True)
class LandedTable:
    """One table of one system as it was last read.

    Attributes:
        source: Name of the source folder's `system`, which differs from `system` where a column gives that.
        path: The rows, to be read with `layers.rows`: the folder may be a layer.
        rejected: The rejected rows, all of them.
        row_count: Rows that are not deleted, the rejected ones among them.
        deleted_count: Rows that the source marks as deleted.
        rejected_count: Rows in `rejected`.
        read_at: When the read began; it advances though nothing changed.
        cursor: The latest that the cursor of a row said, as the source writes it; None where the next reading cannot go
            on from there.
        crowd: That time when the table was read in full, where so many rows were within the overlap of it that to read
            them again would be to read everything.
        known_by: What the next reading must find the same to go on from this one.
        suppressed_count: Rows that were left out since they are of somebody who was erased; in no other count.
        suppression: The version of what was suppressed; empty where nothing was.
    """

    source: str
    system: str
    table: str
    path: Path
    rejected: Path
    data_version: str
    row_count: int
    deleted_count: int
    rejected_count: int
    read_at: datetime
    cursor: str | None = None
    crowd: str | None = None
    known_by: str = ""
    suppressed_count: int = 0
    suppression: str = ""


def row_count(landed: Iterable[LandedTable]) -> int:
    """How many rows some tables have."""
    return sum(one.row_count for one in landed)


def version_of_table(landed: Iterable[LandedTable]) -> str:
    """The data version of a table of a source: where a column names the system, of all its systems together."""
    versions = sorted((one.system, one.data_version) for one in landed)
    return versions[0][1] if len(versions) == 1 else version_of(*(part for pair in versions for part in pair))


def folder_of(landing: Path, system: str, table: str) -> Path:
    """Where the versions of a table of a system are, whatever a column calls that system."""
    name = quote(system, safe=" ").replace(".", "%2E", 1) if system.startswith(".") else quote(system, safe=" ")
    return landing / (name if len(name) <= _LONGEST else f"{name[:_LONGEST]}-{version_of(system)}") / table
