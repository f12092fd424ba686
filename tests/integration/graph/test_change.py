"""The law of a graph that is made by changing a copy: it says what one that is written anew says."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from orchestration.graph.checks import check_graph
from orchestration.graph.inputs import CandidateInputs
from orchestration.graph.publish import build_candidate
from orchestration.graph.reader import EntityGraph
from orchestration.settings import Settings
from tests.effort import EFFORT
from tests.integration.graph.histories import Folders, State

NOW = datetime(2026, 11, 3, tzinfo=UTC)
KEYS = st.integers(1, 8)
NAMES = st.text("abé", min_size=1, max_size=3)
STATES = st.builds(
    State,
    names=st.dictionaries(KEYS, NAMES, min_size=1, max_size=8),
    entities=st.dictionaries(KEYS, KEYS, max_size=8),
    invoices=st.dictionaries(KEYS, st.tuples(KEYS, st.integers(0, 9)), max_size=8),
)
OF_ITSELF = {"snapshot_file", "snapshot_change"}
"""What says how the file was written."""


def contents(path: Path) -> dict[str, Counter[str]]:
    """Every table and view of a graph: its rows, however ordered."""
    with duckdb.connect(str(path), read_only=True) as con:
        con.execute("SET TimeZone = 'UTC'")
        named = con.execute("SELECT table_schema, table_name FROM information_schema.tables ORDER BY ALL").fetchall()
        return {
            f"{schema}.{table}": Counter(
                repr(row) for row in con.execute(f'SELECT * FROM {schema}."{table}"').fetchall()
            )
            for schema, table in named
            if table not in OF_ITSELF
        }


def steps_of(path: Path) -> int:
    with duckdb.connect(str(path), read_only=True) as con:
        return int(con.execute("SELECT steps FROM snapshot_file").fetchall()[0][0])


def both_ways(folders: Folders, inputs: CandidateInputs) -> tuple[Path, Path]:
    """The graph of the inputs by changes, and written anew elsewhere."""
    changed = build_candidate(inputs, Settings(home=folders.home), now=NOW).path
    aside = folders.home / "anew" / str(folders.written)
    anew = build_candidate(replace(inputs, whole=True), Settings(home=aside), now=NOW).path
    return changed, anew


@pytest.mark.law
@settings(max_examples=6 * EFFORT, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=st.lists(STATES, min_size=2, max_size=5))
@example(history=[State({1: "a"}), State(dict.fromkeys(range(1, 6), "a"), {1: 1, 2: 1})])  # one mailbox, two records
def test_a_graph_made_by_changes_is_the_one_written_anew(history: list[State]) -> None:
    home = Path(tempfile.mkdtemp())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("orchestration.graph.change.MOST", 1000.0)
        patch.setattr("orchestration.graph.publish.SLACK", 1 << 40)
        folders, previous, sound = Folders(home), None, False
        for place, state in enumerate(history):
            changed, anew = both_ways(folders, folders.write(state, previous))
            mine, theirs = contents(changed), contents(anew)
            for parts in (mine, theirs):
                parts["main.snapshot_part"] = Counter(
                    {row.replace(str(home) + "/", ""): number for row, number in parts["main.snapshot_part"].items()}
                )
            assert mine == theirs
            with EntityGraph(changed) as one, EntityGraph(anew) as other:
                failed = {each.name for each in check_graph(one) if not each.passed}
                failed_in_full = {each.name for each in check_graph(other) if not each.passed}
            assert failed <= failed_in_full
            assert failed == failed_in_full or not sound  # what was sound before fails by what changed alone
            sound = not failed_in_full
            assert previous == changed or steps_of(changed) == min(place, 1) + steps_of(previous or changed)
            previous = changed
    shutil.rmtree(home)


BEFORE = State(
    {key: f"a{key}" for key in range(1, 60)},
    {key: key // 2 for key in range(1, 60)},
    {key: (key, key) for key in range(1, 60)},
)


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path)


def test_a_row_in_two_quarantines_stays_in_the_one_that_did_not_change(folders: Folders) -> None:
    twice = replace(BEFORE, names=BEFORE.names | {3: "b"})
    first = build_candidate(folders.write(twice), Settings(home=folders.home), now=NOW).path
    changed, anew = both_ways(folders, folders.write(replace(twice, names=twice.names | {3: "bé"}), first))
    assert steps_of(changed) == 1
    found = contents(changed)["main.quarantine"]
    assert found == contents(anew)["main.quarantine"]
    assert sum("'refused'" in row for row in found.elements()) == 1


def test_a_few_changes_are_made_in_a_copy(folders: Folders) -> None:
    first = build_candidate(folders.write(BEFORE), Settings(home=folders.home), now=NOW).path
    later = replace(BEFORE, names=BEFORE.names | {3: "b"}, entities=BEFORE.entities | {4: 50})
    changed, anew = both_ways(folders, folders.write(later, first))
    assert (steps_of(first), steps_of(changed), steps_of(anew)) == (0, 1, 0)
    with duckdb.connect(str(changed), read_only=True) as con:
        owners = dict(con.execute("SELECT record_id, entity_id FROM invoice").fetchall())
        seen = dict(con.execute("SELECT record_id, last_seen > first_seen FROM source_record").fetchall())
    assert owners["erp:invoice:4"] == "org_50"
    assert (seen["erp:company:3"], seen["erp:company:5"]) == (True, True)


def test_what_changed_is_checked_and_so_is_what_refers_to_it(folders: Folders) -> None:
    first = build_candidate(folders.write(BEFORE), Settings(home=folders.home), now=NOW).path
    changed = build_candidate(
        folders.write(replace(BEFORE, names=BEFORE.names | {3: "b"}), first), Settings(home=folders.home), now=NOW
    ).path
    with EntityGraph(changed) as graph:
        assert {result.name for result in check_graph(graph) if not result.passed} == set()
    with duckdb.connect(str(changed)) as con:
        con.execute("DELETE FROM source.\"erp:company\" WHERE _record = 'erp:company:3'")
    with EntityGraph(changed) as graph:
        failed = {result.name: result.examples for result in check_graph(graph) if not result.passed}
    assert failed == {"source_rows_exist": ("erp:company:3",), "supporting_rows_exist": ("erp:company:3",)}
    with duckdb.connect(str(changed)) as con:
        con.execute('INSERT INTO source."crm:company" FROM source."crm:company" WHERE _record = \'crm:company:2\'')
        con.execute("INSERT INTO snapshot_change VALUES ('source', 'crm:company:2')")
    with EntityGraph(changed) as graph:
        assert "no_duplicate_source_row" in {result.name for result in check_graph(graph) if not result.passed}


def test_many_changes_are_written_anew(folders: Folders) -> None:
    first = build_candidate(folders.write(BEFORE), Settings(home=folders.home), now=NOW).path
    later = replace(BEFORE, names={key: f"c{key}" for key in BEFORE.names})
    assert steps_of(build_candidate(folders.write(later, first), Settings(home=folders.home)).path) == 0


def test_a_graph_whose_folders_are_gone_is_written_anew(folders: Folders) -> None:
    first = build_candidate(folders.write(BEFORE), Settings(home=folders.home), now=NOW).path
    inputs = folders.write(replace(BEFORE, names=BEFORE.names | {3: "b"}), first)
    for folder in folders.home.glob("*/*/*/v1"):
        if (folders.home / folder.parent / "v2").exists():
            (folder / "layer.json").unlink()
    # what the layers lie on is gone with them, so that only a version that holds every row can be read
    whole = Folders(folders.home / "again")
    again = whole.write(replace(BEFORE, names=BEFORE.names | {3: "b"}), first)
    assert steps_of(build_candidate(replace(again, run_id=inputs.run_id), Settings(home=folders.home)).path) == 0


def test_a_file_with_too_many_gaps_is_written_anew(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestration.graph.publish.SLACK", 0)
    path = build_candidate(folders.write(BEFORE), Settings(home=folders.home), now=NOW).path
    sizes, steps = [path.stat().st_size], [0]
    for step in range(1, 16):
        later = replace(BEFORE, names=BEFORE.names | {3: f"b{step}"})
        path = build_candidate(folders.write(later, path), Settings(home=folders.home), now=NOW).path
        sizes.append(path.stat().st_size)
        steps.append(steps_of(path))
    assert max(sizes) < 3 * sizes[0]
    assert steps.count(0) > 1 or max(sizes) <= sizes[0] / 0.7


def test_the_hash_of_a_row_is_made_when_it_is_asked_for(folders: Folders) -> None:
    path = build_candidate(folders.write(BEFORE), Settings(home=folders.home), now=NOW).path
    with duckdb.connect(str(path), read_only=True) as con:
        kept = {row[0] for row in con.execute('DESCRIBE source."erp:company"').fetchall()}
        made = {row[0] for row in con.execute('DESCRIBE source."crm:company"').fetchall()}
        [(row_hash,)] = con.execute("SELECT row_hash FROM source_rows(['crm:company:2'])").fetchall()
    assert "_row_hash" in kept
    assert "_row_hash" not in made
    assert row_hash == "02"
