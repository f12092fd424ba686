"""Way B of making dirt: its rates, and the walk over the rows. The slips are Python's, none of them way A's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa

from examples.northgate.dirt import organisation_b, person_b
from examples.northgate.dirt.luck import Luck
from examples.northgate.dirt.way import Dirt

Row = dict[str, Any]

HELD: Final = {
    # table: share of rows that hold (vat, number, phone, email, website, address, mobile, twin)
    "company": (0.50, 0.22, 0.68, 0.00, 0.88, 0.75, 0.00, 0.12),
    "customer": (0.76, 0.50, 0.66, 0.82, 0.42, 0.90, 0.25, 0.06),
    "vendor": (0.80, 0.50, 0.60, 0.84, 0.40, 0.88, 0.00, 0.04),
    "organization": (0.26, 0.00, 0.00, 0.00, 0.88, 0.00, 0.00, 0.07),
    "contact": (0.00, 0.00, 0.70, 0.90, 0.00, 0.25, 0.60, 0.10),
    "user": (0.00, 0.00, 0.35, 0.95, 0.00, 0.00, 0.30, 0.09),
}

RATES: Final = {
    "old address": 0.35,
    "role mailbox": 0.10,
    "private mailbox": 0.18,
    "amount unreadable": 0.0015,
    "date impossible": 0.005,
}

WORLD: Final = {
    "group_share": 0.13,
    "shared_place_share": 0.08,
    "mover_share": 0.08,
    "staff_scale": 2.4,
}

_CHUNK: Final = 50_000
_DRAWS: Final = 96
_NEAR: Final = 17


def spoil(con: duckdb.DuckDBPyConnection) -> None:
    """Make `organisation_row` and `person_row`, spoilt row by row in Python."""
    seed = int(con.sql("SELECT getvariable('seed')").fetchall()[0][0])
    short_names = dict(con.sql("SELECT given_name, short_form FROM short_name").fetchall())

    def organisation(row: Row, luck: Luck, chunk: list[Row], place: int) -> Row:
        return organisation_b.spoil(row, luck, chunk[(place + _NEAR) % len(chunk)]["vat"])

    def person(row: Row, luck: Luck, _chunk: list[Row], _place: int) -> Row:
        return person_b.spoil(row, luck, short_names)

    _spoil(con, "organisation", seed, organisation)
    _spoil(con, "person", seed, person)


def _spoil(
    con: duckdb.DuckDBPyConnection, record_type: str, seed: int, change: Callable[[Row, Luck, list[Row], int], Row]
) -> None:
    rows = con.cursor().sql(
        f"SELECT * FROM {record_type}_seen JOIN (SELECT * EXCLUDE has_twin FROM held) USING (tab) ORDER BY seen"
    )
    schema: pa.Schema | None = None
    for number, batch in enumerate(rows.to_arrow_reader(_CHUNK)):
        numbers = np.random.default_rng([seed, number, len(record_type)]).random((batch.num_rows, _DRAWS)).tolist()
        chunk = batch.to_pylist()
        spoilt = [change(row, Luck(numbers[place]), chunk, place) for place, row in enumerate(chunk)]
        schema = schema or _schema(spoilt[0], batch.schema)
        table = pa.Table.from_pylist(spoilt, schema=schema)
        verb = f"INSERT INTO {record_type}_row" if number else f"CREATE TABLE {record_type}_row AS"
        con.register("spoilt", table)
        con.execute(f"{verb} SELECT * FROM spoilt ORDER BY seen")


def _schema(row: Row, seen: pa.Schema) -> pa.Schema:
    kept = {name: seen.field(name).type for name in seen.names if name in row}
    own = {"usable": pa.bool_()}
    return pa.schema([(name, own.get(name) or kept.get(name) or pa.string()) for name in row])


DIRT: Final = Dirt(spoil=spoil, rates=RATES, held=HELD, world=WORLD)
