"""Landing and stages keep what something needs, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from insight.expiring import YOUNGEST, expire_folders
from insight.layers import Layer, describe
from orchestration.settings import Settings

LATER = 4102444800.0  # in the year 2100


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def version(settings: Settings, name: str, since: str | None = None, height: int = 0, **inputs: str) -> Path:
    folder = settings.home / name
    folder.mkdir(parents=True)
    describe(folder, Layer({"record": ("record_id",)}, since, height, inputs))
    return folder


def hand(settings: Settings, asset: str, folder: Path) -> None:
    file = settings.stages / "handed" / f"{asset}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps([{"version": folder.name, "path": str(folder)}]))


def left(settings: Settings) -> set[str]:
    return {
        str(path.relative_to(settings.home))
        for path in settings.home.glob("stages/*/*/*")
        if (path / "layer.json").exists()
    }


def test_what_was_handed_on_stays_with_what_it_lies_on(settings: Settings) -> None:
    version(settings, "stages/records/person/v0")
    version(settings, "stages/records/person/v1", "v0")
    version(settings, "stages/records/person/v2", "v1", 1)
    hand(settings, "records/person", version(settings, "stages/records/person/v3", "v2", 2))
    expire_folders(settings, None, now=LATER)
    assert left(settings) == {f"stages/records/person/v{number}" for number in (1, 2, 3)}


def test_what_it_was_made_of_stays_and_what_leads_back_to_that(settings: Settings) -> None:
    made_of = version(settings, "stages/records/person/v1")
    version(settings, "stages/records/person/v2", "v1")
    hand(settings, "records/person", version(settings, "stages/records/person/v3", "v2"))
    version(settings, "stages/records/person/other")
    records = str(made_of / "record.parquet")
    hand(settings, "links/person", version(settings, "stages/links/person/l1", records=records))
    removed = expire_folders(settings, None, now=LATER)
    assert [folder.name for folder in removed] == ["other"]


def test_what_is_young_stays(settings: Settings) -> None:
    folder = version(settings, "stages/records/person/v1")
    expire_folders(settings, None, now=folder.stat().st_mtime + YOUNGEST - 1)
    assert folder.exists()


def test_what_is_removed_is_there_whole_or_not_at_all(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = version(settings, "stages/records/person/v1")
    monkeypatch.setattr("insight.expiring.shutil.rmtree", lambda *_, **__: None)  # stopped before it is done
    assert expire_folders(settings, None, now=LATER) == [folder]
    assert not folder.exists()
    (begun,) = folder.parent.iterdir()
    monkeypatch.undo()
    assert begun.name.startswith(".v1.")
    assert expire_folders(settings, None, now=LATER) == []
    assert list(folder.parent.iterdir()) == []
