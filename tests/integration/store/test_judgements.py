"""Judgements in the store: append-only, in the ledger, and as the Parquet that insight is handed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import settings as fewer
from hypothesis import strategies as st
from sqlalchemy import text

from insight import judgements as handed
from insight import layers
from orchestration import judgements
from orchestration.contracts import SnapshotId
from orchestration.errors import ConfigurationError, NotFound
from orchestration.graph.reader import EntityGraph
from orchestration.judgements import Pair, PairVerdict, disputed, judge, pair_of, settle
from orchestration.ledger.chain import said
from orchestration.ledger.verify import record_of
from orchestration.settings import Settings
from orchestration.store import tables
from orchestration.store.engine import Store, open_store
from tests.effort import EFFORT
from tests.graph_fixture import build_graph

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
ELM = ("support:organization:15", "crm:company:5")


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EntityGraph]:
    path = tmp_path_factory.mktemp("graph") / "graph.duckdb"
    build_graph(path)
    with closing(EntityGraph(path)) as opened:
        yield opened


@pytest.fixture
def store(either: Settings) -> Iterator[Store]:
    with closing(open_store(either)) as opened:
        yield opened


def last(store: Store) -> list[tuple[str, str, str]]:
    with store.read() as connection:
        return [(one["record_a"], one["verdict"], one["reviewer"]) for one in judgements.judgements(connection)]


def test_a_judgement_is_kept_with_what_was_shown_and_verifies(store: Store, graph: EntityGraph) -> None:
    pair = pair_of(graph, *ELM)
    assert (pair.record_a, pair.record_b) == ("crm:company:5", "support:organization:15")
    judge(store, pair, PairVerdict.SAME, "Ada Okafor", note="same website", now=NOW)
    with store.read() as connection:
        (row,) = judgements.judgements(connection)
        assert row["shown"]["records"]["support:organization:15"]["name"] == "Elm Partner"
        assert row["shown"]["steps"][0]["comparisons"] == {"name": "close"}
        assert row["snapshot_id"] == graph.snapshot_id
        assert record_of(connection).problems == ()


def test_the_chain_names_neither_reviewer_nor_records(store: Store, graph: EntityGraph) -> None:
    judge(store, pair_of(graph, *ELM), PairVerdict.DIFFERENT, "Ada Okafor", note="ask ada@acme.example", now=NOW)
    about = disputed(graph, "crm:company:3", "vat_number")
    settle(store, about, "GB222222222", "Ada Okafor", until=date(2027, 1, 31), note="seen the letter", now=NOW)
    with store.read() as connection:
        bodies = [row.body for row in connection.execute(tables.ledger_entry.select())]
    assert [said(body)["kind"] for body in bodies] == ["judgement", "settlement"]
    for private in ("Okafor", "acme", "crm:company", "GB2222", "letter"):
        assert private not in "".join(bodies)


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("judgement", "verdict", "same"),
        ("judgement", "reviewer", "somebody"),
        ("judgement", "shown", '{"records": {}}'),
        ("settlement", "value", "GB111111111"),
        ("settlement", "until", "2030-01-01"),
    ],
)
def test_an_edited_judgement_is_told(store: Store, graph: EntityGraph, table: str, column: str, value: str) -> None:
    judge(store, pair_of(graph, *ELM), PairVerdict.DIFFERENT, "Ada", now=NOW)
    settle(store, disputed(graph, "crm:company:3", "vat_number"), "GB222222222", "Ada", now=NOW)
    with store.begin() as connection:
        connection.execute(text(f"UPDATE {table} SET {column} = '{value}'"))
    with store.read() as connection:
        (problem,) = record_of(connection).problems
    assert problem.startswith("The store's row was edited:")


def test_a_judgement_put_in_or_taken_out_by_hand_is_told(store: Store, graph: EntityGraph) -> None:
    judge(store, pair_of(graph, *ELM), PairVerdict.DIFFERENT, "Ada", now=NOW)
    with store.begin() as connection:
        connection.execute(text("UPDATE judgement SET number = 2, judgement_id = 'judgement_000002'"))
    with store.read() as connection:
        told = sorted(record_of(connection).problems)
    assert told[0].startswith("The store holds judgement judgement_000002, which no")
    assert told[1].startswith("The store no longer holds judgement judgement_000001")


def test_a_later_judgement_takes_the_place_of_an_earlier_one_and_both_stay(store: Store, graph: EntityGraph) -> None:
    pair, other = pair_of(graph, *ELM), pair_of(graph, "crm:company:1", "crm:company:2")
    judge(store, pair, PairVerdict.SAME, "Ada", now=NOW)
    judge(store, other, PairVerdict.DIFFERENT, "Ada", now=NOW)
    judge(store, pair, PairVerdict.DIFFERENT, "Ben", now=NOW)
    assert last(store) == [("crm:company:1", "different", "Ada"), ("crm:company:5", "different", "Ben")]
    with store.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM judgement")).scalar_one() == 3


def test_what_cannot_be_judged_is_refused(store: Store, graph: EntityGraph) -> None:
    with pytest.raises(NotFound, match="needed one such as"):
        pair_of(graph, "crm:company:1", "crm:company:404")
    with pytest.raises(ConfigurationError, match="needed two different records"):
        pair_of(graph, "crm:company:1", "crm:company:1")
    with pytest.raises(ConfigurationError, match="needed two records of one type"):
        pair_of(graph, "crm:company:1", "crm:contact:1")
    with pytest.raises(ConfigurationError, match="needed the name of who judges"):
        judge(store, pair_of(graph, *ELM), PairVerdict.SAME, "  ", now=NOW)
    with pytest.raises(ConfigurationError, match="needed one of name, legal_name"):
        disputed(graph, "crm:company:3", "shoe_size")
    about = disputed(graph, "crm:company:3", "vat_number")
    with pytest.raises(ConfigurationError, match=r"'GB111111111' \(crm:company:3\), 'GB222222222'"):
        settle(store, about, "GB333333333", "Ada", now=NOW)
    assert last(store) == []


def test_what_insight_is_handed_leaves_out_skips_and_what_was_taken_back(
    store: Store, graph: EntityGraph, either: Settings
) -> None:
    settings = either
    judge(store, pair_of(graph, *ELM), PairVerdict.SAME, "Ada", now=NOW)
    judge(store, pair_of(graph, "crm:company:1", "crm:company:2"), PairVerdict.DIFFERENT, "Ada", now=NOW)
    about = disputed(graph, "crm:company:3", "vat_number")
    settle(store, about, "GB222222222", "Ada", until=date(2026, 12, 31), now=NOW)
    first = handed.build(store, settings, today=date(2026, 11, 2))
    assert rows(first.table("judgements")) == {
        ("organisation", "crm:company:1", "crm:company:2", "different", "judgement_000002"),
        ("organisation", "crm:company:5", "support:organization:15", "same", "judgement_000001"),
    }
    stated = ("settlement_000001", "organisation", "crm:company:3", "vat_number", "GB222222222", date(2026, 12, 31))
    assert rows(first.table("settlements")) == {(*stated, False)}
    assert handed.build(store, settings, today=date(2026, 11, 3)) == first

    judge(store, pair_of(graph, *ELM), PairVerdict.SKIP, "Ada", now=NOW)
    second = handed.build(store, settings, today=date(2027, 1, 1))
    assert rows(second.table("settlements")) == {(*stated, True)}
    assert {row[1] for row in rows(second.table("judgements"))} == {"crm:company:1"}
    settle(store, about, None, "Ada", now=NOW)
    third = handed.build(store, settings, today=date(2027, 1, 1))
    assert rows(third.table("settlements")) == set()
    assert third.table("judgements").read_bytes() == second.table("judgements").read_bytes()
    assert {path.name for path in third.path.iterdir()} == {"judgements.parquet", "settlements.parquet"}


RECORDS = [f"crm:company:{number}" for number in range(4)]
SAID = st.lists(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from(RECORDS), min_size=2, max_size=2, unique=True), st.sampled_from(list(PairVerdict))
        ),
        max_size=4,
    ),
    max_size=5,
)


@pytest.mark.law
@given(said=SAID)
@fewer(max_examples=10 * EFFORT)
def test_of_each_pair_the_last_judgement_is_handed_on(
    tmp_path_factory: pytest.TempPathFactory, said: list[list[tuple[list[str], PairVerdict]]]
) -> None:
    settings = Settings(home=tmp_path_factory.mktemp("judged"))
    counts: dict[tuple[str, str], str] = {}
    with closing(Store(open_store(settings).url)) as store:
        for turn in said:
            for names, verdict in turn:
                one, other = sorted(names)
                pair = Pair("organisation", one, other, "org_1", "org_2", SnapshotId("snap_1"), {})
                judge(store, pair, verdict, "Ada", now=NOW)
                counts[one, other] = verdict.value
            now = handed.build(store, settings, today=NOW.date())
            found = rows(now.table("judgements"))
            kept = {pair: verdict for pair, verdict in counts.items() if verdict != "skip"}
            assert {(row[1], row[2]): row[3] for row in found} == kept


def rows(path: Path) -> set[tuple[Any, ...]]:
    return set(duckdb.execute(f"FROM {layers.rows(path)}").fetchall())
