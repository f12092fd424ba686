"""Closing a batch over Dagster's event log, to which agents' code can write as well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import select, update

from orchestration.assets import close_open
from orchestration.ledger import entries
from orchestration.ledger.entries import LedgerRange
from orchestration.ledger.lineage import effects_metadata
from orchestration.store import tables
from orchestration.store.engine import Store
from tests.integration.ledger import story
from tests.integration.ledger.story import BATCH


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as found:
        yield found


@pytest.fixture
def decided(store: Store) -> Store:
    """A store whose one batch is decided and not closed."""
    story.tell(store)
    edit(store, BATCH, state="decided")
    return store


def edit(store: Store, batch_id: str, **values: Any) -> None:
    with store.begin() as connection:
        connection.execute(update(tables.batch).where(tables.batch.c.batch_id == batch_id).values(**values))


def states(store: Store) -> dict[str, str]:
    with store.read() as connection:
        return {row.batch_id: row.state for row in connection.execute(select(tables.batch))}


def range_now(store: Store, batch_ids: Sequence[str] = (BATCH,)) -> LedgerRange:
    with store.read() as connection:
        covered = entries.range_of(connection, batch_ids)
    assert covered is not None
    return covered


def materialise(instance: dg.DagsterInstance, batch_ids: Sequence[str], covered: LedgerRange) -> None:
    """Let a run materialise `effects/finance`, whoever's code it runs."""

    @dg.asset(key=["effects", "finance"])
    def effects() -> dg.MaterializeResult[Any]:
        return dg.MaterializeResult(data_version=dg.DataVersion("v"), metadata=effects_metadata(batch_ids, covered))

    dg.materialize([effects], instance=instance)


def test_a_batch_is_closed_by_the_event_that_names_its_entries(decided: Store, instance: dg.DagsterInstance) -> None:
    covered = range_now(decided)
    materialise(instance, [BATCH], covered)
    assert close_open(decided, instance, "finance") == [BATCH]
    assert close_open(decided, instance, "finance") == []
    assert states(decided) == {BATCH: "closed"}


@pytest.mark.parametrize("wrong", [{"root": "0" * 64}, {"first": 1}, {"last": 5}])
def test_an_event_that_names_other_entries_closes_nothing(
    decided: Store, instance: dg.DagsterInstance, wrong: dict[str, Any]
) -> None:
    materialise(instance, [BATCH], range_now(decided).model_copy(update=wrong))
    assert close_open(decided, instance, "finance") == []
    assert states(decided) == {BATCH: "decided"}


def test_an_event_from_before_the_last_entry_closes_nothing(decided: Store, instance: dg.DagsterInstance) -> None:
    materialise(instance, [BATCH], range_now(decided))
    story.settle(decided, story.DONE, "done")
    assert close_open(decided, instance, "finance") == []
    materialise(instance, [BATCH], range_now(decided))
    assert close_open(decided, instance, "finance") == [BATCH]


def test_a_batch_that_was_not_decided_is_not_closed_by_the_entries_of_another(
    decided: Store, instance: dg.DagsterInstance
) -> None:
    edit(decided, BATCH, business_date=date(2026, 11, 1))
    story.batch(decided, batch_id="batch_2")
    edit(decided, "batch_2", state="answered")
    materialise(instance, [BATCH, "batch_2"], range_now(decided))
    close_open(decided, instance, "finance")
    assert states(decided)["batch_2"] == "answered"


def test_an_event_that_names_what_no_batch_is_closes_nothing(decided: Store, instance: dg.DagsterInstance) -> None:
    materialise(instance, [BATCH, "made-up"], range_now(decided))
    assert close_open(decided, instance, "finance") == []
