"""The data version of a table: a digest of its rows that does not depend on their order.

Each row hash, a SHA-256, is cut into four numbers of 64 bits, and the numbers of all rows are added up, each by itself:
added rows are added and removed ones subtracted, so that the version after a change costs what changed. No row needs
sorting. A hash holds the key columns too, and a key is unique, so that the same row is never in it twice.

Two tables that differ have the same sums by chance once in 2**256 pairs. On purpose it is easier: who may write some
ten thousand rows at once, each with a text of his choice, can find other texts for all of them with the same sums
(Wagner's generalised birthday attack). He would have hidden a change of his own rows until any row changes again. What
the ledger proves rests on the hash of each row, never on these sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import duckdb

from insight.stage import version_of

_LIMBS: Final = 4
_SUMS: Final = ", ".join(
    f"coalesce(sum(('0x' || substr(_row_hash, {1 + 16 * limb}, 16))::UBIGINT), 0)" for limb in range(_LIMBS)
)


@dataclass(frozen=True, slots=True)
class Content:
    """How many rows there are, and the sums of their hashes."""

    rows: int = 0
    sums: tuple[int, ...] = (0,) * _LIMBS

    def __add__(self, other: Content) -> Content:
        return Content(self.rows + other.rows, tuple(map(sum, zip(self.sums, other.sums, strict=True))))

    def __sub__(self, other: Content) -> Content:
        return self + Content(-other.rows, tuple(-one for one in other.sums))

    def __str__(self) -> str:
        return " ".join(map(str, (self.rows, *self.sums)))

    @classmethod
    def stated(cls, text: str) -> Content:
        """The content that was written as `str` writes it."""
        rows, *sums = map(int, text.split())
        return cls(rows, tuple(sums))

    def version(self, shape: str, refused: str) -> str:
        """The data version of a table with these rows.

        Args:
            shape: A digest of its columns and of which of them are its key.
            refused: A digest of its rejected rows.
        """
        return version_of(shape, str(self), refused)


def contents(connection: duckdb.DuckDBPyConnection, relation: str, by: str = "''") -> dict[str, Content]:
    """The content of a relation with a column `_row_hash`, for each value of an expression."""
    found = connection.execute(f"SELECT {by}, count(*), {_SUMS} FROM {relation} GROUP BY 1").fetchall()
    return {row[0]: Content(row[1], tuple(map(int, row[2:]))) for row in found}


def content(connection: duckdb.DuckDBPyConnection, relation: str) -> Content:
    """The content of a relation with a column `_row_hash`."""
    return contents(connection, relation).get("", Content())


def refused(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, int]]:
    """System to a digest of its rows in `rejected`, and how many they are."""
    found = connection.execute(
        "SELECT _system, sha256(string_agg(concat_ws(chr(31), record_id, reason, row_hash), chr(30) "
        "ORDER BY record_id, reason, row_hash)), count(*) FROM rejected GROUP BY 1"
    ).fetchall()
    return {row[0]: (row[1], row[2]) for row in found}
