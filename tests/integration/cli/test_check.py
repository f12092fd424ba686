"""`precede dagster check`: Dagster's own check of every code location."""

from __future__ import annotations

import json
import os
import shutil
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


def test_a_locations_code_is_loaded_without_the_variables_that_it_may_not_see(tmp_path: Path) -> None:
    shutil.copytree(PROJECT / "action" / "agents" / "finance", tmp_path / "agents" / "finance")
    with (tmp_path / "agents" / "finance" / "agent.py").open("a") as code:
        code.write(
            f"\nimport json, os\nopen({str(tmp_path / 'seen.json')!r}, 'w').write(json.dumps(dict(os.environ)))\n"
        )
    secrets = {"AWS_SECRET_ACCESS_KEY": "hunter2", "PRECEDE_STORE_URL": f"sqlite:///{tmp_path}/hunter2.db"}
    done = check(PRECEDE_AGENTS=str(tmp_path / "agents"), **secrets)
    assert done.returncode == 0, done.stderr
    seen = json.loads((tmp_path / "seen.json").read_text())
    assert "PATH" in seen
    assert not [name for name, value in seen.items() if "hunter2" in value]
