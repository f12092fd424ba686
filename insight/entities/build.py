"""Links become entities: clusters, ids, golden records, conflicts, standing, and what is left in doubt.

`build` makes the entities of one record type, `relationships` what holds between them. Everything is a query over
Parquet; Python holds the clusters that a veto contests, and nothing else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb

from insight.entities.conflicts import conflict_sql
from insight.entities.contacts import contact_point_sql, member_sql
from insight.entities.gather import gather
from insight.entities.identity import assign
from insight.entities.previous import crosswalk_digest, load_previous
from insight.entities.survivorship import golden_sql
from insight.linkage.link import LinkSet
from insight.linkage.read import load_aliases, load_records, open_memory
from insight.records.record_set import AliasSet, RecordSet
from insight.stage import code_version, version_of, writing
from orchestration.settings import Settings

_HERE = Path(__file__).parent
_NOTE = "built.json"

TABLES: Final = ("entity", "golden", "crosswalk", "conflict", "review_pair", "entity_event", "contact_point")
"""The files of an entity folder; each has the columns of the graph's table of that name, `golden` its type's."""


@dataclass(frozen=True, slots=True)
class EntitySet:
    """The entities of one record type: a folder of Parquet, one file per name in `TABLES`."""

    record_type: str
    version: str
    path: Path

    def table(self, name: str) -> Path:
        """The Parquet file of a table."""
        return self.path / f"{name}.parquet"


def build(  # noqa: PLR0913  one argument for each thing the result is named by
    records: RecordSet,
    aliases: AliasSet,
    links: LinkSet,
    previous: Path | None,
    settings: Settings,
    *,
    now: datetime | None = None,
) -> EntitySet:
    """The entities of a record type, from its records and links.

    Args:
        records: The conformed records of the type.
        aliases: The merges that sources made themselves.
        links: What `insight.linkage.link.build` returned for the same records.
        previous: The published graph whose ids live on, or a `crosswalk.parquet`; None for the first graph.
        settings: Where stages are kept.
        now: When this happens; the time of events.

    Where the same records and links were built before, and the previous graph already says what they gave, nothing is
    done and that folder is returned: publishing a graph does not make its own entities stale.
    """
    record_type = records.shape
    base = version_of(links.version, code_version(_HERE))
    home = settings.stages / "entities" / record_type
    with open_memory() as con:
        load_previous(con, record_type, previous)
        before = crosswalk_digest(con, "previous")
        for folder in sorted(home.glob(f"{base}-*")):
            note = json.loads((folder / _NOTE).read_text())
            if before in {note["before"], note["after"]}:
                return EntitySet(record_type, folder.name, folder)

        load_records(con, record_type, records.record)
        load_aliases(con, record_type, aliases.alias)
        con.execute("CREATE TABLE link AS FROM read_parquet(?)", [str(links.table("link"))])
        con.execute("CREATE TABLE footing AS FROM read_parquet(?)", [str(links.table("footing"))])
        gather(con, links.margin)
        assign(con, record_type)
        _tables(con, record_type, now or datetime.now(UTC))
        folder = home / f"{base}-{version_of(before)[:8]}"
        with writing(folder) as draft:
            for table in TABLES:
                con.table(table).write_parquet(str(draft / f"{table}.parquet"), compression="zstd")
            note = {"before": before, "after": crosswalk_digest(con, "crosswalk")}
            (draft / _NOTE).write_text(json.dumps(note))
    return EntitySet(record_type, folder.name, folder)


def _tables(con: duckdb.DuckDBPyConnection, record_type: str, now: datetime) -> None:
    """Makes every table of the folder from `record`, `link`, `clustered`, `kept`, `cut`, `crosswalk_id` and `event`."""
    typed = {"record_type": record_type}
    con.execute(f"CREATE TABLE crosswalk AS {_sql('crosswalk')}", typed)
    con.execute(f"CREATE TABLE member AS {member_sql(record_type)}")
    con.execute(f"CREATE TABLE golden AS {golden_sql(record_type)} ORDER BY entity_id")
    con.execute(f"CREATE TABLE conflict AS {conflict_sql(record_type)} ORDER BY ALL")
    con.execute(f"CREATE TABLE review_pair AS {_sql('doubts')} ORDER BY ALL")
    con.execute(f"CREATE TABLE resolution AS {_sql('resolution')}")
    con.execute(f"CREATE TABLE standing AS {_sql('standing')}")
    con.execute(f"CREATE TABLE entity AS {_sql('entity')}", typed)
    con.execute(f"CREATE TABLE contact_point AS {contact_point_sql(record_type)} ORDER BY ALL")
    con.execute(
        """
        CREATE TABLE entity_event AS
        SELECT entity_id, $record_type AS entity_type, event, other_entity_id, NULL::VARCHAR AS snapshot_id,
               $now::TIMESTAMPTZ AS at
        FROM event ORDER BY ALL
        """,
        {"record_type": record_type, "now": now},
    )


def _sql(name: str) -> str:
    return (_HERE / f"{name}.sql").read_text()
