"""An agent with an operating system user of its own: its group's folder is its way in, and nobody else's."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from orchestration.work.exchange import Exchange
from tests.integration.work.test_exchange import a_batch, an_answer

AGENT, OTHER, GROUP = 64_001, 64_002, 64_010
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    """An exchange with a folder of the agent's group, and a batch in it, offered under the umask of a deployment."""
    before = os.umask(0o007)
    try:
        with TemporaryDirectory(prefix="precede-exchange-") as root:
            Path(root).chmod(0o711)
            folder = Path(root) / "finance"
            folder.mkdir()
            os.chown(folder, 0, GROUP)
            folder.chmod(0o2770)
            made = Exchange(Path(root))
            made.offer(a_batch(), "a.b.c")
            yield made
    finally:
        os.umask(before)


def run(user: int, groups: list[int], *command: str, said: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, user=user, group=user, extra_groups=groups, umask=0o007, input=said,
        capture_output=True, text=True, check=False, cwd="/",
    )  # fmt: skip


def test_the_agents_user_reads_its_credential_and_answers(exchange: Exchange) -> None:
    folder = exchange.root / "finance" / "b-1"
    assert run(AGENT, [GROUP], "cat", str(folder / "credential.jwt")).stdout == "a.b.c"
    answer = an_answer().model_dump_json()
    assert run(AGENT, [GROUP], "tee", str(folder / "proposals.json"), said=answer).returncode == 0
    assert exchange.read_answer("finance", "b-1") == an_answer()
    exchange.reject("finance", "b-1")
    assert exchange.waiting("finance") == ["b-1"]
    exchange.clear("finance", "b-1")
    assert exchange.waiting("finance") == []


@pytest.mark.parametrize("user", [AGENT, OTHER])
def test_a_user_outside_the_group_gets_to_nothing_of_it(exchange: Exchange, user: int) -> None:
    folder = exchange.root / "finance" / "b-1"
    for path in (folder / "credential.jwt", folder / "batch.json", folder):
        refused = run(user, [], "cat", str(path))
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "Permission denied" in refused.stderr
    assert run(user, [], "tee", str(folder / "proposals.json"), said="{}").returncode != 0
    assert exchange.answered("finance") == []
