"""A small published graph, written by hand, for tests of whatever reads one: the reader, the gate, triggers, the faces.

`build_graph(path)` writes it; further SQL statements change it before it is closed, so that a test says what is
different in its case, such as `build_graph(path, "UPDATE invoice SET amount_open = 0")`.
`publish_graph(store, settings)` builds one and makes it the current one. Nothing of insight takes part.

Business date 2026-11-02. What stands in it:

| entity | what it is |
|---|---|
| `org_acme` | linked in crm, erp and support; reconciled; VAT number verified |
| `org_bolt` | linked in crm and erp, searched in support; reconciled |
| `org_crane` | linked in crm and erp; its VAT number is in conflict between them |
| `org_dune` | known to the erp alone, searched elsewhere |
| `org_elm` | linked in crm and erp, open in support: a possible pair with `org_elm_support` that nobody has judged |
| `person_ada` | works at Acme: crm and support; mailbox by staff; the crm merged `crm:contact:9` into `crm:contact:1` |
| `person_ben` | works at Bolt |
| `person_cat` | works at Acme and objects to being contacted |
| `person_dan` | works at Acme, says a public ticket: his mailbox is asserted by the public alone |
| `person_eve` | works at Crane |
| `person_finn` | works at Dune, in the erp alone |
| `person_gus` | works at Elm |

| invoice | of | state |
|---|---|---|
| `erp:transaction:1001` | Acme | overdue by 30 days, 1200.00 GBP open |
| `erp:transaction:1002` | Acme | paid |
| `erp:transaction:1003` | Acme | overdue and disputed |
| `erp:transaction:1004` | Acme | open, due in 3 days |
| `erp:transaction:1005` | Acme | a vendor's bill, which we owe |
| `erp:transaction:2001` | Bolt | overdue by 10 days |
| `erp:transaction:3001` | Crane | overdue |
| `erp:transaction:4001` | Dune | overdue |
| `erp:transaction:5001` | Elm | overdue |
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from orchestration.contracts import SnapshotId
from orchestration.graph.checks import check_graph
from orchestration.graph.current import current_snapshot
from orchestration.graph.ddl import STORAGE_VERSION, create_schema
from orchestration.graph.inputs import Candidate
from orchestration.graph.promote import promote
from orchestration.graph.publish import candidate_path, graph_path
from orchestration.graph.reader import EntityGraph
from orchestration.settings import Settings
from orchestration.store.engine import Store

BUSINESS_DATE = date(2026, 11, 2)
BUILT_AT = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
SNAPSHOT = "snap_fixture"
ROWS = Path(__file__).with_suffix(".sql")


@dataclass(frozen=True)
class LandedTable:
    """One source table as insight would have landed it."""

    system: str
    table: str
    path: Path
    data_version: str
    row_count: int
    read_at: datetime


def build_graph(path: Path, *changes: str, snapshot_id: str = SNAPSHOT, built_at: datetime = BUILT_AT) -> Path:
    """Write the graph to `path`, changed by further SQL statements, and return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".tmp")
    unfinished.write_bytes(_built(changes, snapshot_id, built_at))
    os.replace(unfinished, path)  # noqa: PTH105  the call that is atomic
    return path


@lru_cache(maxsize=8)
def _built(changes: tuple[str, ...], snapshot_id: str, built_at: datetime) -> bytes:
    """The graph's file: most tests ask for the same, which takes longer to build than to use."""
    values = {"snapshot": snapshot_id, "built_at": built_at}
    with TemporaryDirectory() as folder, duckdb.connect() as connection:
        file = Path(folder) / "graph.duckdb"
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"ATTACH '{file}' AS graph (STORAGE_VERSION '{STORAGE_VERSION}')")
        connection.execute("USE graph")
        create_schema(connection)
        connection.execute(
            "INSERT INTO snapshot VALUES ($snapshot, $built_at, 'run-fixture', 'code', '{}', NULL, 'inputs', $checks)",
            values | {"checks": '{"every crosswalk entity exists": "passed"}'},
        )
        for script in (ROWS.read_text(encoding="utf-8"), *changes):
            for statement in connection.extract_statements(script):
                wanted = {name: value for name, value in values.items() if name in statement.named_parameters}
                connection.execute(statement, wanted)
        connection.execute("CHECKPOINT graph")
        connection.execute("USE memory")
        connection.execute("DETACH graph")
        return file.read_bytes()


def publish_graph(
    store: Store,
    settings: Settings,
    *changes: str,
    snapshot_id: str = SNAPSHOT,
    built_at: datetime = BUILT_AT,
    run_id: str = "run-fixture",
) -> EntityGraph:
    """Build the graph, make it the current one with its watermarks, and open it. Another graph needs another id."""
    made = SnapshotId(snapshot_id)
    path = build_graph(candidate_path(settings, made), *changes, snapshot_id=snapshot_id, built_at=built_at)
    with store.read() as connection:
        candidate = Candidate(made, path, current_snapshot(connection), built=True)
    with EntityGraph(path) as graph:
        checks = check_graph(graph)
        landed = [
            LandedTable(one.system, one.source_table, path, one.data_version, one.row_count, one.read_at)
            for one in graph.snapshot.sources
        ]
    promote(store, settings, candidate, checks, landed, run_id=run_id, now=built_at)
    return EntityGraph(graph_path(settings, made))
