"""What holds between entities: who works where, and which organisation is whose parent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from insight.entities.build import EntitySet
from insight.linkage.read import load_records, open_memory
from insight.records.record_set import RecordSet
from insight.stage import code_version, version_of, writing
from orchestration.settings import Settings

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class RelationshipSet:
    """Relationships of one state of the entities: one Parquet file with the columns of the graph's `relationship`."""

    version: str
    path: Path


def relationships(
    organisations: EntitySet,
    people: EntitySet,
    organisation_records: RecordSet,
    person_records: RecordSet,
    settings: Settings,
) -> RelationshipSet:
    """`works_at` from a person's employer and `parent_of` from an organisation's parent, through both crosswalks."""
    version = version_of(organisations.version, people.version, code_version(_HERE))
    folder = settings.stages / "entities" / "relationship" / version
    path = folder / "relationship.parquet"
    if path.exists():
        return RelationshipSet(version, path)
    with open_memory() as con:
        for entities, records in ((organisations, organisation_records), (people, person_records)):
            load_records(con, entities.record_type, records.record)
            con.execute(f"ALTER TABLE record RENAME TO {entities.record_type}_record")
            con.execute(
                f"CREATE TABLE {entities.record_type} AS FROM read_parquet(?)", [str(entities.table("crosswalk"))]
            )
        with writing(folder) as draft:
            found = con.sql((_HERE / "relationship.sql").read_text())
            found.write_parquet(str(draft / "relationship.parquet"), compression="zstd")
    return RelationshipSet(version, path)
