"""Which landed rows a `.sql` must see again after some changed, as `concerns` in `source.yml` says.

`concerns` is a directed edge between tables: a change of a row here is a change of what is made of those rows there.
What is made of a row may have to be made again (it is affected) where the row changed, or one did that concerns it,
over any number of edges. To make it again takes the row, and every row that concerns it. `reject.sql` and
`supporting.sql` speak of rows that complete others, so there the edges are followed both ways, each way by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from insight import layers
from insight.records.reach import Edge, Reach
from insight.records.sandbox import columns_used
from insight.scratch import scratch
from insight.sources.source import Source

_KEPT: Final = 6
_recent: dict[tuple[object, ...], Slice | None] = {}


@dataclass(frozen=True, slots=True)
class Slice:
    """The part of one system's landed tables that a `.sql` is run over.

    Attributes:
        rows: Table to its rows as landed, of every table that may be read; where edges are followed both ways, only
            the columns that are read.
        affected: `source_table` and `source_key` of the rows of which anything may have to be made again; some of
            them may be gone.
    """

    rows: Mapping[str, pa.Table]
    affected: pa.Table


def slice_of(
    source: Source,
    now: Mapping[str, Path],
    was: Mapping[str, Path],
    used: frozenset[str],
    *,
    both: Sequence[Path] = (),
) -> Slice | None:
    """The slice of one system's tables that changed between two landings; None where all must be looked at.

    Args:
        source: The source.
        now: Table to its landed rows.
        was: The same of the landing before.
        used: The tables that are read.
        both: `.sql` for which edges are followed both ways; then only the columns that these read are there.
    """
    tables = tuple(sorted(used))
    key = (
        str(source.file),
        repr([(source.tables[table].concerns, source.tables[table].key) for table in tables]),
        *((now.get(table), was.get(table)) for table in tables),
        tables,
        *((path, path.read_text(encoding="utf-8")) for path in both),
    )
    if key not in _recent:
        while len(_recent) >= _KEPT:
            _recent.pop(next(iter(_recent)))
        _recent[key] = _slice(source, now, was, tables, both=both)
    return _recent[key]


def _slice(
    source: Source, now: Mapping[str, Path], was: Mapping[str, Path], tables: Sequence[str], *, both: Sequence[Path]
) -> Slice | None:
    declared = {table: source.tables[table].concerns for table in tables}
    if any(table not in now or table not in was for table in tables):
        return None
    moved = {table: layers.touched(now[table], was[table]) for table in tables if now[table] != was[table]}
    if any(query is None or declared[table] is None for table, query in moved.items()):
        return None
    with scratch() as connection:
        keys = {table: source.tables[table].key for table in tables}
        reach = Reach(connection, {table: now[table] for table in tables}, list(_edges(declared)), keys)
        for table, query in moved.items():
            reach.change(table, str(query), was[table])
        ahead = reach.follow("ahead", "moved")
        back = reach.follow("back", "moved", turned=True) if both and ahead else True
        if not (ahead and back):
            return None
        reach.merge("affected", ["moved", "ahead", *(["back"] if both else [])])
        # What these need may be anything, as a currency needs all invoices: it is read, and not made again.
        reach.follow("needed", "affected", turned=True, any_number=True)
        if both:
            reach.follow("completed", "affected", any_number=True)
        reach.merge("seen", ["affected", "needed", *(["completed"] if both else [])])
        rows = {
            table: reach.rows(
                "seen",
                table,
                columns_used(source, both, table) if both else None,
                whole=bool(moved) and declared[table] is None,
            )
            for table in tables
        }
        return Slice(rows, reach.keys("affected"))


def _edges(declared: Mapping[str, Mapping[str, Mapping[str, str]] | None]) -> Iterator[Edge]:
    for here, theirs in declared.items():
        for there, columns in (theirs or {}).items():
            if there in declared:
                yield Edge(here, there, tuple(columns.items()))
