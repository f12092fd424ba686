"""Blocking checks: what must hold of a candidate before it is published.

Each is a question to the candidate whose answer is what offends; pure but for reading that one file. What must hold of
landing and records belongs to insight, which made them.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from orchestration.graph.feeds import MENTIONS
from orchestration.graph.model import FACTS, RECORD_TYPES, SHAPES
from orchestration.graph.reader import EntityGraph

SHOWN: Final = 5
"""How many offending ids a result shows."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a blocking check found.

    Attributes:
        name: Which check.
        passed: Whether the graph may be published as far as this check goes.
        found: What was found, for a person.
        needed: What was needed.
        examples: A few of the ids that offend.
    """

    name: str
    passed: bool
    found: str
    needed: str
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """A question to a graph: `sql` returns one column, an id for each thing that offends.

    Of a graph that was made by changing a copy of the published one, `of_changes` asks the same of what may answer
    otherwise than it did there: rows that were added or replaced (`snapshot_change` has their ids), and rows that refer
    to one that was removed. Every other row is as it was when this check passed. Checks without it are asked in full.
    """

    name: str
    needed: str
    sql: str
    of_changes: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """How many rows a source table delivered, and how many it must.

    Attributes:
        system: Which source system.
        table: Which of its tables.
        row_count: Rows read.
        min_rows: The least number of rows that is believable at all.
        min_share_of_last: The least share of the rows that the current graph read of it.
    """

    system: str
    table: str
    row_count: int
    min_rows: int = 0
    min_share_of_last: float = 0.5


_RECORDS: Final = " UNION ALL ".join(f"SELECT record_id, entity_id FROM {name}_record" for name in RECORD_TYPES)
_EVERY: Final = f"SELECT record_id FROM ({_RECORDS}) UNION ALL SELECT record_id FROM fact"
_GOLDEN: Final = " UNION ALL ".join(f"SELECT entity_id, '{name}' AS entity_type FROM {name}" for name in RECORD_TYPES)
_OWNERS: Final = " UNION ALL ".join(
    f"SELECT record_id, {record} AS owner, {entity} AS entity_id FROM {fact}"
    for fact in FACTS
    for record, entity in (("organisation_record", "entity_id"), ("person_record", "person_entity_id"))
)
_MENTIONS: Final = " UNION ALL ".join(
    f"SELECT {column} AS entity_id FROM {table}" for table, columns in MENTIONS.items() for column in columns
)


def _changed(part: str) -> str:
    """A query for the ids of what changed of a part of the graph."""
    return f"(SELECT record_id FROM snapshot_change WHERE part = '{part}')"


_CHANGED_ROWS: Final = f"(FROM source_id WHERE record_id IN {_changed('source')})"
_GONE_ENTITIES: Final = f"(FROM {_changed('entity')} AS c(entity_id) ANTI JOIN entity USING (entity_id))"
_FORMS: Final = ", ".join(f"gone.record_id || '#{name}'" for name in SHAPES)
_GONE_ROWS: Final = f"(FROM {_changed('source')} ANTI JOIN {_CHANGED_ROWS} USING (record_id))"
_WITHOUT_ROW: Final = f"(SELECT unnest([gone.record_id, {_FORMS}]) FROM {_GONE_ROWS} AS gone)"
"""The ids that a record or fact of a row would have that is there no longer."""


def _each_once(relation: str, column: str, part: str | None = None) -> str:
    """A query for ids that a relation has more than once, out of what changed of a part.

    What is compared are numbers first: of millions of texts that takes a fraction of the time.
    """
    if part is not None:
        return (
            f"SELECT {column} FROM {relation} WHERE {column} IN {_changed(part)} GROUP BY {column} HAVING count(*) > 1"
        )
    twice = f"SELECT hash({column}) FROM {relation} GROUP BY 1 HAVING count(*) > 1"
    return f"SELECT {column} FROM {relation} WHERE hash({column}) IN ({twice}) GROUP BY {column} HAVING count(*) > 1"


def _one_golden(where: str = "") -> str:
    return f"""
        SELECT coalesce(e.entity_id, g.entity_id) FROM (SELECT entity_id, entity_type FROM entity {where}) AS e
        FULL JOIN (
            SELECT entity_id, entity_type, count(*) AS number FROM ({_GOLDEN}) {where} GROUP BY ALL
        ) AS g ON g.entity_id = e.entity_id AND g.entity_type = e.entity_type
        WHERE e.entity_id IS NULL OR g.number IS DISTINCT FROM 1
    """


def _crosswalk_entities(where: str = "true") -> str:
    return f"""
        SELECT record_id FROM (FROM crosswalk WHERE {where}) AS c WHERE NOT EXISTS
            (SELECT 1 FROM entity AS e WHERE e.entity_id = c.entity_id AND e.entity_type = c.entity_type)
    """


def _fact_entities(where: str = "true") -> str:
    return f"""
        SELECT record_id FROM (FROM ({_OWNERS}) WHERE {where}) AS f LEFT JOIN entity AS e USING (entity_id)
        WHERE (f.owner IS NOT NULL OR f.entity_id IS NOT NULL) AND e.entity_id IS NULL
    """


CHECKS: Final = (
    Check(
        "no_duplicate_source_row",
        "each source row once",
        _each_once("source_id", "record_id"),
        f"SELECT record_id FROM {_CHANGED_ROWS} GROUP BY record_id HAVING count(*) > 1",
    ),
    Check(
        "no_duplicate_record",
        "each record and fact once in the whole graph",
        _each_once(f"({_EVERY})", "record_id"),
        _each_once(f"({_EVERY})", "record_id", "record"),
    ),
    Check(
        "no_duplicate_crosswalk",
        "one entity for each record",
        _each_once("crosswalk", "record_id"),
        _each_once("crosswalk", "record_id", "crosswalk"),
    ),
    Check(
        "no_duplicate_entity",
        "each entity once",
        _each_once("entity", "entity_id"),
        _each_once("entity", "entity_id", "entity"),
    ),
    Check(
        "one_golden_record_each",
        "exactly one golden record of its type for each entity",
        _one_golden(),
        _one_golden(f"WHERE entity_id IN {_changed('entity')}"),
    ),
    Check(
        "crosswalk_entities_exist",
        "an entity of that type behind each row of the crosswalk",
        _crosswalk_entities(),
        _crosswalk_entities(f"record_id IN {_changed('crosswalk')} OR entity_id IN {_changed('entity')}"),
    ),
    Check(
        "records_have_entities",
        "an entity for each record",
        f"SELECT record_id FROM ({_RECORDS}) WHERE entity_id IS NULL",
    ),
    Check(
        "entities_have_records",
        "a record behind each entity",
        f"SELECT entity_id FROM entity ANTI JOIN ({_RECORDS}) USING (entity_id)",
        f"""
        SELECT entity_id FROM (FROM entity WHERE entity_id IN {_changed("entity")})
        ANTI JOIN (FROM ({_RECORDS}) WHERE entity_id IN {_changed("entity")}) USING (entity_id)
        """,
    ),
    Check(
        "fact_entities_exist",
        "an entity behind each fact whose owner is a record of ours",
        _fact_entities(),
        _fact_entities(
            f"record_id IN {_changed('record')} OR owner IN {_changed('crosswalk')} OR entity_id IN {_GONE_ENTITIES}"
        ),
    ),
    Check(
        "mentioned_entities_exist",
        "an entity behind each relationship, contact point, conflict and review pair",
        f"SELECT DISTINCT entity_id FROM ({_MENTIONS}) ANTI JOIN entity USING (entity_id)",
        f"""
        FROM {_changed("mention")} AS named(entity_id) ANTI JOIN entity USING (entity_id)
        UNION SELECT entity_id FROM ({_MENTIONS}) WHERE entity_id IN {_GONE_ENTITIES}
        """,
    ),
    Check(
        "supporting_rows_exist",
        "a source row behind each row that completes a record",
        "SELECT DISTINCT supporting_record FROM support "
        "ANTI JOIN source_id ON source_id.record_id = support.supporting_record",
        f"""
        WITH asked AS (
            SELECT DISTINCT supporting_record FROM support WHERE record_id IN {_changed("support")}
        )
        SELECT supporting_record FROM asked WHERE supporting_record NOT IN (
            SELECT record_id FROM source_id WHERE record_id IN (FROM asked)
        )
        UNION SELECT supporting_record FROM support WHERE supporting_record IN {_GONE_ROWS}
        """,
    ),
    Check(
        "source_rows_exist",
        "a source row behind each record and fact",
        f"""
        SELECT record_id FROM (
            SELECT record_id, CASE WHEN contains(record_id, '#') THEN source_row_id(record_id) ELSE record_id END AS row
            FROM ({_EVERY})
        ) AS each ANTI JOIN source_id ON source_id.record_id = each.row
        """,
        f"""
        WITH asked AS (
            SELECT record_id, source_row_id(record_id) AS of_row
            FROM ({_EVERY}) WHERE record_id IN {_changed("record")}
        )
        SELECT record_id FROM asked WHERE of_row NOT IN (
            SELECT record_id FROM source_id WHERE record_id IN (SELECT of_row FROM asked)
        )
        UNION SELECT record_id FROM ({_EVERY}) WHERE record_id IN {_WITHOUT_ROW}
        """,
    ),
)
"""What must hold of any graph."""


def check_graph(graph: EntityGraph, checks: Iterable[Check] = CHECKS) -> list[CheckResult]:
    """The results of all checks of a candidate, in order; none is skipped because another failed."""
    changed = bool(graph.rows("SELECT 1 FROM snapshot_file WHERE steps > 0"))
    return [run_check(graph, check, changed=changed) for check in checks]


def run_check(graph: EntityGraph, check: Check, *, changed: bool = False) -> CheckResult:
    """The result of one check of a candidate; of one that is `changed` from the published graph, as far as it is."""
    sql = (check.of_changes if changed else None) or check.sql
    shown = f"list(offends ORDER BY offends)[:{SHOWN}] AS examples"
    [row] = graph.rows(f"SELECT count(*) AS number, {shown} FROM ({sql}) AS o(offends)")
    found = "none that offends" if not row["number"] else f"{row['number']} that offend"
    return CheckResult(check.name, not row["number"], found, check.needed, tuple(row["examples"] or ()))


def enough_rows(deliveries: Iterable[Delivery], last: Mapping[tuple[str, str], int]) -> CheckResult:
    """Whether no source table delivers far fewer rows than last time, or than it must, and no system is gone.

    Args:
        deliveries: What every declared table delivered now.
        last: System and table to the rows that the current graph read; a table that is not there is new. A system whose
            absence was accepted is not among them.
    """
    deliveries = list(deliveries)
    short = []
    for one in deliveries:
        needed = max(one.min_rows, one.min_share_of_last * last.get((one.system, one.table), 0))
        if one.row_count < needed:
            short.append(f"{one.system}.{one.table} has {one.row_count} rows and needs {needed:.0f}")
    needed_of_all = "no table far smaller than last time"
    if gone := _gone(last, {one.system for one in deliveries}):
        named = ",".join(gone)
        short.append(f"the graph published last held rows of {', '.join(gone)}; none of them is read now")
        needed_of_all += (
            "; use another PRECEDE_HOME for other sources, put back what was taken away, or, if it is meant to be "
            f"gone, set PRECEDE_ACCEPT_MISSING={shlex.quote(named)} for the next run"
        )
    found = "; ".join(short) if short else "every table as large as expected"
    return CheckResult("enough_rows", not short, found, needed_of_all, tuple(short[:SHOWN]))


def _gone(last: Mapping[tuple[str, str], int], read: Collection[str]) -> list[str]:
    """The systems that had rows and of which nothing is read now."""
    return sorted({system for (system, _), rows in last.items() if rows and system not in read})
