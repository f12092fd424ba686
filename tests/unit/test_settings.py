"""What the environment decides, and what is said when it decides something that cannot be."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from orchestration.errors import ConfigurationError
from orchestration.settings import PROJECT, Settings


def test_where_nothing_is_set_everything_is_kept_in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PRECEDE_HOME", "PRECEDE_STORE_URL", "PRECEDE_SOURCES", "PRECEDE_EXCHANGE", "DAGSTER_HOME"):
        monkeypatch.delenv(name, raising=False)
    settings = Settings()
    assert settings.home == PROJECT / ".precede"
    assert settings.store_url == f"sqlite:///{PROJECT / '.precede' / 'store.db'}"
    assert settings.sources == PROJECT / "insight" / "sources"
    assert settings.graph_link == settings.home / "graph.duckdb"


def test_one_variable_moves_everything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("PRECEDE_STORE_URL", "PRECEDE_EXCHANGE", "DAGSTER_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PRECEDE_HOME", str(tmp_path))
    settings = Settings()
    kept = (
        settings.exchange,
        settings.dagster_home,
        settings.landing,
        settings.stages,
        settings.snapshots,
        settings.keys,
    )
    assert {path.parent for path in kept} == {tmp_path}
    assert str(tmp_path) in settings.store_url


def test_the_business_date_is_a_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRECEDE_BUSINESS_DATE", "2026-11-02")
    assert Settings().business_date == date(2026, 11, 2)
    monkeypatch.setenv("PRECEDE_BUSINESS_DATE", "tomorrow")
    with pytest.raises(ConfigurationError, match="PRECEDE_BUSINESS_DATE: found 'tomorrow'; needed a date"):
        _ = Settings().business_date


def test_systems_that_may_be_missing_stand_between_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PRECEDE_ACCEPT_MISSING", raising=False)
    assert Settings().accept_missing == frozenset()
    monkeypatch.setenv("PRECEDE_ACCEPT_MISSING", "crm, erp,")
    assert Settings().accept_missing == {"crm", "erp"}


def test_sensors_look_every_so_many_whole_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PRECEDE_SENSOR_SECONDS", raising=False)
    assert Settings().sensor_seconds == 15
    monkeypatch.setenv("PRECEDE_SENSOR_SECONDS", "1")
    assert Settings().sensor_seconds == 1
    for said in ("abc", "0", "-5", "1.5"):
        monkeypatch.setenv("PRECEDE_SENSOR_SECONDS", said)
        with pytest.raises(ConfigurationError, match=f"PRECEDE_SENSOR_SECONDS: found '{said}'; needed a whole number"):
            _ = Settings().sensor_seconds


def test_the_schedule_is_what_the_variable_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PRECEDE_SCHEDULE", raising=False)
    assert Settings().schedule == "*/15 * * * *"
    monkeypatch.setenv("PRECEDE_SCHEDULE", "0 6 * * *")
    assert Settings().schedule == "0 6 * * *"


def test_checkpoints_lie_in_the_home_or_where_they_are_said_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PRECEDE_CHECKPOINTS", raising=False)
    assert Settings(home=tmp_path).checkpoints == tmp_path / "checkpoints"
    monkeypatch.setenv("PRECEDE_CHECKPOINTS", "/mnt/write-once")
    assert Settings(home=tmp_path).checkpoints == Path("/mnt/write-once")


def test_evidence_is_kept_for_ever_or_for_so_many_whole_days(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PRECEDE_KEEP_EVIDENCE_DAYS", raising=False)
    assert Settings().keep_evidence_days is None
    monkeypatch.setenv("PRECEDE_KEEP_EVIDENCE_DAYS", "90")
    assert Settings().keep_evidence_days == 90
    for said in ("0", "-1", "a year"):
        monkeypatch.setenv("PRECEDE_KEEP_EVIDENCE_DAYS", said)
        with pytest.raises(ConfigurationError, match="a whole number of days such as 365"):
            _ = Settings().keep_evidence_days
