"""Every row is accounted for, whatever a source holds and its `.sql` makes of it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insight.records.account import Account
from orchestration.errors import SourceError
from tests.effort import EFFORT
from tests.integration.records.case import case
from tests.integration.sources.folders import Rows
from tests.integration.sources.folders import rows as rows_of

ORGANISATION = "SELECT 'row' AS source_table, _key AS source_key, firm AS name FROM row WHERE kind IN ('firm', 'both')"
PERSON = "SELECT 'row' AS source_table, _key AS source_key, who AS name FROM row WHERE kind IN ('person', 'both')"
DEAL = "SELECT 'row' AS source_table, _key AS source_key, who AS name FROM row WHERE kind = 'deal'"
SUPPORTING = (
    "SELECT 'row' AS source_table, _key AS source_key, 'row:' || completed AS completes FROM row "
    "WHERE kind IN ('detail', 'firm')"
)
REJECT = (
    "SELECT 'row' AS source_table, _key AS source_key, 'unknown:kind' AS reason, 'who knows' AS detail FROM row "
    "WHERE kind = 'odd'"
)
KINDS = ("firm", "person", "both", "deal", "detail", "odd", "silent")

ROW = st.fixed_dictionaries(
    {
        "id": st.one_of(st.none(), st.integers(1, 6).map(str)),
        "kind": st.sampled_from(KINDS),
        "firm": st.sampled_from(["Dale", "n/a", None]),
        "completed": st.one_of(st.none(), st.integers(1, 7).map(str)),
        "who": st.sampled_from(["Ann Dale", "", None]),
        "gone": st.sampled_from(["0", "1", None]),
    }
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all examples, so that what did not change is not made again."""
    return tmp_path_factory.mktemp("account")


def run(folder: Path, rows: list[dict[str, Any]]) -> tuple[Account, int, int]:
    """The account of the table, and how many records and rows in quarantine there are."""
    spec = {"tables": {"row": {"columns": ["kind", "firm", "who", "completed"], "deleted": "gone"}}}
    shapes = {"organisation": ORGANISATION, "person": PERSON, "deal": DEAL}
    made = case(folder, {"row": rows}, spec=spec, **shapes, supporting=SUPPORTING, reject=REJECT)
    found = made.run()
    quarantined = len(found.quarantine()) + sum(len(found.quarantine(shape)) for shape in shapes)
    return found.accounts()["row"], sum(len(rows_of(one.record)) for one in found.records.shapes.values()), quarantined


@pytest.mark.law
@settings(max_examples=8 * EFFORT)
@given(rows=st.lists(ROW, min_size=1, max_size=8))
def test_the_account_always_balances(place: Path, rows: list[dict[str, Any]]) -> None:
    account, records, quarantined = run(place, rows)

    live = [row for row in rows if row["gone"] != "1"]
    keys = Counter(row["id"] for row in live if row["id"] is not None)
    silent = account.unaccounted
    assert account.rows == len(live)
    assert account.records + account.facts == records
    assert account.quarantined == quarantined
    # Each row is in at least one of the counts, and each row without a key of its own is in quarantine.
    assert account.rows <= account.records + account.facts + account.supporting + account.quarantined + silent
    assert account.quarantined >= len(live) - len(keys)
    if not any(row["kind"] in {"silent", "detail"} for row in live):
        assert silent == 0
    if len(live) == len(keys):
        driving = {row["id"] for row in live if row["kind"] not in {"silent", "detail"}}
        completing = sum(row["kind"] == "detail" and row["completed"] in driving for row in live)
        assert account.supporting == completing
        assert silent == sum(row["kind"] in {"silent", "detail"} for row in live) - completing


def row(key: str, kind: str, *, firm: str | None = None, completed: str | None = None) -> dict[str, Any]:
    return {"id": key, "kind": kind, "firm": firm, "completed": completed, "who": None, "gone": None}


def test_a_row_that_nothing_is_made_of_is_unaccounted(tmp_path: Path) -> None:
    account, _, _ = run(tmp_path, [row("1", "silent")])
    assert (account.rows, account.unaccounted) == (1, 1)


def test_a_row_whose_key_another_used_row_has_does_not_speak_for_it(tmp_path: Path) -> None:
    account, _, _ = run(tmp_path, [row("1", "silent", firm=name) for name in ("a", "b")])
    assert (account.rows, account.quarantined, account.unaccounted) == (2, 1, 1)


def test_a_refused_row_is_in_quarantine_with_its_reason(tmp_path: Path) -> None:
    rows = [row("1", "odd", firm="Dale")]
    spec = {"tables": {"row": {"columns": ["kind", "firm", "who", "completed"], "deleted": "gone"}}}
    found = case(tmp_path, {"row": rows}, spec=spec, organisation=ORGANISATION, reject=REJECT).run()
    (refused,) = found.quarantine()
    assert (refused["record_id"], refused["shape"], refused["reason"], refused["detail"]) == (
        "crm:row:1",
        "any",
        "unknown:kind",
        "who knows",
    )
    assert '"firm":"Dale"' in refused["row"]


def test_a_row_completes_only_a_row_that_is_something_without_it(tmp_path: Path) -> None:
    firm = row("1", "firm", firm="Dale", completed="2")
    rows = [
        firm,
        row("2", "detail", completed="1"),
        row("3", "detail", completed="2"),
        row("4", "detail", completed="4"),
        row("5", "detail", completed="9"),
        row("6", "detail"),
        row("7", "silent"),
    ]
    account, _, _ = run(tmp_path, rows)
    assert (account.rows, account.records, account.supporting, account.unaccounted) == (7, 1, 1, 5)


def test_a_row_may_complete_one_that_only_completes_others_by_name(tmp_path: Path) -> None:
    invoice = (
        "SELECT 'head' AS source_table, head._key AS source_key, '1' AS amount, '1' AS amount_open, "
        "'GBP' AS currency, ['line:' || line._key] AS supported_by FROM head JOIN line ON line.head = head.id"
    )
    supporting = "SELECT 'tax' AS source_table, _key AS source_key, 'line:' || line AS completes FROM tax"
    tables: dict[str, Rows] = {
        "head": [{"id": 1}],
        "line": [{"id": 2, "head": 1}],
        "tax": [{"id": 3, "line": 2}, {"id": 4, "line": 5}],
    }
    found = case(tmp_path, tables, invoice=invoice, supporting=supporting).run().accounts()
    assert (found["line"].supporting, found["tax"].supporting, found["tax"].unaccounted) == (1, 1, 1)


@pytest.mark.parametrize("completes", ["'rows:1'", "'row'", "_key"])
def test_what_cannot_name_a_completed_row_is_refused(tmp_path: Path, completes: str) -> None:
    supporting = f"SELECT 'row' AS source_table, _key AS source_key, {completes} AS completes FROM row"
    with pytest.raises(SourceError, match="in completes; needed table:_key, with a table that"):
        case(tmp_path, {"row": [row("1", "detail")]}, organisation=ORGANISATION, supporting=supporting).run()


def test_a_supporting_row_has_to_say_what_it_completes(tmp_path: Path) -> None:
    supporting = "SELECT 'row' AS source_table, _key AS source_key FROM row"
    with pytest.raises(SourceError, match="no column 'completes'"):
        case(tmp_path, {"row": [row("1", "detail")]}, organisation=ORGANISATION, supporting=supporting).run()
