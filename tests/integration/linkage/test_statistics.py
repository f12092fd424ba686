"""Statistics are frozen by a full build, kept by the next ones, and say how far the records moved from them."""

from __future__ import annotations

from pathlib import Path

from insight.linkage import link as link_stage
from insight.linkage.link import LinkSet
from insight.linkage.model import load_model
from insight.linkage.statistics import drift, numbers
from tests.integration.linkage.histories import History


def linked(history: History, before: LinkSet | None = None) -> LinkSet:
    model = load_model("organisation")
    return link_stage.build(history.records(), history.aliases(), model, history.settings, before=before)


def test_a_change_keeps_the_statistics_and_a_refresh_counts_anew(tmp_path: Path) -> None:
    history = History("organisation", tmp_path, 1, 120)
    first = linked(history)
    history.step(5)
    second = linked(history, first)
    assert second.statistics == first.statistics
    third = linked(history)
    assert third.statistics != first.statistics
    assert third.version != second.version


def test_many_more_records_are_counted_anew(tmp_path: Path) -> None:
    history = History("organisation", tmp_path, 2, 60)
    first = linked(history)
    history.grow(20)
    second = linked(history, first)
    assert second.statistics != first.statistics
    assert numbers(second.statistics).records == 80


def test_a_refresh_of_the_same_records_has_no_drift(tmp_path: Path) -> None:
    history = History("organisation", tmp_path, 3, 120)
    first = linked(history)
    moved = drift(first.statistics, first.statistics)
    assert (moved.records, moved.prior, moved.accept, moved.review) == (1.0, 0.0, 0.0, 0.0)
    assert set(moved.terms.values()) == {0.0}


def test_drift_tells_how_many_bits_the_commonest_values_moved(tmp_path: Path) -> None:
    history = History("organisation", tmp_path, 4, 120)
    first = linked(history)
    history.grow(120, k_domain="everywhere.com")
    second = linked(history)
    moved = drift(first.statistics, second.statistics)
    assert moved.records == 2.0
    assert moved.terms["domain"] > 2
    assert moved.terms["domain"] > moved.terms["postcode"]
