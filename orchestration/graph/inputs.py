"""What a graph is built from, and the digest by which the same inputs are not built twice."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Final, Protocol

from orchestration.canonical import digest
from orchestration.contracts import SnapshotId
from orchestration.graph.rows import SnapshotInput

HERE = Path(__file__).parent
ACCOUNTED: Final = attrgetter("records", "facts", "supporting", "quarantined", "unaccounted", "suppressed")
"""What became of a table's rows, in the order of the columns of `snapshot_source`."""


class Landed(Protocol):
    """One source table as it was read: its Parquet has the declared columns, `_key` and `_row_hash`."""

    @property
    def system(self) -> str:
        """Which source system."""

    @property
    def table(self) -> str:
        """Which of its tables."""

    @property
    def path(self) -> Path:
        """The Parquet file."""

    @property
    def data_version(self) -> str:
        """Digest of its rows without their volatile columns."""

    @property
    def row_count(self) -> int:
        """Rows in the file."""

    @property
    def read_at(self) -> datetime:
        """When it was read."""


class Accounted(Protocol):
    """What became of the rows of a source table: how many are, or drive, each of these."""

    @property
    def system(self) -> str:
        """Which source system."""

    @property
    def source_table(self) -> str:
        """Which of its tables."""

    @property
    def records(self) -> int:
        """Records of organisations and people."""

    @property
    def facts(self) -> int:
        """Facts."""

    @property
    def supporting(self) -> int:
        """Rows that complete another row."""

    @property
    def quarantined(self) -> int:
        """Rows, or parts of one, in quarantine."""

    @property
    def unaccounted(self) -> int:
        """Rows that are none of these."""

    @property
    def suppressed(self) -> int:
        """Rows beside these that were left out."""


@dataclass(frozen=True, slots=True)
class CandidateInputs:
    """The folders of Parquet that a graph is made of, each named by its version.

    Attributes:
        landed: Every source table, as it was landed.
        records: Record type or fact to its folder, with `record.parquet`, where beside each key stands the record it
            names, `quarantine.parquet`, `note.parquet` and `support.parquet`.
        entities: Record type to its folder, with one file for each table of the graph that it fills, and `golden`.
        links: Record type to its folder, with `link.parquet`.
        aliases: The folder with `alias.parquet`, merges that sources made themselves.
        relationships: The folder with `relationship.parquet`.
        rejected: The folder with the `quarantine.parquet` of rows that became nothing at all.
        run_id: The Dagster run that builds it.
        code_version: The version of the code that made the folders.
        model_versions: Record type to the linkage model's id.
        pins: The materialisations of what it is built from.
        accounts: What became of the rows of every source table.
        previous: The current graph's file, whose history goes on.
        hashed: System and table to SQL over the columns of its rows that gives `_row_hash` again, so that it need not
            be kept; of other tables it is.
        judged: The rows of `judgement`.
        rules: The rows of `rule`.
        thresholds: The rows of `threshold`.
        whole: Write every row anew, though the previous graph could be gone on from.
    """

    landed: Sequence[Landed]
    records: Mapping[str, Path]
    entities: Mapping[str, Path]
    links: Mapping[str, Path]
    aliases: Path | None
    relationships: Path | None
    rejected: Path | None
    run_id: str
    code_version: str
    model_versions: Mapping[str, str] = field(default_factory=dict)
    pins: Sequence[SnapshotInput] = ()
    accounts: Sequence[Accounted] = ()
    previous: Path | None = None
    hashed: Mapping[tuple[str, str], str] = field(default_factory=dict)
    judged: Sequence[tuple[str | None, ...]] = ()
    rules: Sequence[tuple[str, str, str, str]] = ()
    thresholds: Sequence[tuple[str, float, float, float, float]] = ()
    whole: bool = False

    @property
    def digest(self) -> str:
        """Of all that decides what the graph will hold, apart from the history it goes on from."""
        return digest(
            {
                "landed": sorted([one.system, one.table, one.data_version] for one in self.landed),
                "records": {name: path.name for name, path in self.records.items()},
                "entities": {name: path.name for name, path in self.entities.items()},
                "links": {name: path.name for name, path in self.links.items()},
                "aliases": self.aliases.name if self.aliases else None,
                "rejected": self.rejected.name if self.rejected else None,
                "relationships": self.relationships.name if self.relationships else None,
                "accounts": [[one.system, one.source_table, *ACCOUNTED(one)] for one in self.accounts],
                "code": [self.code_version, own_code()],
                "models": dict(self.model_versions),
                "linkage": [[*map(list, self.judged)], [*map(list, self.rules)], [*map(list, self.thresholds)]],
            }
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """A graph that was built and is not necessarily published.

    Attributes:
        snapshot_id: Its id; also the data version of the asset `entity_graph`.
        path: Its file.
        previous: The graph that it goes on from; it may only follow that one.
        built: Whether it was built now, and not found as it was left by an earlier run or as the current graph.
    """

    snapshot_id: SnapshotId
    path: Path
    previous: SnapshotId | None
    built: bool


def snapshot_id(inputs_digest: str, previous: str | None) -> SnapshotId:
    """The id of a graph built from these inputs as the successor of that snapshot."""
    return SnapshotId(f"snap_{digest([inputs_digest, previous])[:20]}")


@cache
def own_code() -> str:
    """A digest of this package, so that a graph of another shape is another graph."""
    code = hashlib.sha256()
    for path in sorted(HERE.rglob("*")):
        if path.suffix in {".py", ".sql"}:
            code.update(path.relative_to(HERE).as_posix().encode() + b"\x1f" + path.read_bytes())
    return code.hexdigest()
