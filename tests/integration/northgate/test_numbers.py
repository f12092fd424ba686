"""Numbers are as their issuers make them, and each firm has its own."""

from __future__ import annotations

import re
from collections.abc import Iterator

import duckdb
import phonenumbers
import pytest
from stdnum.gb import vat

from examples.northgate.engine import open_engine, run
from examples.northgate.plan import Plan

FIRMS = 20_000


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_engine(Plan(records=100_000), tmp_path_factory.mktemp("engine")) as con:
        run(con, "world/organisation")
        yield con


def column(engine: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    return [row[0] for row in engine.execute(query).fetchall()]


def test_vat_numbers_pass_the_check_of_their_digits_and_are_different(engine: duckdb.DuckDBPyConnection) -> None:
    numbers = column(engine, f"SELECT vat_number(n) FROM range({FIRMS}) AS firms (n)")

    assert [number for number in numbers if not vat.is_valid(number)] == []
    assert len(set(numbers)) == FIRMS


def test_company_numbers_look_like_those_of_their_registrar_and_are_different(
    engine: duckdb.DuckDBPyConnection,
) -> None:
    numbers = column(engine, "SELECT company_number FROM organisation WHERE company_number IS NOT NULL")

    assert [number for number in numbers if not re.fullmatch(r"(\d\d|SC|NI|OC)\d{6}", number)] == []
    assert len(set(numbers)) == len(numbers) > 10_000
    assert {number[:2] for number in numbers} >= {"SC", "NI", "OC"}


def test_telephone_numbers_can_be_dialled(engine: duckdb.DuckDBPyConnection) -> None:
    landlines = column(
        engine,
        "SELECT telephone(n, getvariable('towns')[1 + n % len(getvariable('towns'))]) FROM range(2000) AS firms (n)",
    )
    mobiles = column(engine, "SELECT mobile(n) FROM range(2000) AS people (n)")
    invalid = [
        number for number in landlines + mobiles if not phonenumbers.is_valid_number(phonenumbers.parse(number, "GB"))
    ]

    assert invalid == []


def test_draws_do_not_hang_on_each_other(engine: duckdb.DuckDBPyConnection) -> None:
    mean, alike, across = engine.execute("""
        SELECT avg(u(n, 'a')), corr(u(n, 'a'), u(n, 'b')), corr(u(n, 'a'), u(n + 1, 'a'))
        FROM range(100000) AS keys (n)
    """).fetchall()[0]

    assert mean == pytest.approx(0.5, abs=0.01)
    assert alike == pytest.approx(0, abs=0.02)
    assert across == pytest.approx(0, abs=0.02)
