"""A few rows of a table, fit to be shown to whoever may see Dagster: names, mailboxes, numbers and places are masked.

What is shown keeps its form (how long, which kind of characters), so that a person sees what the table looks like.
Which columns are masked is decided by what is allowed to be shown, not by what looks personal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from insight import layers
from insight.scratch import scratch

ROWS: Final = 5
LONGEST: Final = 40
_SHOWN: Final = re.compile(
    r"(^|_)(status|state|stage|type|kind|direction|currency|country|terms|priority|pipeline|deleted|system|source_table|"
    r"table|entity_type|reason|standing|event|channel|asserted_by|tier|veto|probability|weight|count|"
    r"disputed|posting|mainline|active|verified|isperson|isinactive|role|shape)(_|$)"
)


def masked_sample(files: Iterable[Path], rows: int = ROWS) -> str:
    """The first rows of Parquet files as a Markdown table, masked; what the table is like where it has no row.

    Args:
        files: Parquet files of one table.
        rows: How many rows to show.
    """
    every = " UNION ALL BY NAME ".join(f"FROM {layers.rows(file)}" for file in files)
    with scratch() as connection:
        relation = connection.execute(f"FROM ({every}) LIMIT ?", [rows])
        columns = [column[0] for column in relation.description or ()]
        found = relation.fetchall()
    shown = [dict(zip(columns, row, strict=True)) for row in found]
    used = [name for name in columns if any(row[name] is not None for row in shown)] or columns
    return markdown_table([{name: masked(name, row[name]) for name in used} for row in shown], used)


def markdown_table(rows: Iterable[Mapping[str, str]], columns: Iterable[str]) -> str:
    """Rows of text as a Markdown table."""
    names = list(columns)
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(row[name].replace("|", "\\|") for name in names) + " |" for row in rows]
    return "\n".join(lines)


def masked(column: str, value: Any) -> str:  # noqa: ANN401  a value of any column
    """One value as it may be shown: numbers, dates and known codes as they are, other text as the form it has."""
    if value is None:
        return ""
    text = str(value)
    if isinstance(value, bool | int | float | Decimal | datetime | date) and "birth" not in column.lower():
        return text
    if not _SHOWN.search(column.lower()):
        text = re.sub(r"[^\W\d_]", "x", re.sub(r"\d", "0", text))
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
