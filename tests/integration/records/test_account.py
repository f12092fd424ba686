"""Every row is accounted for, whatever a source holds and its `.sql` makes of it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insight.records import every
from insight.records.account import Account, by_system
from tests.integration.records.case import case

ORGANISATION = "SELECT 'row' AS source_table, _key AS source_key, firm AS name FROM row WHERE kind IN ('firm', 'both')"
PERSON = "SELECT 'row' AS source_table, _key AS source_key, who AS name FROM row WHERE kind IN ('person', 'both')"
DEAL = "SELECT 'row' AS source_table, _key AS source_key, who AS name FROM row WHERE kind = 'deal'"
SUPPORTING = "SELECT 'row' AS source_table, _key AS source_key FROM row WHERE kind IN ('detail', 'firm')"
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
        "who": st.sampled_from(["Ann Dale", "", None]),
        "gone": st.sampled_from(["0", "1", None]),
    }
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all examples, so that what did not change is not made again."""
    return tmp_path_factory.mktemp("account")


def run(folder: Path, rows: list[dict[str, Any]], *, supporting: bool) -> tuple[Account, int, int]:
    """The account of the table, and how many records and rows in quarantine there are."""
    spec = {"tables": {"row": {"columns": ["kind", "firm", "who"], "deleted": "gone", "supporting": supporting}}}
    shapes = {"organisation": ORGANISATION, "person": PERSON, "deal": DEAL}
    made = case(folder, {"row": rows}, spec=spec, **shapes, supporting=SUPPORTING, reject=REJECT)
    found = made.run()
    quarantined = len(found.quarantine()) + sum(len(found.quarantine(shape)) for shape in shapes)
    return found.accounts()["row"], sum(one.record_count for one in found.records.shapes.values()), quarantined


@settings(max_examples=15)
@given(rows=st.lists(ROW, min_size=1, max_size=8), supporting=st.booleans())
def test_the_account_always_balances(place: Path, rows: list[dict[str, Any]], supporting: bool) -> None:  # noqa: FBT001
    account, records, quarantined = run(place, rows, supporting=supporting)

    live = [row for row in rows if row["gone"] != "1"]
    keys = Counter(row["id"] for row in live if row["id"] is not None)
    silent = account.unaccounted
    assert account.rows == len(live)
    assert account.records + account.facts == records
    assert account.quarantined == quarantined
    # Each row is in at least one of the counts, and each row without a key of its own is in quarantine.
    assert account.rows <= account.records + account.facts + account.supporting + account.quarantined + silent
    assert account.quarantined >= len(live) - len(keys)
    if supporting:
        assert silent == 0
    if not any(row["kind"] == "silent" for row in live):
        assert silent == 0
    if len(live) == len(keys):
        assert silent == (0 if supporting else sum(row["kind"] == "silent" for row in live))
        detail = {"detail", "silent"} if supporting else {"detail"}
        assert account.supporting == sum(row["kind"] in detail for row in live)


def test_a_row_that_nothing_is_made_of_is_unaccounted(tmp_path: Path) -> None:
    account, _, _ = run(
        tmp_path, [{"id": "1", "kind": "silent", "firm": None, "who": None, "gone": None}], supporting=False
    )
    assert (account.rows, account.unaccounted) == (1, 1)


def test_a_row_whose_key_another_used_row_has_does_not_speak_for_it(tmp_path: Path) -> None:
    twice = [{"id": "1", "kind": "silent", "firm": name, "who": None, "gone": None} for name in ("a", "b")]
    account, _, _ = run(tmp_path, twice, supporting=False)
    assert (account.rows, account.quarantined, account.unaccounted) == (2, 1, 1)


def test_a_refused_row_is_in_quarantine_with_its_reason(tmp_path: Path) -> None:
    rows = [{"id": "1", "kind": "odd", "firm": "Dale", "who": None, "gone": None}]
    spec = {"tables": {"row": {"columns": ["kind", "firm", "who"], "deleted": "gone"}}}
    found = case(tmp_path, {"row": rows}, spec=spec, organisation=ORGANISATION, reject=REJECT).run()
    (row,) = found.quarantine()
    assert (row["record_id"], row["shape"], row["reason"], row["detail"]) == (
        "crm:row:1",
        "any",
        "unknown:kind",
        "who knows",
    )
    assert '"firm":"Dale"' in row["row"]


def test_systems_are_summed(tmp_path: Path) -> None:
    tables = {"row": [{"id": "1", "kind": "firm", "firm": "Dale", "who": None}], "more": [{"id": "1"}, {"id": "2"}]}
    spec = {"tables": {"more": {"supporting": True}}}
    found = case(tmp_path, tables, spec=spec, organisation=ORGANISATION).run()
    accounts = every.accounts([found.case.source], found.landed, found.records)
    assert by_system(accounts) == {
        "crm": {"rows": 3, "records": 1, "facts": 0, "supporting": 2, "quarantined": 0, "unaccounted": 0}
    }
