"""The jobs that sign the ledger and remove evidence, and the schedules that ask for them only where there is work."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import select, update

from orchestration.errors import ConfigurationError
from orchestration.ledger.assets import checkpoints, evidence_retention
from orchestration.ledger.jobs import removing, signing
from orchestration.ledger.verify import verify
from orchestration.settings import Settings
from orchestration.store import tables
from orchestration.store.engine import open_store
from tests.integration.ledger import story


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("PRECEDE_STORE_URL", "PRECEDE_CHECKPOINTS", "PRECEDE_KEEP_EVIDENCE_DAYS", "DAGSTER_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PRECEDE_HOME", str(tmp_path))
    return Settings()


def asked(schedule: dg.ScheduleDefinition) -> bool:
    """Whether a schedule asks for a run now."""
    with dg.build_schedule_context() as context:
        return bool(schedule.evaluate_tick(context).run_requests)


def test_the_ledger_is_signed_on_a_schedule_where_it_grew(settings: Settings) -> None:
    schedule = signing(settings.checkpoint_schedule)
    assert (schedule.cron_schedule, schedule.default_status) == ("*/15 * * * *", dg.DefaultScheduleStatus.RUNNING)
    assert not asked(schedule)
    with closing(open_store(settings)) as store:
        story.tell(store)
        assert asked(schedule)
        result = dg.materialize([checkpoints])
        [event] = result.asset_materializations_for_node("checkpoints")
        assert event.metadata["checkpoint"].value == 1
        assert not asked(schedule)
        assert dg.materialize([checkpoints]).asset_materializations_for_node("checkpoints") == []
        found = verify(store, None, settings)
    assert (found.problems, found.checkpoints, found.covered) == ((), 1, 6)


def test_a_ledger_that_was_rewritten_fails_the_run(settings: Settings) -> None:
    with closing(open_store(settings)) as store:
        story.tell(store)
        assert dg.materialize([checkpoints]).success
        (settings.checkpoints / "checkpoint-00000001.json").unlink()
        story.decline(store, "batch_1_2", "paid meanwhile")
    result = dg.materialize([checkpoints], raise_on_error=False)
    assert not result.success


def test_evidence_goes_at_night_where_it_is_kept_for_a_time(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(open_store(settings)) as store:
        story.tell(store)
        with store.begin() as connection:
            connection.execute(update(tables.batch).values(state="closed"))
        assert not asked(removing)
        assert dg.materialize([evidence_retention]).asset_materializations_for_node("evidence_retention") == []
        monkeypatch.setenv("PRECEDE_KEEP_EVIDENCE_DAYS", "1")
        assert asked(removing)
        [event] = dg.materialize([evidence_retention]).asset_materializations_for_node("evidence_retention")
        assert event.metadata["removed"].value == 2
        assert not asked(removing)
        with store.read() as connection:
            assert connection.execute(select(tables.evidence.c.action)).all() == []


def test_a_schedule_that_is_none_is_refused() -> None:
    with pytest.raises(
        ConfigurationError, match="PRECEDE_CHECKPOINT_SCHEDULE: found 'often'; needed a cron expression"
    ):
        signing("often")
