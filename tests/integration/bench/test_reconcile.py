"""What `make bench-reconcile` measures, at a size at which only its shape means anything."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest
from rich.console import Console

from bench import shown
from bench.aims import Bench, aims
from bench.reconcile import LINKS, measure

RECORDS, CHANGES = 2000, 40


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder: Path = tmp_path_factory.mktemp("bench")
    size = measure(RECORDS, folder, changes=CHANGES)
    return Bench(size, size)


def test_every_step_from_the_databases_to_the_graph_has_its_time_and_its_memory(bench: Bench) -> None:
    steps = {step.name: step for step in bench.size.full.job.steps}
    assert {"land_crm", "records__person", f"{LINKS}person", "entities__organisation", "entity_graph"} <= set(steps)
    assert all(step.seconds > 0 and step.peak > 10_000_000 for step in steps.values())
    cores = len(os.sched_getaffinity(0))
    assert 0 < bench.size.full.job.processor < cores * bench.size.full.job.work + 1
    assert sum(step.seconds for step in steps.values()) <= bench.size.full.job.work
    assert bench.size.full.job.start > 0


def test_linkage_ends_where_golden_records_begin(bench: Bench) -> None:
    job = bench.size.full.job
    assert (
        job.seconds(LINKS) < bench.size.full.linkage < job.seconds(LINKS, "entities__organisation", "entities__person")
    )


def test_plain_splink_registers_predicts_and_clusters_the_same_records(bench: Bench) -> None:
    assert bench.size.plain is not None
    assert [step.name for step in bench.size.plain.steps] == [
        f"{record_type}: {step}"
        for record_type in ("organisation", "person")
        for step in ("register", "predict", "cluster")
    ]


def test_rows_of_all_three_systems_change_and_become_another_graph(bench: Bench) -> None:
    assert {name.split(".")[0] for name in bench.size.changed} == {"crm", "erp", "support"}
    assert sum(bench.size.changed.values()) == pytest.approx(CHANGES, rel=0.5)
    assert bench.size.change is not None
    published = [said for said in bench.size.change.job.told if said.get("asset") == "entity_graph"]
    assert [said["unchanged"] for said in published] == [False]
    assert sum(bench.size.grown.values()) > 0


def test_what_is_printed_can_be_read_as_json(bench: Bench) -> None:
    told = json.loads(json.dumps(shown.as_dict(bench)))
    assert [aim["name"] for aim in told["aims"]] == [aim.name for aim in aims(bench)]


def test_every_step_and_every_aim_is_printed(bench: Bench) -> None:
    said = io.StringIO()
    shown.print_tables(Console(file=said, width=shown.WIDTH), bench)
    printed = said.getvalue()
    for step in bench.size.full.job.steps:
        assert step.name.replace("__", "/") in printed
    for aim in aims(bench):
        assert aim.name in printed
    assert "…" not in printed
