"""What the reader returns: one frozen row of a published graph each. `schema.sql` says what the values mean."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, NamedTuple, Self

import orjson

from orchestration.contracts import EntityId, RecordId, SnapshotId
from orchestration.graph.model import SHAPES

_SECOND_RECORD = re.compile(f"#({'|'.join(SHAPES)})$")


def source_row_id(record_id: str) -> str:
    """The id of the source row that a record or fact comes from: a row's second one has `#<type>` after it."""
    return _SECOND_RECORD.sub("", record_id)


@dataclass(frozen=True, slots=True)
class SnapshotSource:
    """One source table as a graph read it, with what became of its rows; `read_at` was its watermark."""

    system: str
    source_table: str
    row_count: int
    data_version: str
    read_at: datetime
    records: int | None = None
    facts: int | None = None
    supporting: int | None = None
    quarantined: int | None = None
    unaccounted: int | None = None
    suppressed: int | None = None


@dataclass(frozen=True, slots=True)
class SnapshotInput:
    """One materialisation that a graph was built from; without a storage id none of that version was found."""

    asset_key: str
    storage_id: int | None
    run_id: str | None
    data_version: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a graph says of itself."""

    snapshot_id: SnapshotId
    built_at: datetime
    run_id: str
    code_version: str
    model_versions: dict[str, str]
    previous_snapshot: str | None
    inputs_digest: str
    checks: dict[str, str]
    sources: tuple[SnapshotSource, ...]
    inputs: tuple[SnapshotInput, ...]

    @classmethod
    def of(
        cls, row: Mapping[str, Any], sources: Iterable[Mapping[str, Any]], inputs: Iterable[Mapping[str, Any]]
    ) -> Self:
        """From the rows of the three `snapshot` tables."""
        parsed = {"model_versions": json.loads(row["model_versions"]), "checks": json.loads(row["checks"])}
        return cls(
            **{**row, **parsed},
            sources=tuple(SnapshotSource(**source) for source in sources),
            inputs=tuple(SnapshotInput(**pinned) for pinned in inputs),
        )


@dataclass(frozen=True, slots=True)
class Entity:
    """A real thing that records stand for."""

    entity_id: EntityId
    entity_type: str
    version: str
    name: str | None
    standing: str
    standing_reasons: tuple[str, ...]
    systems: tuple[str, ...]
    resolution: dict[str, str]
    """System to `linked`, `absent` (searched, no plausible candidate) or `open`."""
    record_count: int
    opted_out: bool

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """From a row of `entity`."""
        return cls(
            **{
                **row,
                "standing_reasons": tuple(row["standing_reasons"]),
                "systems": tuple(row["systems"]),
                "resolution": json.loads(row["resolution"]),
            }
        )


@dataclass(frozen=True, slots=True)
class GoldenValue:
    """The surviving value of a field, and the record it came from."""

    value: Any
    record_id: RecordId | None


@dataclass(frozen=True, slots=True)
class Crosswalk:
    """A record's entity, and why."""

    record_id: RecordId
    entity_id: EntityId
    entity_type: str
    probability: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source row as it was read."""

    record_id: RecordId
    system: str
    source_table: str
    source_key: str
    row_hash: str
    row: dict[str, str | None]
    first_seen: datetime
    last_seen: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """From a row of `source_record`."""
        return cls(**{**row, "row": json.loads(row["row"])})


class SourceText(NamedTuple):
    """A source row as it was read, its columns as JSON text: what nobody reads any further is not made into values."""

    record_id: RecordId
    system: str
    source_table: str
    source_key: str
    row_hash: str
    row: orjson.Fragment


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact: whose it is, and its fields (with `<what>_record` for each key it states)."""

    fact: str
    record_id: RecordId
    entity_id: EntityId | None
    person_entity_id: EntityId | None
    system: str
    source_table: str
    source_key: str
    row_hash: str
    weak_fields: tuple[str, ...]
    verified_fields: tuple[str, ...]
    values: dict[str, Any]

    @classmethod
    def of(cls, fact: str, row: Mapping[str, Any]) -> Self:
        """From a row of the fact's table."""
        own = {field.name for field in fields(cls)} - {"fact", "values"}
        parsed = {name: tuple(row[name] or ()) for name in ("weak_fields", "verified_fields")}
        return cls(
            fact=fact,
            values={name: value for name, value in row.items() if name not in own},
            **{name: parsed.get(name, row[name]) for name in own},
        )

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401  a field of any kind
        return self.values[name]


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact point of an entity, as one record states it."""

    entity_id: EntityId
    channel: str
    value: str
    record_id: RecordId
    asserted_by: str


@dataclass(frozen=True, slots=True)
class Relationship:
    """A directed relationship between two entities, and the record that says so."""

    from_entity: EntityId
    to_entity: EntityId
    kind: str
    record_id: RecordId
