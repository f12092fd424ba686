"""A run's event log is held open while the run writes to it, and nothing is left of that."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from orchestration.work.events import kept_open


@dg.asset
def told() -> int:
    return 3


def journals(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*.db-wal")}


def test_the_journal_of_events_stays_until_the_run_has_ended(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        dg.materialize([told], instance=instance)
        assert "index.db-wal" not in journals(tmp_path)
        with kept_open(instance.event_log_storage, "a-run"):
            dg.materialize([told], instance=instance)
            assert "index.db-wal" in journals(tmp_path)
        assert "index.db-wal" not in journals(tmp_path)
        assert len(instance.fetch_materializations(dg.AssetKey("told"), limit=9).records) == 2


def test_a_log_that_is_no_sqlite_is_left_alone() -> None:
    with dg.DagsterInstance.ephemeral() as instance, kept_open(instance.event_log_storage, "a-run"):
        assert dg.materialize([told], instance=instance).success
