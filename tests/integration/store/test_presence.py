"""Who is at work: known while they are, and over with whoever was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Thread

from orchestration import locks
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from orchestration.store.presence import absent, only, present

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


def test_one_process_is_at_what_one_may_be_at_and_leaves_no_file(either: Settings) -> None:
    store = open_store(either)
    with only(store, "undo a") as mine, only(store, "undo a") as another, only(store, "undo b") as third:
        assert (mine, another, third) == (True, False, True)
        assert not absent(store, "undo a")
    assert absent(store, "undo a")
    assert absent(store, "undo of nobody")
    assert list((either.home / "locks").glob("undo-*")) == []
    store.close()


def test_nobody_gets_a_file_that_is_being_removed(tmp_path: Path) -> None:
    """Many take it, remove it and look at it at once: never do two have it, and each of them gets it."""
    file = tmp_path / "one.lock"
    inside: list[int] = []
    had: list[int] = []
    seen: list[tuple[int, bool]] = []

    def take() -> None:
        while len(had) < 400:
            with locks.held(file) as mine:
                if mine:
                    inside.append(1)
                    seen.append((len(inside), locks.free(file)))
                    inside.pop()
                    had.append(1)

    threads = [Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert set(seen) == {(1, False)}
    assert not file.exists()


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
