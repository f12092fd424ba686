"""Rows and values of people who were erased are left out as a table is read, before anything of them is written.

What tells them stands in the coordinator's store as keyed digests (`orchestration/erasure/suppression.py`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import duckdb

from orchestration.erasure.suppression import (
    BETWEEN,
    CELL,
    MAILBOX,
    MARK,
    ROW,
    TOUCHED,
    Suppression,
    mailbox,
    sql_digest,
    sql_mailbox,
)
from orchestration.sql import literal, quoted

_MAILBOX: Final = r"[^\s@<>,;:\"'()\[\]]+@[^\s@<>,;:\"'()\[\]]+[^\s@<>,;:\"'()\[\].!?]"
"""What may be a mailbox within a text."""
_STRUCK: Final = f"{MARK}mailbox"
"""What stands where a suppressed mailbox stood: it tells nobody which one that was."""


def leave_out(
    connection: duckdb.DuckDBPyConnection,
    columns: Sequence[str],
    system: str,
    record_id: str,
    suppression: Suppression,
) -> dict[str, int]:
    """Take suppressed rows out of the table `incoming`, and suppressed values out of the others.

    Args:
        connection: Where the table is.
        columns: Its columns, all of them text.
        system: SQL of the system of a row.
        record_id: SQL of the record id of a row.
        suppression: What is suppressed.

    Returns:
        System to how many of its rows were left out.
    """
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE digests AS SELECT unnest(?) AS digest", [sorted(suppression.digests)]
    )
    pads = suppression.pads()

    def among(kind: str, text: str) -> str:
        return f"{sql_digest(kind, text)} IN (SELECT digest FROM digests)"

    gone = connection.execute(
        f"SELECT system, count(*) FROM (SELECT {system} AS system FROM incoming WHERE {among(ROW, record_id)}) "
        "GROUP BY 1",
        pads,
    ).fetchall()
    if gone:
        connection.execute(f"DELETE FROM incoming WHERE {among(ROW, record_id)}", pads)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE struck AS SELECT rowid AS place, {record_id} AS id FROM incoming "
        f"WHERE {among(TOUCHED, record_id)}",
        pads,
    )
    if connection.execute("SELECT 1 FROM struck LIMIT 1").fetchall():
        for column in columns:
            cell = among(CELL, f"id || {literal(BETWEEN + column)}")
            connection.execute(
                f"UPDATE incoming SET {quoted(column)} = NULL WHERE rowid IN (SELECT place FROM struck WHERE {cell})",
                pads,
            )
    for column in columns:
        _strike(connection, quoted(column), among(MAILBOX, sql_mailbox("found")), pads)
    connection.execute("DROP TABLE struck")
    connection.execute("DROP TABLE digests")
    return dict(gone)


def scrubbed(text: str, suppression: Suppression) -> str:
    """A text without suppressed mailboxes."""
    return re.sub(_MAILBOX, lambda found: _STRUCK if suppression.holds(MAILBOX, mailbox(found[0])) else found[0], text)


def _strike(connection: duckdb.DuckDBPyConnection, column: str, suppressed: str, pads: dict[str, bytes]) -> None:
    """Put a mark in place of each suppressed mailbox in a column, which tells which one it was to nobody."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE written AS SELECT found FROM ("
        f"  SELECT DISTINCT unnest(regexp_extract_all({column}, $pattern)) AS found FROM incoming "
        f"  WHERE contains({column}, '@')) WHERE {suppressed}",
        {**pads, "pattern": _MAILBOX},
    )
    for (found,) in connection.execute("FROM written").fetchall():
        connection.execute(
            f"UPDATE incoming SET {column} = replace({column}, $found, $mark) WHERE contains({column}, $found)",
            {"found": found, "mark": _STRUCK},
        )
    connection.execute("DROP TABLE written")
