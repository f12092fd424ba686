"""A table in layers is the table: after any history its rows, and what was touched, are what a plain copy says."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insight import layers
from insight.stage import version_of, writing
from tests.effort import EFFORT

State = frozenset[tuple[int, int]]
"""Rows of a key and a value; a key may have several."""
KEYS = ("k",)
STEPS = st.lists(
    st.tuples(
        st.dictionaries(st.integers(0, 9), st.lists(st.integers(0, 3), max_size=2, unique=True), max_size=4),
        st.sampled_from(["layer", "layer", "layer", "whole", "alone", "back"]),
        st.sets(st.integers(0, 9), max_size=2),
    ),
    max_size=24,
)
"""What keys become, how the version is written ("back" is to content that was there), and keys touched for nothing."""


class Table:
    """The versions of one table, each with what it must hold."""

    def __init__(self, home: Path, con: duckdb.DuckDBPyConnection) -> None:
        self.home = home
        self.con = con
        self.held: dict[Path, State] = {}

    def write(self, state: State, before: Path | None, how: str, extra: set[int]) -> Path:
        """The version of this content; it is written where it is not there yet."""
        folder = self.home / version_of(repr(sorted(state)))
        path = folder / "row.parquet"
        if folder.exists():
            return path
        earlier = None if before is None or how == "alone" else before.parent
        was = self.held[before] if before is not None else frozenset()
        keys = {key for key, _ in was ^ state} | extra
        whole = how == "whole" or not layers.may_layer(earlier)
        with writing(folder) as draft:
            everything = whole and earlier is None
            changed = _values([one for one in sorted(state) if everything or one[0] in keys])
            gone = None if earlier is None else f"SELECT k FROM ({_values([(key, 0) for key in sorted(keys)])})"
            layers.put(self.con, draft, "row", changed, gone, earlier, whole=whole, keys=KEYS)
            layer = layers.read_layer(earlier) if earlier else None
            height = 0 if whole or layer is None else layer.height + 1
            layers.describe(draft, layers.Layer({"row": KEYS}, earlier.name if earlier else None, height))
        self.held[path] = state
        return path

    def rows(self, query: str) -> Counter[tuple[int, int]]:
        return Counter((row[0], row[1]) for row in self.con.execute(f"SELECT k, v FROM {query}").fetchall())

    def keys(self, query: str) -> list[int]:
        return [row[0] for row in self.con.execute(f"FROM {query}").fetchall()]


def _values(rows: Sequence[tuple[int, int]]) -> str:
    listed = ", ".join(f"({key}, {value})" for key, value in rows)
    return f"SELECT k, v FROM (VALUES {listed}) AS t (k, v)" if rows else "SELECT 0 AS k, 0 AS v LIMIT 0"


@contextmanager
def table() -> Iterator[Table]:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as con:
        yield Table(Path(folder), con)


@pytest.mark.law
@pytest.mark.timeout(300)
@settings(max_examples=12 * EFFORT)
@given(STEPS)
def test_rows_are_the_plain_state_and_touched_has_every_key_that_differs(
    steps: list[tuple[dict[int, list[int]], str, set[int]]],
) -> None:
    with table() as made:
        paths = [made.write(frozenset({(1, 1), (2, 2)}), None, "alone", set())]
        alone = {paths[0]}
        for becoming, how, extra in steps:
            if how == "back":
                state = made.held[paths[len(extra) % len(paths)]]
            else:
                state = frozenset(
                    {one for one in made.held[paths[-1]] if one[0] not in becoming}
                    | {(key, value) for key, values in becoming.items() for value in values}
                )
            known = set(made.held)
            paths.append(made.write(state, paths[-1], how, extra))
            alone |= {paths[-1]} if how == "alone" and paths[-1] not in known else set()
        for path in made.held:
            assert made.rows(layers.rows(path)) == Counter(made.held[path])
            assert len(layers.lineage(path.parent)) <= layers.HIGHEST + 1
        for path in {paths[-1], paths[len(paths) // 2], paths[0]}:
            for since in made.held:
                _same_as_plain(made, path, since, alone)


def _same_as_plain(made: Table, path: Path, since: Path, alone: set[Path]) -> None:
    touched = layers.touched(path, since)
    if touched is None:
        assert _first(path, alone) != _first(since, alone)
        return
    keys = made.keys(touched)
    differ = {key for key, _ in made.held[path] ^ made.held[since]}
    assert len(keys) == len(set(keys))
    assert differ <= set(keys)
    now = made.rows(layers.rows_since(path, since))
    assert {one: n for one, n in now.items() if one[0] in keys} == {one: 1 for one in made.held[path] if one[0] in keys}


def _first(path: Path, alone: set[Path]) -> Path:
    """The version, written without one before it, that this one goes back to."""
    while path not in alone:
        layer = layers.read_layer(path.parent)
        assert layer is not None
        assert layer.since is not None
        path = path.parent.parent / layer.since / path.name
    return path


def test_layers_that_pile_up_are_taken_in_and_no_longer_needed() -> None:
    with table() as made:
        path = base = made.write(frozenset((key, 0) for key in range(10)), None, "alone", set())
        for step in range(1, layers.HIGHEST + 3):
            before = path
            state = frozenset((key, step if key == step % 4 else value) for key, value in made.held[path])
            path = made.write(state, path, "layer", set())
            assert made.keys(str(layers.touched(path, before))) == [step % 4]
            assert made.rows(layers.rows_since(path, before))[step % 4, step] == 1
        assert layers.lineage(path.parent) == [path.parent, before.parent, base.parent]
        assert made.rows(layers.rows(path)) == Counter(made.held[path])


def test_a_table_is_whole_again_where_its_layers_outgrow_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestration.layers._SMALL", 0)
    with table() as made:
        first = made.write(frozenset({(1, 1)}), None, "alone", set())
        assert layers.may_layer(first.parent)
        second = made.write(frozenset({(1, 2)}), first, "layer", set())
        assert not layers.may_layer(second.parent)
        third = made.write(frozenset({(1, 2), (2, 2)}), second, "layer", set())
        assert layers.lineage(third.parent) == [third.parent]
        assert made.keys(str(layers.touched(third, second))) == [2]


def test_nothing_can_be_laid_on_what_is_not_there(tmp_path: Path) -> None:
    assert not layers.may_layer(None)
    assert not layers.may_layer(tmp_path / "gone")
    assert layers.touched(tmp_path / "gone" / "row.parquet", tmp_path / "gone" / "row.parquet") is None


def test_a_file_is_no_version(tmp_path: Path) -> None:
    (tmp_path / "graph.duckdb").write_text("")
    assert layers.read_layer(tmp_path / "graph.duckdb") is None
