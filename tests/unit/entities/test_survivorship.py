"""What is declared of surviving values."""

from __future__ import annotations

from insight.entities.survivorship import COMBINED
from orchestration.graph.model import ADDED_UP


def test_what_nobody_can_settle_is_what_every_record_adds_to() -> None:
    assert COMBINED.keys() == ADDED_UP
