"""Lists that this project did not make: what is linked there is right, with the shipped models."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path

import pytest

from insight.entities import build as entity_stage
from insight.landing import land
from insight.linkage import link as link_stage
from insight.linkage.model import load_model
from insight.records import every
from insight.sources.loading import load_sources
from orchestration.settings import Settings
from tests.beside import DATA, SOURCES
from tests.lists import rows

pytestmark = pytest.mark.usefixtures("real_lists")


Key = tuple[str, str]


def clusters(name: str, home: Path, record_type: str) -> list[set[Key]]:
    """The entities of a list as sets of (system, key)."""
    settings = Settings(home=home)
    sources = load_sources(SOURCES / name)
    landed = [one for source in sources for one in land(source, settings)]
    records = every.build(sources, landed, settings)
    shape = records.shapes[record_type]
    links = link_stage.build(shape, records.aliases, load_model(record_type), settings)
    entities = entity_stage.build(shape, records.aliases, links, None, settings)
    found: dict[str, set[Key]] = {}
    for row in rows(entities.table("crosswalk")):
        system, _, key = row["record_id"].split("#")[0].split(":", 2)
        found.setdefault(row["entity_id"], set()).add((system, key))
    return list(found.values())


def pairs(groups: Iterable[set[Key]]) -> set[frozenset[Key]]:
    return {frozenset(pair) for group in groups for pair in combinations(sorted(group), 2)}


def truth(path: Path, system: str, key: str, entity: str) -> list[set[Key]]:
    if not path.is_file():
        pytest.skip(f"{path} is not there; this test reads it from beside the project")
    found: dict[str, set[Key]] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            found.setdefault(row[entity], set()).add((row[system], row[key]))
    return list(found.values())


def test_people_of_three_lists_full_of_traps_are_hardly_ever_confused(tmp_path: Path) -> None:
    true = pairs(truth(DATA / "senzing-truthset" / "actual_truthset_key.csv", "DATA_SOURCE", "RECORD_ID", "CLUSTER_ID"))
    found = pairs(clusters("senzing", tmp_path, "person"))
    right = len(found & true)
    assert right / len(found) > 0.90
    assert right > 45


def test_sites_of_nine_lists_are_found_without_any_number_to_tell_them_by(tmp_path: Path) -> None:
    true = pairs(truth(DATA / "early-childhood-sites" / "records.csv", "Source", "Id", "True Id"))
    found = pairs(clusters("early-childhood-sites", tmp_path, "organisation"))
    right = len(found & true)
    assert right / len(found) > 0.85
    assert right / len(true) > 0.65
