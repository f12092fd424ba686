"""The store's rows without somebody: found in every table, also of parts that this module knows nothing of.

A row is about somebody where any text in it names them. One whose own name says who they are goes. Of the others JSON
is emptied, but for what is listed in `PARTLY`, of which only the texts that say who they are go; a text column that
says who they are says `[erased]`. Ids of actions, agents, batches and entities stay, and so do amounts, times and
codes: who did what, when and with whose leave can still be asked.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import JSON, Column, Connection, String, Table, Text, cast, delete, select, update

from orchestration.approval.queue import OPEN
from orchestration.erasure.texts import ERASED, Texts
from orchestration.errors import PrecedeError
from orchestration.store import tables

_KEPT: Final = frozenset(
    {
        *("ledger_entry", "ledger_payload", "checkpoint"),  # the chain, of which the proof of erasure tells
        *("snapshot", "pointer", "watermark", "policy_set", "pin_set"),  # of nobody in particular
        *("erasure", "suppression", "objection_subject", "permit_subject", "permit_use"),
    }
)
PARTLY: Final = frozenset(
    {("decision", "reasons"), ("proposal", "arguments"), ("outbox", "tool_arguments"), ("undo", "tool_arguments")}
)
_GONE: Final = frozenset({"evidence", "effect_record", "effect_value"})
"""Tables of which the row goes: it is nothing but what was known of people and firms."""
_SIGNED: Final = frozenset(
    (table, column)
    for table, columns in {"permit": ("payload", "signature"), "undo": ("permit", "signature")}.items()
    for column in columns
)
"""What proves nothing any more once a part of it is gone."""
_CODE: Final = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
"""A word of Precede's own, such as an agent's name, a tool's or a state: no name is written so."""
_ON_ITS_WAY: Final = frozenset({"pending", "sending", "unknown", "halted"})


def erase_rows(connection: Connection, texts: Texts, subjects: frozenset[str]) -> Counter[str]:
    """Take somebody out of every row of the store; how many rows of each table there were.

    Args:
        connection: Inside `Store.begin()`.
        texts: What they are known by.
        subjects: Digests by which limits count effects on them.
    """
    counts: Counter[str] = Counter()
    for table in tables.metadata.sorted_tables:
        if table.name in _KEPT:
            continue
        for row in _about(connection, table, texts):
            counts[table.name] += 1
            _take_out(connection, table, row, texts)
    counted = tables.permit_subject
    counts[counted.name] = connection.execute(delete(counted).where(counted.c.subject.in_(sorted(subjects)))).rowcount
    return +counts


def refuse_open_work(connection: Connection, texts: Texts) -> None:
    """Refuse to erase somebody about whom something is under way.

    Raises:
        PrecedeError: An effect on them is not settled, or a batch that is about them is not decided.
    """
    effects = [
        row["action"]
        for table in (tables.outbox, tables.undo)
        for row in _about(connection, table, texts)
        if row["state"] in _ON_ITS_WAY
    ]
    if effects:
        raise PrecedeError(
            f"Nothing was erased: the effect of {effects[0]} is on its way or its outcome is unknown; needed it "
            "settled, so that nothing is sent without a trace; let it be delivered with `precede run`, or settle it."
        )
    for row in _about(connection, tables.held, texts):
        if row["state"] in OPEN:
            raise PrecedeError(
                f"Nothing was erased: {row['action']} is about that person and in review; needed it answered; "
                f"reject it with `precede review reject {row['action']} --note …`."
            )
    batch = tables.batch
    rows = {row["batch_id"] for row in _about(connection, tables.trigger_row, texts)}
    rows |= {row["batch_id"] for row in _about(connection, tables.proposal, texts)}
    waiting = select(batch.c.batch_id).where(
        batch.c.batch_id.in_(sorted(rows)), batch.c.state.in_(("waiting", "answered"))
    )
    if found := connection.execute(waiting.order_by(batch.c.batch_id)).scalars().first():
        raise PrecedeError(
            f"Nothing was erased: the batch {found} is about that person and is not decided; needed it to be; let the "
            "agents and the coordinator finish it with `precede run`."
        )


def batches_about(connection: Connection, texts: Texts) -> set[tuple[str, str]]:
    """Agent and id of every batch with a row about somebody: what the exchange may still hold of it goes too."""
    ids = {row["batch_id"] for row in _about(connection, tables.trigger_row, texts)}
    batch = tables.batch
    return {
        (row.agent, row.batch_id)
        for row in connection.execute(select(batch.c.agent, batch.c.batch_id).where(batch.c.batch_id.in_(sorted(ids))))
    }


def _about(connection: Connection, table: Table, texts: Texts) -> Iterator[dict[str, Any]]:
    """The rows of a table in which any text names somebody; they are looked through as text, of which there is much."""
    columns = [column for column in table.columns if isinstance(column.type, String | JSON)]
    keys = list(table.primary_key)
    query = select(*keys, *(cast(column, Text).label(f"text_{column.name}") for column in columns))
    found = []
    with connection.execute(query.execution_options(yield_per=500)) as rows:
        for row in rows:
            said = zip(columns, row[len(keys) :], strict=True)
            if any(value is not None and texts.by.search(_read(table, column, value)) for column, value in said):
                found.append(row[: len(keys)])
    for key in found:
        this = [column == value for column, value in zip(keys, key, strict=True)]
        yield dict(connection.execute(select(table).where(*this)).mappings().one())


def _read(table: Table, column: Column[Any], value: str) -> str:
    """A text as it reads: what was signed is packed."""
    if (table.name, column.name) not in _SIGNED:
        return value
    try:
        return base64.b64decode(value, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return value


def _take_out(connection: Connection, table: Table, row: Mapping[str, Any], texts: Texts) -> None:
    this = [column == row[column.name] for column in table.primary_key]
    named = any(
        isinstance(row[column.name], str) and texts.said.search(row[column.name]) for column in table.primary_key
    )
    if table.name in _GONE or named:
        connection.execute(delete(table).where(*this))
        return
    left = {column.name: _left(table, column, row[column.name], texts) for column in table.columns}
    changed = {name: value for name, value in left.items() if value != row[name]}
    if changed:
        connection.execute(update(table).where(*this).values(**changed))


def _left(table: Table, column: Column[Any], value: Any, texts: Texts) -> Any:  # noqa: ANN401  whatever a column holds; one line for each kind of it
    """What is left of a value."""
    if column.primary_key or column.foreign_keys or value is None:
        return value
    if (table.name, column.name) in _SIGNED:
        return ""
    if isinstance(column.type, JSON):
        if (table.name, column.name) in PARTLY:
            return texts.without(value)
        return [] if isinstance(value, list) else {}
    if isinstance(value, str) and not _CODE.fullmatch(value) and texts.said.search(value):
        unique = column.unique or any(index.unique and column.name in index.columns for index in table.indexes)
        return f"erased:{uuid4().hex}" if unique else ERASED
    return value
