"""The ERP's tool server writes to the ERP that Northgate builds, in SQLite and in Postgres."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from examples.northgate.build import Targets, build
from examples.northgate.plan import Plan
from examples.northgate.tools.reminders import Erp
from orchestration.contracts import OutcomeState
from orchestration.gate.permits import sign
from tests.integration.gate.test_erp import ARGUMENTS, KEY, NOW, a_permit

INVOICE = """
    SELECT t.id, t.entity, l.foreignamountunpaid FROM "transaction" AS t
    JOIN transaction_line AS l ON l."transaction" = t.id AND l.mainline = 'T'
    WHERE t.type = 'CustInvc' AND CAST(l.foreignamountunpaid AS NUMERIC) {condition} ORDER BY t.id LIMIT 1
"""


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        database: str = request.getfixturevalue("postgres_database")
        build(Plan(records=600), Targets(tmp_path / "northgate", {"erp": database}))
        return database
    build(Plan(records=600), Targets(tmp_path / "northgate"))
    return f"sqlite:///{tmp_path / 'northgate' / 'erp.db'}"


@pytest.fixture
def books(url: str) -> Iterator[Engine]:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    yield engine
    engine.dispose()


def test_an_open_invoice_is_reminded_of_once_and_a_paid_one_never(url: str, books: Engine) -> None:
    erp = Erp(url, KEY.public_key())
    with books.connect() as connection:
        known = connection.execute(text("SELECT max(id) FROM customrecord_dunning")).scalar_one()
        unpaid = connection.execute(text(INVOICE.format(condition="> 0"))).one()
        paid = connection.execute(text(INVOICE.format(condition="= 0"))).one()
    states = []
    for invoice in (unpaid, unpaid, paid):
        arguments = {**ARGUMENTS, "invoice": str(invoice.id), "customer": str(invoice.entity)}
        key = f"reminder:erp:transaction:{invoice.id}:1"
        permit = sign(a_permit(tool_arguments=arguments, effect_key=key), KEY)
        result = erp.write_payment_reminder(arguments, key, permit, lambda: NOW)
        states.append((result.state, result.repeated))
    erp.close()
    assert states == [(OutcomeState.DONE, False), (OutcomeState.DONE, True), (OutcomeState.FAILED, False)]
    with books.connect() as connection:
        fresh = connection.execute(text("SELECT * FROM customrecord_dunning WHERE custrecord_effect_key IS NOT NULL"))
        (row,) = fresh.mappings()
    assert (row["id"], row["custrecord_invoice"], row["custrecord_customer"]) == (known + 1, unpaid.id, unpaid.entity)
    assert row["custrecord_created_by"] == "precede"
