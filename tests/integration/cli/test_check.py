"""`precede dagster check`: Dagster's own check of every code location."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from orchestration.settings import PROJECT


def check(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name("precede")), "dagster", "check"],
        env={**os.environ, **environment}, cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_dagster_loads_every_code_location() -> None:
    done = check()
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Dagster loads action, insight, orchestration.\n"


def test_a_location_that_does_not_load_fails_the_check_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "agent.yml").write_text("name: half\n")
    done = check(PRECEDE_AGENTS=str(tmp_path))
    assert done.returncode == 1
    assert "trigger.sql" in done.stderr
    assert done.stderr.rstrip().endswith("precede: Dagster cannot load the code locations; why stands above.")
