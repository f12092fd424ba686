"""Linkage on Spark gives the links that it gives on DuckDB."""

from __future__ import annotations

import os
import re
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from examples.northgate.build import build, in_home
from examples.northgate.plan import Plan
from insight.landing import land
from insight.linkage.model import load_model
from insight.linkage.read import open_memory
from insight.linkage.spark import in_spark, start
from insight.linkage.whole import link
from insight.records import every
from insight.records.every import Records
from insight.sources.loading import load_sources
from orchestration.graph.model import RECORD_TYPES
from orchestration.settings import PROJECT, Settings
from tests.truth.lists import lists

MASTER = "local[2]"
TOLERANCE = 1e-4  # bits: both round to four places what they sum up in different orders
with_spark = pytest.mark.skipif(
    find_spec("pyspark") is None or shutil.which("java") is None,
    reason="NOT TESTED: linkage on Spark; needed Java and the extra `spark`: run `make spark`",
)
Links = list[tuple[Any, ...]]
SYNTAX = {"AND", "OR", "NOT", "IN", "THEN", "WHEN", "CASE", "ELSE"}
SPARKS = {
    *("ABS", "ARRAY", "ARRAYS_OVERLAP", "ARRAY_CONTAINS", "ARRAY_EXCEPT", "ARRAY_INTERSECT", "CAST", "CONCAT", "DAY"),
    *("FILTER", "GREATEST", "LEAST", "LEFT", "LENGTH", "MONTH", "REGEXP_REPLACE", "REPLACE", "SIZE", "SORT_ARRAY"),
    *("SPLIT", "STARTSWITH", "YEAR", "PRECEDE_DAMERAU_LEVENSHTEIN", "PRECEDE_JARO_WINKLER_SIMILARITY"),
}
"""Functions that Spark has, and the two that are given to it."""


@with_spark
def test_spark_keeps_nothing_where_it_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    session = start(MASTER)
    session.sql("CREATE DATABASE IF NOT EXISTS aside")
    warehouse = Path(str(session.conf.get("spark.sql.warehouse.dir")).removeprefix("file:"))
    assert warehouse.name.startswith("precede-warehouse-")
    assert list(tmp_path.iterdir()) == []


def test_a_condition_means_the_same_in_sparks_words() -> None:
    assert in_spark("len(tokens_l) > 1 AND list_has_any(names_l, names_r)") == (
        "SIZE(tokens_l) > 1 AND ARRAYS_OVERLAP(names_l, names_r)"
    )
    assert in_spark("list_has_all(list_concat(a_l, b_l), c_r)") == "SIZE(ARRAY_EXCEPT(c_r, CONCAT(a_l, b_l))) = 0"
    assert "PRECEDE_DAMERAU_LEVENSHTEIN" in in_spark("damerau_levenshtein(name_l, name_r) <= 1").upper()
    nested = in_spark("len(list_filter(a_l, lambda word: NOT regexp_full_match(word, '[0-9]+(st|nd)'))) = 0")
    assert nested == "SIZE(FILTER(a_l, word -> NOT word RLIKE '^(?:[0-9]+(st|nd))$')) = 0"
    for record_type in RECORD_TYPES:
        levels = [one for comparison in load_model(record_type).splink["comparisons"] for one in levels_of(comparison)]
        called = {name.upper() for level in levels for name in re.findall(r"(\w+)\s*\(", in_spark(level))}
        assert len(levels) > 15
        assert called - SYNTAX <= SPARKS


def levels_of(comparison: dict[str, Any]) -> list[str]:
    """The conditions of a comparison that say something."""
    conditions = [level["sql_condition"] for level in comparison["comparison_levels"]]
    return [one for one in conditions if one.strip().upper() != "ELSE"]


@with_spark
@pytest.mark.timeout(1800)
@pytest.mark.filterwarnings("ignore")
def test_northgate_is_linked_alike(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, sources=PROJECT / "insight" / "sources")
    build(Plan(int(os.environ.get("PRECEDE_SPARK_RECORDS", "2000")), 7, way="A"), in_home(tmp_path))
    sources = load_sources(settings.sources)
    landed = [table for source in sources for table in land(source, settings)]
    records = every.build(sources, landed, settings)
    _assert_alike(records, "organisation", settings)
    _assert_alike(records, "person", settings)


@with_spark
@pytest.mark.timeout(1800)
@pytest.mark.filterwarnings("ignore")
def test_febrl_4_is_linked_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=tmp_path / "home")
    [febrl] = [one for one in lists() if one.name == "FEBRL 4"]
    prepared = febrl.prepare(tmp_path / "febrl")
    for name, value in prepared.environment.items():
        monkeypatch.setenv(name, value)
    assert prepared.sources is not None
    sources = load_sources(prepared.sources)
    records = every.build(sources, [one for source in sources for one in land(source, settings)], settings)
    _assert_alike(records, "person", settings)


def _assert_alike(records: Records, record_type: str, settings: Settings) -> None:
    here, there = (_links(records, record_type, settings, spark) for spark in (None, MASTER))
    assert len(here) > 100
    assert [row[:4] for row in here] == [row[:4] for row in there]
    apart = [abs(one[4] - other[4]) for one, other in zip(here, there, strict=True) if one[4] is not None]
    assert max(apart) <= TOLERANCE


def _links(records: Records, record_type: str, settings: Settings, spark: str | None) -> Links:
    """Records, status, veto and weight of every link."""
    with open_memory() as con:
        link(
            con,
            records.shapes[record_type].record,
            records.aliases.alias,
            load_model(record_type, settings),
            spark=spark,
        )
        return con.sql("SELECT record_a, record_b, status, veto, match_weight FROM link ORDER BY ALL").fetchall()
