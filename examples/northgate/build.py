"""Make Northgate's three systems and its truth, all at once or not at all."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rich.console import Console

from examples.northgate.engine import open_engine, run, set_variable
from examples.northgate.plan import Plan
from examples.northgate.truth import write_truth
from examples.northgate.write import SYSTEMS, write_system

_WORLD: Final = ("world/organisation", "world/site", "world/person", "seen/organisation_seen", "seen/person_seen")
_FACTS: Final = ("facts/company_deal", "facts/company_note", "facts/trade", "facts/document", "facts/user_ticket")


@dataclass(frozen=True)
class Targets:
    """Where the databases and the truth go. A system without a URL becomes a SQLite file in `out`.

    Attributes:
        out: The folder of the SQLite files.
        urls: System to URL.
        truth: The folder of the truth; beside `out`, with `-truth` after its name, where it is not given.
    """

    out: Path
    urls: dict[str, str] = field(default_factory=dict)
    truth: Path | None = None

    @property
    def truth_folder(self) -> Path:
        """The folder that the truth is written to."""
        return self.truth or self.out.with_name(f"{self.out.name}-truth")


def build(plan: Plan, targets: Targets, console: Console | None = None) -> dict[str, dict[str, int]]:
    """Make the databases and the truth, in place of those in `targets.out`.

    Returns:
        System to table to number of rows.
    """
    console = console or Console(stderr=True, quiet=True)
    targets.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".northgate-", dir=targets.out.parent) as name:
        scratch = Path(name)
        fresh = scratch / "fresh"
        fresh.mkdir()
        con = open_engine(plan, scratch)
        with con:
            for relation in _WORLD:
                run(con, relation)
                if relation == "world/organisation":
                    set_variable(con, "last_org", con.sql("SELECT count(*) FROM organisation").fetchall()[0][0])
            plan.dirt.spoil(con)
            for relation in _FACTS:
                run(con, relation)
            counts = {}
            for system, tables in SYSTEMS.items():
                for table in tables:
                    run(con, f"{system}/{table}")
                url = targets.urls.get(system) or f"sqlite:///{fresh / system}.db"
                counts[system] = write_system(con, system, url)
                console.print(f"Northgate's {system}: {sum(counts[system].values()):,} rows")
            write_truth(con, fresh / "truth" / "truth.parquet")
        try:
            _put(fresh / "truth", targets.truth_folder)
        except OSError as problem:  # a home whose parent is not ours: the company can be used without its truth
            console.print(f"The truth is not kept: {problem}")
            shutil.rmtree(fresh / "truth", ignore_errors=True)
        if set(SYSTEMS) - set(targets.urls):
            _put(fresh, targets.out)
    return counts


def in_home(home: Path) -> Targets:
    """Northgate in a `PRECEDE_HOME`, and its truth beside that: no process of ours is told of it."""
    return Targets(home / "northgate", truth=home.with_name(f"{home.name}-truth"))


def ensure(home: Path) -> None:
    """Make Northgate in `<home>/northgate` unless it is there."""
    out = in_home(home).out
    if all((out / f"{system}.db").exists() for system in SYSTEMS):
        return
    console = Console(stderr=True)
    console.print("Building Northgate, the example company")
    build(Plan(), in_home(home), console)


def _put(fresh: Path, place: Path) -> None:
    """Move the files of `fresh` into `place`, in place of those of the same names and of no others."""
    if place.exists():
        for file in fresh.iterdir():
            shutil.move(file, place / file.name)
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(fresh, place)
