"""Who is at work: known while they are, and over with whoever was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from orchestration.settings import Settings
from orchestration.store.engine import open_store
from orchestration.store.presence import absent, present

PROGRAM = """
import sys, time
from pathlib import Path
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from orchestration.store.presence import present
with present(open_store(Settings(home=Path(sys.argv[1]))), "act finance"):
    print("here", flush=True)
    time.sleep(60)
"""


def test_somebody_at_work_is_known_until_the_last_one_leaves(either: Settings) -> None:
    store = open_store(either)
    assert absent(store, "act finance")
    with present(store, "act finance"), present(store, "act finance"):
        assert not absent(store, "act finance", wait=0.1)
        assert absent(store, "act collections")
    assert absent(store, "act finance")
    store.close()


def test_who_is_killed_is_at_work_no_more(either: Settings) -> None:
    store = open_store(either)
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(either.home)], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "here\n"
        assert not absent(store, "act finance")
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert absent(store, "act finance", wait=5.0)
    store.close()
