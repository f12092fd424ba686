"""Relationships made of what changed are those made of everything."""

from __future__ import annotations

from pathlib import Path
from random import Random

import duckdb
import pyarrow as pa
import pytest

from insight import layers
from insight.entities import scope
from insight.entities.build import EntitySet
from insight.entities.relationships import RelationshipSet, relationships
from insight.records.record_set import RecordSet
from orchestration.settings import Settings

Table = dict[str, tuple[str | None, ...]]
_COLUMNS = {
    "record": ("record_id", "named"),
    "crosswalk": ("record_id", "entity_id"),
}


def put(  # noqa: PLR0913, PLR0917  what a layer takes
    folder: Path, table: str, named: str, now: Table, was: Table, before: Path | None
) -> Path:
    """A table as a folder, a layer over the one before."""
    folder.mkdir(parents=True)
    columns = [named if name == "named" else name for name in _COLUMNS[table]]
    moved = sorted(key for key in now.keys() | was.keys() if now.get(key) != was.get(key))
    rows = [(key, *now[key]) for key in moved if key in now]
    with duckdb.connect() as con:
        con.register(
            "changed", pa.table({n: pa.array([r[i] for r in rows], pa.string()) for i, n in enumerate(columns)})
        )
        con.register("gone", pa.table({"record_id": pa.array(moved, pa.string())}))
        gone = "FROM gone" if before else None
        layers.put(con, folder, table, "FROM changed", gone, before, whole=False, keys=("record_id",))
    earlier = layers.read_layer(before) if before else None
    height = earlier.height + 1 if earlier else 0
    layers.describe(folder, layers.Layer({table: ("record_id",)}, before.name if before else None, height))
    return folder


def rows(made: RelationshipSet) -> list[tuple[str, ...]]:
    with duckdb.connect() as con:
        return sorted(
            con.execute(f"SELECT from_entity, to_entity, kind, record_id FROM {layers.rows(made.path)}").fetchall()
        )


@pytest.mark.parametrize("seed", range(4))
def test_changes_give_what_everything_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr(scope, "MOST", 100)
    random = Random(seed)  # noqa: S311  a world, not a secret
    firms, people = ([f"crm:{table}:{n}" for n in range(8)] for table in ("company", "contact"))
    tables: dict[str, Table] = {
        "organisation_record": {one: (random.choice(firms),) for one in firms},
        "person_record": {one: (random.choice(firms),) for one in people},
        "organisation_crosswalk": {one: (f"org_{n % 5}",) for n, one in enumerate(firms)},
        "person_crosswalk": {one: (f"per_{n}",) for n, one in enumerate(people)},
    }
    folders: dict[str, Path] = {}
    was: dict[str, Table] = {name: {} for name in tables}
    made: RelationshipSet | None = None
    for step in range(4):
        for name, rows_now in tables.items():
            kind, table = name.split("_")
            named = "parent_record" if kind == "organisation" else "organisation_record"
            folder = tmp_path / name / f"{step}"
            folders[name] = put(folder, table, named, rows_now, was[name], folders.get(name))
        was = {name: dict(table) for name, table in tables.items()}
        entities = [EntitySet(kind, f"{step}", folders[f"{kind}_crosswalk"]) for kind in ("organisation", "person")]
        records = [RecordSet(kind, f"{step}", folders[f"{kind}_record"]) for kind in ("organisation", "person")]
        everything = relationships(*entities, *records, Settings(home=tmp_path / "whole"))
        before, made = made, relationships(*entities, *records, Settings(home=tmp_path / "changed"), before=made)
        assert rows(made) == rows(everything)
        assert rows(made)
        layer = layers.read_layer(made.path.parent)
        assert layer is not None
        assert (layer.since is None) == (before is None)
        tables["organisation_crosswalk"][random.choice(firms)] = (f"org_{random.randrange(9)}",)
        tables["person_record"][random.choice(people)] = (random.choice([*firms, None]),)
        tables["organisation_record"][random.choice(firms)] = (random.choice(firms),)
        tables["person_crosswalk"].pop(random.choice(sorted(tables["person_crosswalk"])), None)
