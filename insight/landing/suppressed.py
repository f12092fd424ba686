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

_NEVER: Final = "\\s\u00a0\u200b@<>,;:\"'()\\[\\]"
"""What stands in no mailbox, within a class of letters."""
_SELDOM: Final = r"=|/\\{}&?#%*^`$!~"
"""What may stand in one, and much oftener stands beside it: `mail=ada@a.example|ben@b.example`."""
_FORMS: Final = tuple(rf"[^{out}]+@[^{out}]+[^{out}.!?]" for out in (_NEVER, _NEVER + _SELDOM))
"""What may be a mailbox within a text, as long as it can be, and without what seldom is a part of one."""
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
        _strike(connection, quoted(column), among(MAILBOX, sql_mailbox("found")), suppression)
    connection.execute("DROP TABLE struck")
    connection.execute("DROP TABLE digests")
    return dict(gone)


def scrubbed(text: str, suppression: Suppression) -> str:
    """A text without suppressed mailboxes; one of which such a mailbox is a part stays as it is."""

    def struck(found: re.Match[str]) -> str:
        return _STRUCK if suppression.holds(MAILBOX, mailbox(found[0])) else found[0]

    for form in _FORMS:
        text = re.sub(form, struck, text, flags=re.ASCII)  # DuckDB's blanks are those of ASCII too
    return text


def _strike(connection: duckdb.DuckDBPyConnection, column: str, suppressed: str, suppression: Suppression) -> None:
    """Put a mark in place of each suppressed mailbox in a column, which tells which one it was to nobody."""
    forms = dict(zip(("long", "short"), _FORMS, strict=True))
    mailboxes = f"regexp_extract_all({column}, $long) || regexp_extract_all({column}, $short)"
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE written AS SELECT found FROM ("
        f"  SELECT DISTINCT unnest({mailboxes}) AS found FROM incoming "
        f"  WHERE contains({column}, '@')) WHERE {suppressed}",
        {**suppression.pads(), **forms},
    )
    rows = connection.execute(
        f"SELECT rowid, {column} FROM incoming WHERE contains({column}, '@') "
        f"AND list_has_any({mailboxes}, (SELECT coalesce(list(found), []) FROM written))",
        forms,
    ).fetchall()
    for place, text in rows:
        connection.execute(
            f"UPDATE incoming SET {column} = $text WHERE rowid = $place",
            {"text": scrubbed(text, suppression), "place": place},
        )
    connection.execute("DROP TABLE written")
