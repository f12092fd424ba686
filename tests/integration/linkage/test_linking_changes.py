"""Linking what changed gives the links that linking everything gives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from insight import layers
from insight.linkage import link as link_stage
from insight.linkage.link import LinkSet
from insight.linkage.model import LINKAGES, load_model
from tests.effort import EFFORT
from tests.integration.linkage.histories import History

RECORDS = 160


def content(links: LinkSet, table: str) -> list[tuple[object, ...]]:
    with duckdb.connect() as con:
        return con.execute(f"FROM {layers.rows(links.table(table))} ORDER BY ALL").fetchall()


def linked(history: History, before: LinkSet | None) -> tuple[LinkSet, LinkSet]:
    """The links as a change of those before, and as a whole."""
    given = (history.records(), history.aliases(), load_model(history.record_type))
    employer, judgements = history.employer(), history.judgements()
    changed = link_stage.build(*given, history.settings, employer, judgements=judgements, before=before)
    whole = link_stage.build(*given, history.elsewhere, employer, judgements=judgements, statistics=changed.statistics)
    return changed, whole


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules that allow so few records to share a key that a few more or less cross it."""
    for name, linkage in list(LINKAGES.items()):
        monkeypatch.setitem(
            LINKAGES,
            name,
            replace(
                linkage,
                blocks=tuple(replace(block, largest=block.largest // 5) for block in linkage.blocks),
                tiers=tuple(replace(tier, largest=max(3, tier.largest // 5)) for tier in linkage.tiers),
            ),
        )


@pytest.mark.law
@pytest.mark.parametrize("record_type", ["organisation", "person"])
@pytest.mark.parametrize("seed", range(2 * EFFORT))
def test_links_after_a_history_are_those_of_a_full_build(tmp_path: Path, record_type: str, seed: int) -> None:
    history = History(record_type, tmp_path, seed, RECORDS)
    last, _ = linked(history, None)
    seen: set[str] = set()
    for step in range(8):
        history.step(1 + (seed + step) % 7)
        changed, whole = linked(history, last)
        assert changed.version == whole.version
        for table in link_stage.KEYS:
            assert content(changed, table) == content(whole, table), (step, table)
        layer = layers.read_layer(changed.path)
        assert layer is not None
        assert changed == last or layer.since == last.version
        seen |= {str(row[7]) for row in content(changed, "link")}
        last = changed
    assert {"accepted", "vetoed", "possible"} <= seen
