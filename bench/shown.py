"""What `make bench-reconcile` prints, as tables and as one object."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from bench.aims import GIGABYTE, SNAPSHOTS_A_DAY, Bench, aims, kept
from bench.reconcile import Reconciled, Size
from bench.watch import Watched

WIDTH: Final = 130
"""Columns that the tables take."""


def print_tables(console: Console, bench: Bench) -> None:
    """The stages, plain Splink, the disk and the aims."""
    console.print(_stages(bench))
    if bench.size.plain is not None:
        console.print(_plain(bench.size.plain))
    console.print(_disk(bench.size))
    console.print(_aims(bench))


def as_dict(bench: Bench) -> dict[str, Any]:
    """Everything, as one object; seconds and bytes."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "sizes": {
            str(size.records): {
                "full": _reconciled(size.full),
                "plain": _watched(size.plain) if size.plain else None,
                "changed": size.changed,
                "change": _reconciled(size.change) if size.change else None,
                "disk": size.disk,
                "disk_grown": size.grown,
                "disk_written_a_day": sum(size.grown.values()) * SNAPSHOTS_A_DAY,
                "disk_kept": kept(size),
            }
            for size in (bench.small, bench.size)
        },
        "aims": [
            {"name": aim.name, "found": aim.found, "most": aim.most, "unit": aim.unit, "reached": aim.reached}
            for aim in aims(bench)
        ],
    }


def _reconciled(run: Reconciled) -> dict[str, Any]:
    return _watched(run.job) | {"linkage": run.linkage}


def _watched(run: Watched) -> dict[str, Any]:
    return {
        "start": run.start,
        "work": run.work,
        "processor": run.processor,
        "peak": run.peak,
        "steps": [asdict(step) for step in run.steps],
    }


def _stages(bench: Bench) -> Table:
    size, change = bench.size, bench.size.change
    table = Table(
        title=f"From the databases to the published graph, {len(os.sched_getaffinity(0))} cores",
        caption=(
            "linkage: records in, clusters with ids; cpu: of all cores together; x plain: over all of plain Splink; "
            "peak: of the whole process during the step"
        ),
        box=None,
        padding=(0, 2, 0, 0),
    )
    table.add_column("step", no_wrap=True)
    changes = f"{sum(size.changed.values()):,} changed rows"
    every = f"{size.records:,} records"
    for column in (f"{bench.small.records:,} records", every, "cpu", "x plain", "peak", changes, "cpu", "peak"):
        table.add_column(column, no_wrap=True, justify="right")
    small = {step.name: step for step in bench.small.full.job.steps}
    again = {step.name: step for step in change.job.steps} if change else {}
    for step in size.full.job.steps:
        later = again.get(step.name)
        table.add_row(
            step.name.replace("__", "/"),
            _seconds(small[step.name].seconds if step.name in small else None),
            _seconds(step.seconds),
            _seconds(step.processor),
            _times(step.seconds, size.plain),
            _bytes(step.peak),
            _seconds(later.seconds if later else None),
            _seconds(later.processor if later else None),
            _bytes(later.peak if later else 0),
        )
    table.add_section()
    again_job = change.job if change else None
    table.add_row(
        "everything",
        _seconds(bench.small.full.job.work),
        _seconds(size.full.job.work),
        _seconds(size.full.job.processor),
        _times(size.full.job.work, size.plain),
        _bytes(size.full.job.peak),
        _seconds(again_job.work if again_job else None),
        _seconds(again_job.processor if again_job else None),
        _bytes(again_job.peak if again_job else 0),
        style="bold",
    )
    runs = (bench.small.full, size.full, change)
    linkage = [run.linkage if run else None for run in runs]
    _apart(table, "linkage", linkage, _times(size.full.linkage, size.plain))
    _apart(table, "starting Dagster, apart", [run.job.start if run else None for run in runs], "")
    return table


def _apart(table: Table, name: str, seconds: list[float | None], times: str) -> None:
    small, full, change = (_seconds(one) for one in seconds)
    table.add_row(name, small, full, "", times, "", change, "", "", style="bold")


def _times(seconds: float, plain: Watched | None) -> str:
    return "" if plain is None else f"{seconds / plain.work:.2f}"


def _plain(run: Watched) -> Table:
    table = Table(title="Plain Splink with a saved model, on the same records", box=None, padding=(0, 2, 0, 0))
    table.add_column("step", no_wrap=True)
    for column in ("seconds", "cpu", "peak"):
        table.add_column(column, no_wrap=True, justify="right")
    for step in run.steps:
        table.add_row(step.name, _seconds(step.seconds), _seconds(step.processor), _bytes(step.peak))
    table.add_section()
    table.add_row("everything", _seconds(run.work), _seconds(run.processor), _bytes(run.peak), style="bold")
    return table


def _disk(size: Size) -> Table:
    grown = sum(size.grown.values())
    table = Table(
        title="Disk",
        caption=(
            f"a snapshot every five minutes, each after as many changes, writes {_bytes(grown * SNAPSHOTS_A_DAY)} a "
            f"day; {_bytes(kept(size))} of it are kept at most, {size.graphs_kept} graphs among them"
        ),
        box=None,
        padding=(0, 2, 0, 0),
    )
    table.add_column("part", no_wrap=True)
    for column in ("after the first graph", "added by the changes"):
        table.add_column(column, no_wrap=True, justify="right")
    for part, held in size.disk.items():
        table.add_row(part, _bytes(held), _bytes(size.grown.get(part, 0)))
    table.add_row("together", _bytes(sum(size.disk.values())), _bytes(grown), style="bold")
    return table


def _aims(bench: Bench) -> Table:
    table = Table(title="Aims", box=None, padding=(0, 2, 0, 0))
    for column in ("", "found", "at most", "", "from"):
        table.add_column(column, no_wrap=True, justify="right" if column in {"found", "at most"} else "left")
    for aim in aims(bench):
        found, most = (f"{one:.3g} {aim.unit}" for one in (aim.found, aim.most))
        style = "green" if aim.reached else "red"
        table.add_row(aim.name, found, most, "reached" if aim.reached else "missed", aim.of, style=style)
    return table


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.2f} s"


def _bytes(count: int) -> str:
    if not count:
        return ""
    return f"{count / GIGABYTE:.2f} GB" if count >= GIGABYTE / 10 else f"{count / 1e6:.1f} MB"
