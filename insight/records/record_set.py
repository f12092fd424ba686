"""What `insight/records` hands on: folders of Parquet, each with its version."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from insight import layers
from insight.scratch import scratch


@dataclass(frozen=True, slots=True)
class RecordSet:
    """The conformed records of one record type or fact."""

    shape: str
    version: str
    path: Path

    @property
    def record(self) -> Path:
        """One record each."""
        return self.path / "record.parquet"

    @property
    def quarantine(self) -> Path:
        """One row that could not become a record of this shape each."""
        return self.path / "quarantine.parquet"

    @property
    def note(self) -> Path:
        """One value each that a record was kept without."""
        return self.path / "note.parquet"

    @property
    def support(self) -> Path:
        """One source row each that completes a record, or what was quarantined instead of one."""
        return self.path / "support.parquet"


@dataclass(frozen=True, slots=True)
class AliasSet:
    """The sources' own merges."""

    version: str
    path: Path

    @property
    def alias(self) -> Path:
        """One merge each."""
        return self.path / "alias.parquet"

    @property
    def alias_count(self) -> int:
        """How many merges there are."""
        return _rows(self.alias)


@dataclass(frozen=True, slots=True)
class RejectedSet:
    """The rows that became nothing, and those that only complete others."""

    version: str
    path: Path

    @property
    def quarantine(self) -> Path:
        """One row each that could not become anything."""
        return self.path / "quarantine.parquet"

    @property
    def supporting(self) -> Path:
        """One row each that its source's `supporting.sql` says completes another, and that one's table and key."""
        return self.path / "supporting.parquet"

    @property
    def quarantine_count(self) -> int:
        """How many rows became nothing."""
        return _rows(self.quarantine)


def reasons(quarantines: list[Path]) -> dict[str, int]:
    """How many rows were quarantined for each reason, the most frequent first."""
    if not quarantines:
        return {}
    with scratch() as connection:
        each = " UNION ALL ".join(f"SELECT reason FROM {layers.rows(path)}" for path in quarantines)
        rows = connection.execute(f"SELECT reason, count(*) FROM ({each}) GROUP BY 1 ORDER BY 2 DESC, 1").fetchall()
    return dict(rows)


def _rows(path: Path) -> int:
    with scratch() as connection:
        return int(connection.execute(f"SELECT count(*) FROM {layers.rows(path)}").fetchall()[0][0])
