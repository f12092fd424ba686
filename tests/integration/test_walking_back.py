"""Every effect is walked back to the rows that the sources held then, whatever became of them and of the graph."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from insight.sources.loading import load_sources
from orchestration.cli.main import main
from orchestration.settings import PROJECT
from orchestration.store import tables
from tests.integration.house import House

SOURCES = {source.system: source for source in load_sources(PROJECT / "insight" / "sources")}
Row = dict[str, Any]


class Walk(NamedTuple):
    """One effect's trace, and the very rows as the sources held them when it was decided."""

    trace: Row
    held: dict[str, Row]

    @property
    def rows(self) -> dict[str, Row]:
        """The trace's source rows by id."""
        return {row["record_id"]: row for row in self.trace["source_rows"]}


@pytest.fixture(scope="module")
def walks(settled_home: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Walk]:
    """Every effect, traced after the sources have changed, the graph was published anew and its first file removed."""
    home = tmp_path_factory.mktemp("changed") / "home"
    shutil.copytree(settled_home, home)
    with pytest.MonkeyPatch.context() as environment, pytest.MonkeyPatch.context() as arguments:
        house = House(home, environment)
        done = [row["action"] for row in house.rows(tables.outbox) if row["state"] == "done"]
        kept = {row["action"]: row["source_rows"] for row in house.rows(tables.evidence)}
        held = {action: {row["record_id"]: _held(home, row) for row in kept[action]} for action in done}
        house.do("erp", "UPDATE transaction_line SET foreignamountunpaid = '0.01' WHERE mainline = 'T'")
        house.do("erp", "UPDATE entity_address SET addr1 = 'Moved', city = 'Elsewhere'")
        decided_on = {row["snapshot_id"] for row in house.rows(tables.decision)}
        house.run("reconcile")
        assert house.snapshot() not in decided_on
        for snapshot in decided_on:
            (house.settings.snapshots / f"{snapshot}.duckdb").unlink(missing_ok=True)
        shutil.rmtree(house.settings.landing)
        assert house.problems() == []
        return [Walk(_traced(action, arguments), held[action]) for action in done]


def _held(home: Path, row: Row) -> Row:
    """The row that its source holds under that key, as text."""
    table = SOURCES[row["system"]].tables[row["source_table"]]
    where = " AND ".join(f'CAST("{column}" AS TEXT) = ?' for column in table.key)
    with closing(sqlite3.connect(home / "northgate" / f"{row['system']}.db")) as books:
        books.row_factory = sqlite3.Row
        query = f'SELECT * FROM "{row["source_table"]}" WHERE {where}'
        (found,) = books.execute(query, row["source_key"].split("|")).fetchall()
    return {name: None if found[name] is None else str(found[name]) for name in found.keys()}  # noqa: SIM118


def _traced(action: str, arguments: pytest.MonkeyPatch) -> Row:
    """What `precede trace ACTION --json` prints."""
    printed: list[str] = []
    arguments.setattr(sys, "argv", ["precede", "trace", action, "--json"])
    arguments.setattr(sys.stdout, "write", printed.append)
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    found: Row = json.loads("".join(printed))
    return found


def test_the_line_that_carries_the_open_amount_is_there_as_it_was(walks: list[Walk]) -> None:
    assert walks
    for walk in walks:
        invoice, fact = walk.trace["arguments"]["invoice"], walk.trace["read_set"]["facts"]["invoice"]
        (line,) = [row for row in walk.rows.values() if row["source_table"] == "transaction_line"]
        assert line["supports"] == [invoice]
        assert line["row"]["transaction"] == walk.rows[invoice]["row"]["id"]
        assert Decimal(line["row"]["foreignamountunpaid"]) == Decimal(fact["fields"]["amount_open"])
        assert line["row"]["foreignamountunpaid"] == walk.held[line["record_id"]]["foreignamountunpaid"]


def test_every_row_is_byte_for_byte_what_its_source_held(walks: list[Walk]) -> None:
    for walk in walks:
        assert walk.rows.keys() == walk.held.keys()
        for record_id, row in walk.rows.items():
            assert row["row"] == {name: walk.held[record_id][name] for name in row["row"]}


def test_every_element_of_the_read_set_has_its_rows(walks: list[Walk]) -> None:
    for walk in walks:
        kept = walk.trace["entities"]
        own = {record_id.removesuffix("#person") for record_id in _records(kept)}
        merged = {row["record_id"] for row in kept["crosswalk"] if row["reason"] == "alias"}
        assert own - merged <= walk.rows.keys()
        works_at = walk.trace["read_set"]["relationships"]["employment"]
        people = [row["record_id"] for row in kept["crosswalk"] if row["entity_id"] == works_at["from"]]
        assert set(people) - merged <= {*walk.rows, *(f"{row}#person" for row in walk.rows)}
        mailbox = walk.trace["arguments"]["mailbox"]
        stating = [walk.rows[one["record_id"].removesuffix("#person")]["row"] for one in kept["contact_points"]]
        assert stating
        assert all(mailbox in {str(value).strip().lower() for value in row.values()} for row in stating)


def _records(kept: Row) -> set[str]:
    golden = {one["record"] for fields in kept["golden"].values() for one in fields.values() if one["record"]}
    named = {one["record_id"] for part in ("crosswalk", "contact_points", "facts") for one in kept[part]}
    return golden | named


def test_the_address_and_the_currency_of_a_customer_are_there(walks: list[Walk]) -> None:
    for walk in walks:
        customers = {one for one in walk.rows if one.startswith("erp:customer:")}
        assert customers & _completed_by("entity_address", walk)
        assert walk.trace["arguments"]["invoice"] in _completed_by("currency", walk)


def _completed_by(table: str, walk: Walk) -> set[str]:
    return {record for row in walk.rows.values() if row["source_table"] == table for record in row["supports"]}


def test_the_materialisations_of_every_rows_table_are_pinned(walks: list[Walk]) -> None:
    for walk in walks:
        pinned = {pin["asset_key"] for pin in walk.trace["materialisations"]}
        assert {f"{row['system']}/{row['source_table']}" for row in walk.rows.values()} <= pinned
        assert walk.trace["problems"] == []
