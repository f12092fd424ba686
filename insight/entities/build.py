"""Links become entities: clusters, ids, golden records, conflicts, standing, and what is left in doubt.

`build` makes the entities of one record type, `relationships` what holds between them. Where it is known what changed
since an earlier result, only what that touches is made again (`scope`); the result is the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb

from insight import layers
from insight.entities import load
from insight.entities.gather import gather
from insight.entities.identity import assign
from insight.entities.load import Sources
from insight.entities.previous import Digest, load_previous
from insight.entities.scope import Base, make_scope
from insight.entities.survivorship import Priority
from insight.entities.tables import make_tables
from insight.entities.write import KEYS, write_changes, write_whole
from insight.linkage.link import LinkSet
from insight.linkage.read import open_memory
from insight.records.record_set import AliasSet, RecordSet
from insight.stage import code_version, version_of, writing
from orchestration.settings import Settings

_HERE = Path(__file__).parent
_NOTE = "built.json"
_Note = dict[str, str | list[str]]

TABLES: Final = (*KEYS, "entity_event")
"""The files of an entity folder; each has the columns of the graph's table of that name, `golden` its type's.

All are layered but `entity_event`, which tells of this step alone and is read as it stands.
"""


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
    judgements: Path | None = None,
    settlements: Path | None = None,
    rarely_twice: frozenset[str] = frozenset(),
    priority: Priority | None = None,
    before: EntitySet | None = None,
    now: datetime | None = None,
) -> EntitySet:
    """The entities of a record type, from its records and links.

    Args:
        records: The conformed records of the type.
        aliases: The merges that sources made themselves.
        links: What `insight.linkage.link.build` returned for the same records.
        previous: The published graph whose ids live on, or a `crosswalk.parquet`; None for the first graph.
        settings: Where stages are kept.
        judgements: What people said of pairs (`entity_type, record_a, record_b, verdict, judgement_id`).
        settlements: What people said is right (`judgement_id, entity_type, record_id, field, value, expired`).
        rarely_twice: Systems that rarely hold one entity of this type twice.
        priority: Which systems the user believes first, by field.
        before: What this returned the last time, or None to begin from the start. What is gone on from is the result
            that the previous graph has, this one or another.
        now: When this happens; the time of events.

    Where the same was built before, and the previous graph already says what it gave, nothing is done and that folder
    is returned: publishing a graph does not make its own entities stale.
    """
    record_type, now = records.shape, now or datetime.now(UTC)
    sources = Sources(record_type, records.record, aliases.alias, links.table("link"), links.table("footing"))
    home = settings.stages / "entities" / record_type
    with open_memory() as con:
        load.load_judged(con, record_type, judgements)
        load.load_settlements(con, record_type, settlements)
        said = (load.digest(con, "judged"), load.digest(con, "settlement"), _text(rarely_twice, priority or {}))
        how = {"code": code_version(_HERE), "declared": said[2]}
        version = version_of(records.version, aliases.version, links.version, how["code"], *said)
        load_previous(con, record_type, previous)
        was = Digest.of(con, "previous")
        started = before.path if before is not None else None
        for folder, note in _made(home, started):
            if folder.name.startswith(f"{version}-") and str(was) in {note["before"], note["after"]}:
                return EntitySet(record_type, folder.name, folder)

        load.load_merges(con, record_type, aliases.alias)
        systems = _systems(con, sources)
        base = _base(home, started, str(was), how, systems) if started is not None else None
        if base is not None and not make_scope(con, sources, base):
            base = None
        load.load(con, sources, scoped=base is not None)
        if base is not None:
            con.execute(f"""
                CREATE OR REPLACE TABLE previous AS
                SELECT record_id, entity_id FROM {base.rows("crosswalk")}
                WHERE record_id IN (SELECT record_id FROM scope UNION ALL SELECT record_id FROM seed)
            """)
        gather(con, links.margin, links.accept, rarely_twice)
        assign(con, record_type, "previous" if base is None else base.rows("crosswalk"))
        make_tables(con, record_type, systems, priority or {}, now, base)
        folder = layers.place(home, f"{version}-{version_of(str(was))[:8]}", started)
        inputs = sources.as_inputs() | how
        with writing(folder) as draft:
            after = write_whole(con, draft, inputs) if base is None else write_changes(con, draft, inputs, base, was)
            note = {"before": str(was), "after": str(after), "systems": systems}
            (draft / _NOTE).write_text(json.dumps(note))
    return EntitySet(record_type, folder.name, folder)


def _made(home: Path, before: Path | None) -> Iterator[tuple[Path, _Note]]:
    """The results that stand here whole and that may be gone on from, each with its note; the last one first."""
    others = [folder for folder in sorted(home.glob("[!.]*-*")) if folder != before]
    for folder in [*([before] if before is not None else []), *others]:
        note = _note(folder)
        if note is not None and layers.may_follow(folder, before):
            yield folder, note


def _base(home: Path, before: Path, published: str, how: Mapping[str, str], systems: list[str]) -> Base | None:
    """The result whose crosswalk the previous graph has, if it was made as one would be made now."""
    for folder, note in _made(home, before):
        layer = layers.read_layer(folder)
        alike = layer is not None and how.items() <= layer.inputs.items() and note["systems"] == systems
        if layer is not None and alike and note["after"] == published:
            return Base(folder, dict(layer.inputs))
    return None


def _systems(con: duckdb.DuckDBPyConnection, sources: Sources) -> list[str]:
    """The systems that have records, in order."""
    rows = con.execute(f"SELECT DISTINCT system FROM {layers.rows(sources.record)} ORDER BY system").fetchall()
    return [row[0] for row in rows]


def _note(folder: Path) -> _Note | None:
    """What a result says of itself; None where it is gone or was left half removed."""
    try:
        found: _Note = json.loads((folder / _NOTE).read_text())
    except (OSError, ValueError):
        return None
    return found


def _text(rarely_twice: frozenset[str], priority: Priority) -> str:
    return json.dumps([sorted(rarely_twice), {one: dict(order) for one, order in priority.items()}], sort_keys=True)
