"""requirements.lock is what is installed, with hashes and without addresses."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
LOCK = (PROJECT / "requirements.lock").read_text()
REQUIREMENT = re.compile(
    r"^([a-z0-9._-]+)==(\S+)(?: ; (.+?))? \\$((?:\n    --hash=sha256:[0-9a-f]{64}(?: \\)?$)*)", re.MULTILINE
)


def test_every_requirement_has_a_hash() -> None:
    requirements = REQUIREMENT.findall(LOCK)
    assert len(requirements) > 100
    assert all("--hash=sha256:" in hashes for *_, hashes in requirements)
    assert len(requirements) == len(re.findall(r"^[a-z0-9._-]+==", LOCK, re.MULTILINE))


def test_no_address_is_recorded() -> None:
    assert "://" not in LOCK
    assert not list(PROJECT.glob("uv.lock"))


def test_what_is_installed_is_what_is_locked() -> None:
    here = {name: wanted for name, wanted, marker, _ in REQUIREMENT.findall(LOCK) if not marker}
    assert {name: version(name) for name in here} == here
