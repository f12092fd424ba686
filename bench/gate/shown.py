"""What `make bench-gate` prints, as tables and as one object."""

from __future__ import annotations

import os
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from bench.gate.actions import Made, Part
from bench.gate.aims import aims
from bench.gate.measure import Measured

WIDTH: Final = 130
"""Columns that the tables take."""


def print_tables(console: Console, measured: Measured) -> None:
    """What was done, and the aims."""
    console.print(_parts(measured))
    console.print(_aims(measured))


def as_dict(measured: Measured) -> dict[str, Any]:
    """Everything, as one object; seconds."""
    company, kept = measured.company, measured.kept
    return {
        "cores": len(os.sched_getaffinity(0)),
        "load": os.getloadavg()[0],
        "entities": company.entities,
        "policies": company.policies,
        "made": _made(measured.made),
        "postgres": None if measured.beside is None else _made(measured.beside),
        "actions": kept.actions,
        "entries": kept.entries,
        "trace": {"of": kept.traces, "slowest": kept.slowest_trace, "median": kept.usual_trace},
        "verify": {"first": _part(kept.first), "after_a_checkpoint": _part(kept.verify)},
        "dagster_run": measured.run_seconds,
        "aims": [
            {
                "name": aim.name,
                "found": aim.found,
                "bound": aim.bound,
                "side": aim.side,
                "unit": aim.unit,
                "holds": aim.holds,
            }
            for aim in aims(measured)
        ],
    }


def _made(made: Made) -> dict[str, Any]:
    return {
        "decide": _part(made.decide),
        "perform": _part(made.perform),
        "deliver": _part(made.deliver),
        "verdicts": dict(made.verdicts),
        "reasons": dict(made.reasons.most_common()),
    }


def _part(part: Part) -> dict[str, Any]:
    return {"done": part.done, "seconds": part.seconds, "processor": part.processor, "rate": part.rate}


def _parts(measured: Measured) -> Table:
    company, made = measured.company, measured.made
    verdicts = ", ".join(f"{count:,} {verdict}" for verdict, count in made.verdicts.most_common())
    table = Table(
        title=f"{company.entities:,} entities, {company.policies} policies, {measured.kept.actions:,} actions",
        caption=f"{verdicts}; load {os.getloadavg()[0]:.1f} on {len(os.sched_getaffinity(0))} cores",
        box=None,
        padding=(0, 2, 0, 0),
    )
    table.add_column("part", no_wrap=True)
    for column in ("done", "seconds", "cpu", "a second", "a second of cpu"):
        table.add_column(column, no_wrap=True, justify="right")
    stores = [("SQLite", made)] if measured.beside is None else [("SQLite", made), ("Postgres", measured.beside)]
    for name, each in stores:
        for part in ("decide", "perform", "deliver"):
            _row(table, f"{part}, {name}", getattr(each, part))
    return table


def _row(table: Table, name: str, part: Part) -> None:
    figures = (f"{part.done:,}", f"{part.seconds:.1f}", f"{part.processor:.1f}")
    table.add_row(name, *figures, f"{part.rate:,.0f}", f"{part.rate_of_processor:,.0f}")


def _aims(measured: Measured) -> Table:
    table = Table(title="Aims", box=None, padding=(0, 2, 0, 0))
    for column in ("", "found", "aim", "", "from"):
        table.add_column(column, no_wrap=True, justify="right" if column in {"found", "aim"} else "left")
    for aim in aims(measured):
        bound = "" if aim.bound is None else f"{aim.side} {aim.bound:,.0f} {aim.unit}"
        said = {True: "holds", False: "missed", None: ""}[aim.holds]
        style = {True: "green", False: "red", None: "dim"}[aim.holds]
        table.add_row(aim.name, f"{aim.found:,.4g} {aim.unit}", bound, said, aim.of, style=style)
    return table
