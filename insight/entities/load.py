"""What entities are made of, as tables of one DuckDB: all of it, or only what stands in the table `scope`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from insight import layers
from insight.records.derive import DERIVED, duckdb_type
from orchestration.graph.model import COMMON, RECORD_TYPES

_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "organisation": ("k_postcode", "k_street_number"),
    "person": (),
}
"""Derived columns by which conflicts are told."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the records, the sources' own merges, the links and their footing of one record type stand."""

    record_type: str
    record: Path
    alias: Path
    link: Path
    footing: Path

    def as_inputs(self) -> dict[str, str]:
        """Each by its name."""
        return {name: str(getattr(self, name)) for name in ("record", "alias", "link", "footing")}


def load(con: duckdb.DuckDBPyConnection, sources: Sources, *, scoped: bool) -> None:
    """Makes `record`, `alias` and `link`, where `scoped` of the records in `scope(record_id)` alone.

    Expects `merge`, which stays as it is: what is kept of it for the next time must tell of every merge.

    - `record`: the columns of the type, and those derived ones by which conflicts are told.
    - `alias(from_record, to_record)`: one merge of a source's own.
    - `link(record_a, record_b, match_weight, match_probability, tier, veto, status, strength, firm)`: one link, and how
      strong it is.
    """
    load_records(con, sources.record_type, sources.record, scoped=scoped)
    merges = "merge SEMI JOIN scope ON scope.record_id = from_record" if scoped else "merge"
    con.execute(f"CREATE OR REPLACE TABLE alias AS SELECT from_record, to_record FROM {merges}")
    near = "SEMI JOIN scope ON scope.record_id = record_a" if scoped else ""
    con.execute(f"""
        CREATE OR REPLACE TABLE link AS
        SELECT record_a, record_b, match_weight, match_probability, tier, veto, status, strength, firm
        FROM (SELECT * FROM {layers.rows(sources.link)} {near}) AS link
        JOIN (SELECT record_a, record_b, strength, firm FROM {layers.rows(sources.footing)} {near}) AS footing
            USING (record_a, record_b)
    """)


def load_records(
    con: duckdb.DuckDBPyConnection, record_type: str, path: Path, *, scoped: bool = False, name: str = "record"
) -> None:
    """Makes a table of records with every column of their type: one that the file lacks is NULL."""
    stated = ((field.name, field.duckdb_type) for field in RECORD_TYPES[record_type].fields)
    keys = ((key, duckdb_type(DERIVED[record_type][key])) for key in _KEYS[record_type])
    rows = layers.rows(path)
    there = {row[0] for row in con.execute(f"DESCRIBE FROM {rows}").fetchall()}
    columns = ", ".join(f"{_value(name, kind, there)} AS {name}" for name, kind in (*COMMON, *stated, *keys))
    near = "SEMI JOIN scope USING (record_id)" if scoped else ""
    con.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT {columns} FROM {rows} {near}")


def load_merges(con: duckdb.DuckDBPyConnection, record_type: str, path: Path) -> None:
    """Makes `merge(from_record, to_record)`: every merge of the sources' own between records of a type, once."""
    con.execute(
        f"""
        CREATE OR REPLACE TABLE merge AS
        SELECT DISTINCT from_record, to_record FROM {layers.rows(path)}
        WHERE record_type = ? AND from_record IS NOT NULL AND to_record IS NOT NULL AND from_record <> to_record
        """,
        [record_type],
    )


def load_judged(con: duckdb.DuckDBPyConnection, record_type: str, path: Path | None) -> None:
    """Makes `judged(judgement_id, record_a, record_b, verdict)`: one pair that a person said is `same` or `different`.

    Of several judgements on a pair the last id counts.
    """
    con.execute(
        "CREATE OR REPLACE TABLE judged (judgement_id VARCHAR, record_a VARCHAR, record_b VARCHAR, verdict VARCHAR)"
    )
    if path is not None:
        con.execute(
            f"""
            INSERT INTO judged
            SELECT arg_max(judgement_id, (length(judgement_id), judgement_id)),
                   least(record_a, record_b), greatest(record_a, record_b),
                   arg_max(verdict, (length(judgement_id), judgement_id))
            FROM {layers.rows(path)}
            WHERE entity_type = ? AND verdict IN ('same', 'different') AND record_a <> record_b
            GROUP BY ALL
            """,
            [record_type],
        )


def load_settlements(con: duckdb.DuckDBPyConnection, record_type: str, path: Path | None) -> None:
    """Makes `settlement(judgement_id, record_id, field, value, expired)`: a value that a person said is right."""
    con.execute("""
        CREATE OR REPLACE TABLE settlement
            (judgement_id VARCHAR, record_id VARCHAR, field VARCHAR, value VARCHAR, expired BOOLEAN)
    """)
    if path is not None:
        con.execute(
            f"""
            INSERT INTO settlement
            SELECT judgement_id, record_id, field, value, expired FROM {layers.rows(path)}
            WHERE entity_type = ? AND value IS NOT NULL
            """,
            [record_type],
        )


def digest(con: duckdb.DuckDBPyConnection, table: str) -> str:
    """A digest of a small table's rows, whatever their order."""
    row = con.execute(
        f"SELECT md5(coalesce(string_agg(r, ',' ORDER BY r), '')) FROM (SELECT t::VARCHAR AS r FROM {table} AS t)"
    )
    return str(row.fetchall()[0][0])


def _value(name: str, kind: str, there: set[str]) -> str:
    if name in {"weak_fields", "verified_fields"}:
        return f"coalesce({name}, [])::{kind}" if name in there else f"[]::{kind}"
    return f"{name}::{kind}" if name in there else f"NULL::{kind}"
