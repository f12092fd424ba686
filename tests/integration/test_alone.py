"""Two processes never do the same kind of work at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.errors import PrecedeError
from orchestration.work.alone import alone

HOLD = """
import sys, time
from pathlib import Path
from orchestration.work.alone import alone
with alone(Path(sys.argv[1]), "reconcile"):
    print("held", flush=True)
    time.sleep(60)
"""


def holding(home: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(home)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_another_process_waits_and_then_says_what_is_in_the_way(tmp_path: Path) -> None:
    with holding(tmp_path) as process:
        with (
            pytest.raises(PrecedeError, match="Another process is busy with 'reconcile'"),
            alone(tmp_path, "reconcile", wait=0.3),
        ):
            pass
        process.kill()


def test_work_of_another_kind_does_not_wait(tmp_path: Path) -> None:
    with holding(tmp_path) as process:
        with alone(tmp_path, "act", wait=0.0):
            pass
        process.kill()


def test_a_process_that_is_killed_leaves_no_lock_behind(tmp_path: Path) -> None:
    with holding(tmp_path) as process:
        process.kill()
    with alone(tmp_path, "reconcile", wait=0.0):
        pass
