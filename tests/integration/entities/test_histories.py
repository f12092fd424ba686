"""Laws over random histories: what is made of the changes is what is made of everything, and ids tell one story."""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from insight import layers
from insight.entities import build as stage
from insight.entities import scope
from insight.entities.build import TABLES, EntitySet
from insight.entities.write import SAID
from orchestration.settings import Settings
from orchestration.sql import quoted
from tests.effort import EFFORT
from tests.integration.entities.history import Kept, World

NOW = datetime(2026, 6, 1, tzinfo=UTC)
RARE = frozenset({"erp"})
PRIORITY = {"crm": {"payment_terms": 1}, "erp": {"address": 1, "payment_terms": 2}}


def contents(made: EntitySet, table: str) -> list[tuple[Any, ...]]:
    """Every row of a table, in one order."""
    path = made.table(table)
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        names = sorted(con.sql(f"FROM read_parquet('{path}')").columns)
        source = f"read_parquet('{path}')" if table == "entity_event" else layers.rows(path)
        return sorted(con.execute(f"SELECT {', '.join(map(quoted, names))} FROM {source}").fetchall(), key=repr)


def noted(made: EntitySet) -> dict[str, list[tuple[Any, ...]]]:
    """What a result keeps of its inputs, for the next to tell what changed."""
    with duckdb.connect() as con:
        return {name: con.execute(f"FROM '{made.table(name)}' ORDER BY ALL").fetchall() for name in SAID}


def crosswalk(made: EntitySet) -> dict[str, str]:
    """Record to entity."""
    with duckdb.connect() as con:
        return dict(con.execute(f"SELECT record_id, entity_id FROM {layers.rows(made.table('crosswalk'))}").fetchall())


@pytest.fixture(autouse=True)
def _however_much_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scope, "MOST", 100)


@pytest.mark.law
@given(seed=st.integers(0, 2**32), steps=st.lists(st.tuples(st.integers(1, 6), st.booleans()), min_size=2, max_size=6))
@example(seed=365, steps=[(1, False), (1, False), (1, False), (3, False), (1, False)])  # parted by a person nearby
@example(seed=65535, steps=[(4, False), (2, True), (3, False), (2, False)])  # a merge far away, taken back later
@settings(max_examples=6 * EFFORT, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_made_of_the_changes_is_what_is_made_of_everything(seed: int, steps: list[tuple[int, bool]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _go_through(Path(folder), Random(seed), steps)  # noqa: S311  a world, not a secret


def _go_through(home: Path, random: Random, steps: list[tuple[int, bool]]) -> None:
    world, kept = World(random), Kept(home / "stages")
    for _ in range(90):
        world.change()
    whole, changed = Settings(home=home / "whole"), Settings(home=home / "changed")
    published: EntitySet | None = None
    before: EntitySet | None = None
    for changes, publish in steps:
        for _ in range(changes):
            world.change()
        records, aliases, links, judgements, settlements = kept.keep(world)
        previous = published.table("crosswalk") if published else None
        everything, made = (
            stage.build(
                records, aliases, links, previous, where, judgements=judgements, settlements=settlements,
                rarely_twice=RARE, priority=PRIORITY, before=base, now=NOW,
            )
            for where, base in ((whole, None), (changed, before))
        )  # fmt: skip
        assert made.version == everything.version
        for table in TABLES:
            assert contents(made, table) == contents(everything, table), table
        assert noted(made) == noted(everything)
        layer = layers.read_layer(made.path)
        assert layer is not None
        assert (layer.since is not None) == (published is not None and _same_systems(published, made))
        _tells_one_story(published, made, world)
        before = made
        published = made if publish or published is None else published


def _same_systems(one: EntitySet, other: EntitySet) -> bool:
    return {name.split(":")[0] for name in _live(one)} == {name.split(":")[0] for name in _live(other)}


def _live(made: EntitySet) -> set[str]:
    with duckdb.connect() as con:
        inputs = layers.read_layer(made.path)
        assert inputs is not None
        rows = con.execute(f"SELECT record_id FROM {layers.rows(Path(inputs.inputs['record']))}").fetchall()
    return {row[0] for row in rows}


def _tells_one_story(published: EntitySet | None, made: EntitySet, world: World) -> None:
    was, now = crosswalk(published) if published else {}, crosswalk(made)
    with duckdb.connect() as con:
        events = con.execute(f"SELECT entity_id, event, other_entity_id FROM '{made.table('entity_event')}'").fetchall()
    told = {row[0]: row[1:] for row in events}
    assert len(told) == len(events)
    assert set(told) == set(was.values()) ^ set(now.values())
    overlap = Counter((entity, now[record]) for record, entity in was.items() if record in now)
    heirs: dict[str, Counter[str]] = defaultdict(Counter)
    origins: dict[str, Counter[str]] = defaultdict(Counter)
    for (old, new), records in overlap.items():
        heirs[old][new] += records
        origins[new][old] += records
    for entity, (event, other) in told.items():
        if event == "retired":
            assert not heirs[entity]
        elif event == "merged":
            assert heirs[entity][other] == max(heirs[entity].values())
        elif event == "created":
            assert not origins[entity]
        else:
            assert event == "split"
            assert origins[entity][other] == max(origins[entity].values())
    for (old, new), records in overlap.items():  # the greatest overlap keeps the id
        assert overlap[new, new] >= records or overlap[old, old] >= records
    apart = {pair for pair, said in world.judged.items() if said.startswith("different")}
    if not apart:
        assert all(now[one] == now[other] for one, other in world.merges if one in now)
