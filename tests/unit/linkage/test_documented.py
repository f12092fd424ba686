"""The page on linkage tells of every rule, and of no other."""

from __future__ import annotations

import re
from pathlib import Path

from insight.linkage.model import LINKAGES
from orchestration.settings import PROJECT

PAGE = Path(PROJECT, "docs", "architecture-linkage.md").read_text(encoding="utf-8")


def named(section: str) -> set[tuple[str, str]]:
    """Record type and rule of each row of the table in a section."""
    text = PAGE.split(f"## {section}\n")[1].split("\n## ")[0]
    return set(re.findall(r"^\| (organisation|person) \| `(\w+)`", text, re.MULTILINE))


def test_every_strong_key_is_in_its_table() -> None:
    assert named("Strong keys") == {(name, tier.name) for name, one in LINKAGES.items() for tier in one.tiers}


def test_every_veto_is_in_its_table() -> None:
    assert named("Vetoes") == {(name, veto.name) for name, one in LINKAGES.items() for veto in one.vetoes}


def test_how_many_records_may_share_a_key_is_as_the_page_says() -> None:
    assert {tier.largest for one in LINKAGES.values() for tier in one.tiers if tier.name != "distinctive_name"} == {30}
    assert [tier.largest for tier in LINKAGES["organisation"].tiers if tier.name == "distinctive_name"] == [8]
