"""Way A of making dirt: its rates. The slips are in `slips.sql`, where they strike in `*_row.sql`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import duckdb

from examples.northgate.dirt.way import Dirt

HELD: Final = {
    # table: share of rows that hold (vat, number, phone, email, website, address, mobile, twin)
    "company": (0.46, 0.30, 0.74, 0.00, 0.84, 0.80, 0.00, 0.10),
    "customer": (0.80, 0.42, 0.72, 0.86, 0.35, 0.93, 0.30, 0.05),
    "vendor": (0.86, 0.45, 0.70, 0.80, 0.30, 0.92, 0.00, 0.03),
    "organization": (0.22, 0.00, 0.00, 0.00, 0.90, 0.00, 0.00, 0.06),
    "contact": (0.00, 0.00, 0.68, 0.87, 0.00, 0.35, 0.56, 0.09),
    "user": (0.00, 0.00, 0.30, 0.96, 0.00, 0.00, 0.24, 0.08),
}

RATES: Final = {
    "old address": 0.45,
    "role mailbox": 0.10,
    "private mailbox": 0.18,
    "name missing": 0.005,
    "name abbreviated": 0.09,
    "name typed wrong": 0.06,
    "town in name": 0.03,
    "both names": 0.15,
    "remark in name": 0.015,
    "name garbled": 0.02,
    "vat word": 0.10,
    "vat of another": 0.014,
    "vat typed wrong": 0.015,
    "number typed wrong": 0.012,
    "phone typed wrong": 0.03,
    "email typed wrong": 0.012,
    "website elsewhere": 0.01,
    "address lines swapped": 0.10,
    "street typed wrong": 0.05,
    "city missing": 0.04,
    "county as city": 0.02,
    "postcode missing": 0.06,
    "postcode typed wrong": 0.03,
    "short given name": 0.20,
    "initial alone": 0.06,
    "given name typed wrong": 0.03,
    "middle initial": 0.06,
    "married name": 0.015,
    "family name typed wrong": 0.04,
    "names swapped": 0.035,
    "names in one field": 0.03,
    "title in name": 0.025,
    "phone in mobile": 0.03,
    "amount unreadable": 0.0012,
    "date impossible": 0.003,
}

WORLD: Final = {
    "group_share": 0.11,
    "shared_place_share": 0.11,
    "mover_share": 0.10,
    "staff_scale": 2.6,
}


def spoil(con: duckdb.DuckDBPyConnection) -> None:
    """Make `organisation_row` and `person_row`, spoilt in SQL."""
    for name in ("organisation_row", "person_row"):
        con.execute(Path(__file__).with_name(f"{name}.sql").read_text(encoding="utf-8"))


DIRT: Final = Dirt(spoil=spoil, rates=RATES, held=HELD, world=WORLD)
