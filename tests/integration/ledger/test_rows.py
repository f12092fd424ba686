"""What is written down without making values first is what those values give."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Table, select, text

from orchestration import canonical
from orchestration.ledger import links, rows
from orchestration.ledger.digests import Digests
from orchestration.store import tables
from orchestration.store.engine import Store
from tests.integration.ledger.story import undone

TABLES = [tables.proposal, tables.decision, tables.permit, tables.outbox, tables.trigger_row, tables.batch]
JSON_TEXT = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_row_has_the_digest_that_its_values_have(told: Store, table: Table) -> None:
    with told.read() as connection:
        plainly = [dict(row) for row in connection.execute(select(table)).mappings()]
        assert plainly
        assert [rows.digest(row) for row in rows.rows(connection, table)] == [canonical.digest(row) for row in plainly]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("decided_at", "2026-11-02 09:00:00"),
        ("decided_at", "2026-11-02 09:00:00.000000"),
        ("decided_at", "2026-11-02 09:00:00.100000"),
        ("reasons", ' [ {"b" : 1.0, "a" : "\\u00e9" } ] '),
        ("reasons", "null"),
        ("snapshot_id", None),
        ("snapshot_id", 'a "quoted" \\ näme\t\x01'),
        ("transient", 1),
    ],
)
def test_whatever_the_form_of_a_value_its_digest_is_the_same(settled_file: Store, column: str, value: object) -> None:
    with undone(settled_file) as connection:
        connection.execute(text(f"UPDATE decision SET {column} = :value"), {"value": value})
        plainly = [dict(row) for row in connection.execute(select(tables.decision)).mappings()]
        found = [rows.digest(row) for row in rows.rows(connection, tables.decision)]
        assert found == [canonical.digest(row) for row in plainly]


@pytest.mark.parametrize(
    ("column", "value"), [("reasons", "{no JSON"), ("decided_at", "yesterday"), ("transient", 7), ("verdict", b"\xff")]
)
def test_what_is_no_value_at_all_is_told_and_breaks_nothing(settled_file: Store, column: str, value: object) -> None:
    with undone(settled_file) as connection:
        before = [rows.digest(row) for row in rows.rows(connection, tables.decision)]
        connection.execute(text(f"UPDATE decision SET {column} = :value"), {"value": value})
        after = [rows.digest(row) for row in rows.rows(connection, tables.decision)]
    assert not set(before) & set(after)


HELD = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(2**53 - 2, 2**53 + 2)
    | st.floats()
    | st.text()
    | st.sampled_from(
        ["\ud800", 'a "quoted" \\ näme\t\x01\x7f\u2028', "\U0001f600", b"\xff", "2026-11-02 09:00:00.100000"]
    )
    | JSON_TEXT.map(json.dumps)
    | st.text(max_size=3).map(
        lambda text: f'{{"{text}": 1e400, "long enough to be read for this one row alone, as it is": 1.0}}'
    )
)


@given(st.lists(HELD, min_size=20, max_size=20))
def test_a_row_written_at_once_has_the_digest_that_it_has_value_by_value(held: list[Any]) -> None:
    for table in TABLES:
        names = [column.name for column in table.columns]
        digests = Digests(table.columns, dict)
        for row in (held[: len(names)], held[-len(names) :]):
            made = [rows.made(column, value) for column, value in zip(table.columns, row, strict=True)]
            assert digests(row) == rows.digest(dict(zip(names, made, strict=True)))


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), JSON_TEXT, max_size=5))
def test_the_parts_of_a_payload_are_its_members_and_their_text(payload: dict[str, Any]) -> None:
    entry = links.Entry(1, "k", None, None, None, None, None, "salt", canonical.canonical(payload).decode())
    said = json.loads(entry.payload)
    assert entry.covers() == said
    assert {name: part for name, (_, part) in entry.parts().items()} == {
        name: canonical.canonical(value).decode() for name, value in said.items()
    }


@pytest.mark.parametrize(
    "payload", ["", "[]", "{", '{"a"', '{"a":', '{"a":1', '{"a":1}x', '{ "a":1}', "[" * 9999, None, 7]
)
def test_a_payload_that_is_not_canonical_has_no_parts(payload: object) -> None:
    assert links.Entry(1, "k", None, None, None, None, None, "salt", payload).parts() == {}
