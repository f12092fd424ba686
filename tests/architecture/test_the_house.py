"""The house of docs/architecture.md: who may import whom, and where Dagster may appear."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PRODUCT = ("orchestration", "insight", "action")
DAGSTER_FILES = {"assets.py", "checks.py", "jobs.py", "sensors.py", "definitions.py", "resources.py"}
DAGSTER_PATHS = {
    "orchestration/ledger/lineage.py",
    "orchestration/work/dagster.py",
    "orchestration/work/runs.py",
    "orchestration/cli/dagster.py",
}
NEVER_FOR_ACTION = ("orchestration.store", "orchestration.graph", "orchestration.gate", "orchestration.ledger")
NAMES_THE_TRUTH = re.compile(r"truth\.parquet|[-_/]truth\b|\btruth[-_/]")


def modules(*packages: str) -> list[Path]:
    return [path for package in packages for path in sorted((PROJECT / package).rglob("*.py"))]


def imports_of(path: Path) -> set[str]:
    """Every module that a file names in an import, wherever in the file it stands."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


@pytest.mark.parametrize("path", modules(*PRODUCT), ids=lambda path: str(path.relative_to(PROJECT)))
def test_dagster_appears_only_in_its_files(path: Path) -> None:
    relative = path.relative_to(PROJECT).as_posix()
    if path.name in DAGSTER_FILES or relative in DAGSTER_PATHS:
        return
    assert not {module for module in imports_of(path) if within(module, "dagster")}


@pytest.mark.parametrize(
    ("package", "others"),
    [
        ("insight", ("action", "examples")),
        ("action", ("insight", "examples")),
        ("orchestration", ("insight", "action", "examples")),
    ],
)
def test_the_teams_know_only_the_coordinator_and_it_knows_neither(package: str, others: tuple[str, ...]) -> None:
    crossings = {
        f"{path.relative_to(PROJECT)} imports {module}"
        for path in modules(package)
        for module in imports_of(path)
        if any(within(module, other) for other in others)
    }
    assert not crossings


def test_agent_code_is_given_nothing_that_opens_the_store_the_graph_or_a_key() -> None:
    # What is loaded counts, not what is written: a module that action imports may import another.
    probe = f"import sys, action.definitions\nprint([name for name in {NEVER_FOR_ACTION!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=PROJECT)
    assert done.stdout.strip() == "[]"


def test_no_product_code_names_the_truth_of_the_example_company() -> None:
    named = {
        str(path.relative_to(PROJECT))
        for package in PRODUCT
        for path in sorted((PROJECT / package).rglob("*"))
        if path.suffix in {".py", ".sql", ".yml", ".cedar"} and NAMES_THE_TRUTH.search(path.read_text())
    }
    named |= {
        str(path.relative_to(PROJECT))
        for path in modules(*PRODUCT)
        if any("truth" in module for module in imports_of(path))
    }
    assert not named


@pytest.mark.parametrize("location", ["insight.definitions", "action.definitions", "orchestration.definitions"])
def test_a_location_loads_in_a_fresh_interpreter(location: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:__main__", "-c", f"import {location}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT,
    )
    assert done.returncode == 0, done.stderr


def test_modules_stay_one_idea() -> None:
    long = {
        str(path.relative_to(PROJECT)): lines
        for path in modules(*PRODUCT, "examples")
        if (lines := len(path.read_text().splitlines())) > 350
    }
    assert not long


def test_every_link_of_the_documentation_leads_somewhere() -> None:
    pages = (PROJECT / "README.md", PROJECT / "SECURITY.md", PROJECT / "CONTRIBUTING.md", *PROJECT.glob("docs/**/*.md"))
    lost = [
        f"{page.relative_to(PROJECT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert lost == []
