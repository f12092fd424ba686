"""A sketch of each record in whole numbers, by which most pairs are put aside before anything of them is compared.

Most pairs that share some key are no match, and to compare their words, lists and distances would be most of the work.
So each value that a model compares becomes a number (`relaxed`), and what a pair's weight can be at most follows from
the two sketches alone. That is never less than the weight itself: where sketches cannot tell, the most is assumed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from insight.arriving import make_table
from insight.linkage.model import Model, column
from insight.linkage.relaxed import BITS, Columns, relaxed
from insight.linkage.weights import Grade, Scale, common, rarity_sql, scales

SLACK: Final = 1e-6
"""Bits by which two ways of summing up may differ."""
_NEVER: Final = -1e9
_KNOWN: Final = "abcdefghijklmnopqrstuvwxyz0123456789 .@-_"
"""Letters with a bit of their own; others share what is left."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """What the table `sketch` says of two of its rows, `l` and `r`.

    Attributes:
        most: SQL: what all comparisons but the dearest add at most.
        dearest: SQL: what that one adds at most.
        dearest_most: What it adds at most whatever the records are.
        stated: SQL: both may state what a comparison that labels pairs looks at; false where none does.
    """

    most: str
    dearest: str
    dearest_most: float
    stated: str

    def promise(  # noqa: PLR0913  what is asked of which pairs
        self,
        con: duckdb.DuckDBPyConnection,
        name: str,
        pairs: str,
        prior: float,
        least: float,
        *,
        stated: bool = False,
    ) -> None:
        """Makes the table `name(a, b)`: pairs whose weight may be `least` or more, by sketches.

        Args:
            con: Where `sketch` is.
            name: The table to make.
            pairs: A query for the pairs, `a` and `b`, positions in `feature`.
            prior: The weight of two records of which nothing is known.
            least: The weight, in bits.
            stated: Whether pairs that may be labelled are wanted too, whatever their weight.
        """
        limit = least - SLACK - prior
        wanted = f" OR {self.stated}" if stated else ""
        both = "JOIN sketch AS l ON l.position = a JOIN sketch AS r ON r.position = b"
        con.execute(f"""
            CREATE OR REPLACE TABLE likely AS
            SELECT a, b FROM ({pairs}) {both} WHERE {self.most} >= {_number(limit - self.dearest_most)}{wanted}
        """)
        con.execute(f"""
            CREATE OR REPLACE TABLE {name} AS
            SELECT a, b FROM likely {both} WHERE {self.most} + {self.dearest} >= {_number(limit)}{wanted}
        """)
        con.execute("DROP TABLE likely")


def make_sketch(con: duckdb.DuckDBPyConnection, model: Model, stated: Mapping[str, int]) -> Sketch:
    """Makes `sketch(position, ...)`, one row a record.

    Args:
        con: Where `feature` and its frequencies are.
        model: The trained model.
        stated: Of each term whose rarity counts, how many records state it.
    """
    columns, compared = Columns(), scales(model.splink)
    most = {scale.name: _at_most(scale, columns) for scale in compared}
    dearest = max(compared, key=lambda scale: len(most[scale.name]))
    labelling = {column(comparison) for comparison in model.linkage.comparisons if comparison.labels}
    labelled = [_stated(scale, columns) for scale in compared if scale.name in labelling]
    _fill(con, columns, sorted({term for scale in compared for term in scale.terms}))
    others = [f"({most[scale.name]})" for scale in compared if scale is not dearest]
    return Sketch(
        " + ".join(others or [_number(0)]),
        most[dearest.name],
        max(0.0, *(_most(grade, stated) for grade in dearest.grades)),
        " OR ".join(labelled or ["false"]),
    )


def letters(texts: pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
    """Of each text which letters it has, a bit each, and how many it has in all; nothing where that cannot be told.

    It cannot be told of what is not ASCII, where a letter is more than a byte.
    """
    every = pa.concat_arrays(
        [chunk.cast(pa.large_string()) for chunk in texts.chunks] or [pa.array([], pa.large_string())]
    )
    starts = (
        np.frombuffer(every.buffers()[1], dtype=np.int64, count=len(every) + 1) if len(every) else np.zeros(1, np.int64)
    )
    lengths = np.diff(starts)
    data = every.buffers()[2]
    written = np.frombuffer(data, dtype=np.uint8, count=int(starts[-1])) if starts[-1] else np.zeros(0, np.uint8)
    found = np.bitwise_or.reduceat(np.r_[_BIT_OF[written], np.int64(0)], starts[:-1]) if len(every) else lengths
    found = np.where(lengths == 0, 0, found)
    unknown = (found < 0) | ~every.is_valid().to_numpy(zero_copy_only=False)
    return pa.array(found, mask=unknown), pa.array(lengths, mask=unknown)


def _bits_of_bytes() -> npt.NDArray[np.int64]:
    found = np.full(256, -1, dtype=np.int64)
    for byte in range(128):
        place = _KNOWN.find(chr(byte))
        found[byte] = 1 << (place if place >= 0 else len(_KNOWN) + byte % (BITS - len(_KNOWN)))
    return found


_BIT_OF: Final = _bits_of_bytes()


def _fill(con: duckdb.DuckDBPyConnection, columns: Columns, terms: list[str]) -> None:
    texts = "".join(f", {sql} AS {name}" for sql, name in columns.lettered.items())
    found = con.sql(f"SELECT position{texts} FROM feature WHERE NOT is_firm").to_arrow_table()
    lettered: dict[str, Any] = {"position": found.column("position")}
    for name in columns.lettered.values():
        lettered[name], lettered[f"{name}_length"] = letters(found.column(name))
    make_table(con, "lettered", **lettered)
    made = "".join(f", {sql} AS {name}" for sql, name in columns.made.items())
    rarity = "".join(f", common_{term}" for term in terms)
    con.execute(f"""
        CREATE OR REPLACE TABLE sketch AS
        SELECT lettered.*{made}{rarity} FROM feature JOIN lettered USING (position) WHERE NOT is_firm
    """)
    con.execute("DROP TABLE lettered")


def _at_most(scale: Scale, columns: Columns) -> str:
    """SQL over two sketches: no less than what the comparison adds."""
    bound = _number(scale.grades[-1].weight)
    for grade in reversed(scale.grades[:-1]):
        reached = relaxed(grade.sql, columns)
        weight = _number(grade.weight)
        if grade.term is not None:
            weight += f" + {rarity_sql(grade, common(grade.term))}"
        if reached is None:
            bound = f"greatest({weight}, {bound})"
        elif reached.exact:
            bound = f"CASE WHEN {reached.sql} THEN {weight} ELSE {bound} END"
        else:
            bound = f"greatest(CASE WHEN {reached.sql} THEN {weight} ELSE {_number(_NEVER)} END, {bound})"
    missing = relaxed(scale.missing, columns)
    if missing is not None and missing.exact:
        return f"CASE WHEN {missing.sql} THEN {_number(0)} ELSE {bound} END"
    return f"CASE WHEN {_stated(scale, columns)} THEN greatest({_number(0)}, {bound}) ELSE {_number(0)} END"


def _stated(scale: Scale, columns: Columns) -> str:
    """SQL over two sketches: both may state what is compared."""
    stated = relaxed(f"NOT ({scale.missing})", columns)
    return "true" if stated is None else stated.sql


def _most(grade: Grade, stated: Mapping[str, int]) -> float:
    """What a level adds at most, however rare what agrees is: no rarer than once in all that is stated."""
    if grade.term is None:
        return grade.weight
    return grade.weight + max(0.0, grade.share * (grade.usual + math.log2(max(stated.get(grade.term, 0), 1))))


def _number(number: float) -> str:
    return f"({number!r})::DOUBLE"
