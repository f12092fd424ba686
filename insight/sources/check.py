"""A look at sources before they are run: do they answer, what would conform, what would be quarantined and why.

Everything is done as in a run, in a folder that is thrown away: every table is read, and of each `.sql` a sample of
rows is made into records.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from insight.landing import LandedTable, land
from insight.records import every
from insight.records.account import Account, account
from insight.records.every import Records
from insight.records.record_set import RecordSet
from insight.records.stated import Stated, state
from insight.sources.readers import open_reader
from insight.sources.source import Source
from orchestration.graph.model import SHAPES
from orchestration.settings import Settings


@dataclass(frozen=True, slots=True)
class Table:
    """One table as it was read; `keyless` rows have no key or another row's, or are no row."""

    system: str
    table: str
    rows: int
    deleted: int
    keyless: int
    unaccounted: int


@dataclass(frozen=True, slots=True)
class Conformed:
    """What became of the sampled rows of one `.sql` in one system."""

    system: str
    shape: str
    conform: int
    quarantined: int
    noted: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason why rows would be quarantined, or values left out, with how often and one example."""

    system: str
    shape: str
    what: str
    reason: str
    count: int
    example: str
    record_id: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a look at the sources showed."""

    tables: list[Table]
    shapes: list[Conformed]
    findings: list[Finding]
    warnings: list[str] = field(default_factory=list)


def check(
    sources: Sequence[Source], settings: Settings, sample: int | None, tell: Callable[[str], None] = lambda _: None
) -> Report:
    """Read the sources and conform a sample.

    Args:
        sources: The sources to look at.
        settings: Where the defaults of their addresses point; nothing is kept there.
        sample: How many rows of each `.sql` and system to conform; all where it is None.
        tell: Is told what is being done.

    Raises:
        SourceError: A source cannot be reached, or says something that cannot be.
    """
    with tempfile.TemporaryDirectory(prefix="precede-check-") as folder:
        scratch = replace(settings, home=Path(folder))
        landed: list[LandedTable] = []
        warnings: list[str] = []
        for source in sources:
            tell(f"Reading {source.system}")
            landed += land(source, scratch, home=settings.home)
            warnings += _writable(source, settings.home)
        tell("Conforming")
        records = every.build(sources, landed, scratch, sample=sample)
        spoken_for = _spoken_for(sources, landed, scratch)
        accounts = account(landed, spoken_for, records.rejected)
        return _report(landed, accounts, records, warnings)


def _spoken_for(sources: Sequence[Source], landed: Sequence[LandedTable], scratch: Settings) -> dict[str, RecordSet]:
    """Every row that some `.sql` names, whether or not it was sampled, as if each had become a record."""
    found: dict[str, RecordSet] = {}
    for name, shape in SHAPES.items():
        named = [(_of(stated.system, stated.rows), _completing(stated)) for stated in state(shape, sources, landed)]
        if named:
            one = RecordSet(name, "", scratch.home / "spoken-for" / name)
            one.path.mkdir(parents=True)
            everything = pa.concat_tables([driving for driving, _ in named])
            parquet.write_table(everything, one.record)
            parquet.write_table(everything.slice(0, 0), one.quarantine)
            parquet.write_table(pa.concat_tables([completing for _, completing in named]), one.support)
            found[name] = one
    return found


def _of(system: str, rows: pa.Table) -> pa.Table:
    """The rows' table and key, with their system."""
    systems = pa.array([system] * rows.num_rows, pa.string())
    return rows.select(["source_table", "source_key"]).append_column("system", systems)


def _completing(stated: Stated) -> pa.Table:
    """The landed rows that complete those of a system."""
    known = stated.support.filter(pc.field("known")).select(["supporting_table", "supporting_key"])
    return _of(stated.system, known.rename_columns(["source_table", "source_key"]))


def _writable(source: Source, home: Path) -> list[str]:
    with open_reader(source, home) as reader:
        tables = reader.may_write()
    if tables is None:
        return []
    talk = "A read-only session can be talked out of it: give Precede a role that may only SELECT."
    return [f"{source.system}: the account may write to {tables}. {talk}"]


def _report(
    landed: Sequence[LandedTable], accounts: Sequence[Account], records: Records, warnings: list[str]
) -> Report:
    unaccounted = {(one.system, one.source_table): one.unaccounted for one in accounts}
    tables = [
        Table(
            one.system,
            one.table,
            one.row_count,
            one.deleted_count,
            one.rejected_count,
            unaccounted[one.system, one.table],
        )
        for one in landed
    ]
    with duckdb.connect() as connection:
        shapes = [found for one in records.shapes.values() for found in _conformed(connection, one)]
        findings = [found for one in records.shapes.values() for found in _noted(connection, one)]
        paths = [str(path) for path in records.quarantines]
        quarantined = connection.execute(
            "SELECT system, shape, 'quarantined', reason, count(*), arg_min(detail, record_id), min(record_id) "
            "FROM read_parquet(?) GROUP BY system, shape, reason ORDER BY 5 DESC, 1, 2, 4",
            [paths],
        ).fetchall()
    return Report(tables, shapes, [*(Finding(*row) for row in quarantined), *findings], warnings)


def _conformed(connection: duckdb.DuckDBPyConnection, one: RecordSet) -> list[Conformed]:
    rows = connection.execute(
        "SELECT system, count(*) FILTER (what = 'record'), count(*) FILTER (what = 'quarantine'), "
        "  count(*) FILTER (what = 'note') FROM ("
        "  SELECT system, 'record' AS what FROM read_parquet($record) UNION ALL"
        "  SELECT system, 'quarantine' FROM read_parquet($quarantine) UNION ALL"
        "  SELECT system, 'note' FROM read_parquet($note)) GROUP BY 1 ORDER BY 1",
        {"record": str(one.record), "quarantine": str(one.quarantine), "note": str(one.note)},
    ).fetchall()
    return [Conformed(row[0], one.shape, *row[1:]) for row in rows]


def _noted(connection: duckdb.DuckDBPyConnection, one: RecordSet) -> list[Finding]:
    rows = connection.execute(
        "SELECT system, $shape, 'noted', field || ': ' || problem, count(*), arg_min(value, record_id), min(record_id) "
        "FROM read_parquet($note) GROUP BY system, field, problem ORDER BY 5 DESC, 1, 4",
        {"shape": one.shape, "note": str(one.note)},
    ).fetchall()
    return [Finding(*row) for row in rows]
